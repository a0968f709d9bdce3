//! `commonweal import mail`: archives of mail into a channel.

use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use chassis::names::Reference;
use clap::Args;
use proto::messaging::GetChannelRequest;
use serde::Serialize;

use super::super::organization::ours;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::{How, files};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::mail::{Archives, Found, Layout, Posting, plan};
use crate::import::{Fault, Report};
use crate::load::{self, Into, Posted};
use crate::verify::Watch;
use crate::words::{count, thousands};

const HELP: &str = "\
Examples:
  commonweal import mail --dry-run --channel REFERENCE list.mbox     read everything, send nothing
  commonweal import mail --channel REFERENCE --organization \"Reading aid\" archives/

Files *.eml are one message each, *.jsonl lists in JSON Lines as those of the R project are kept; any other is an mbox
archive. An organisation of this node says the messages: each is signed with its author's name and carries the time at
which it was written. An answer stands in the thread of what it answers; if that is not in the archives, it begins one.

Whoever may read the channel reads all of it, on every node that holds its space. So personal data is kept small: mail
addresses are left out, those in texts too (\"[address]\" stands there), and who signs with nothing but an address gets a
pseudonym, the same throughout the channel. Names and texts are kept: ask those who wrote them before you publish an
archive that was not public. What an author wants taken back is withdrawn as any message is, and no later import brings
it back.

Attachments are left out and counted. Where there is no plain text, what a page shows is taken. More than 20,000
characters are cut.

Exit code 4 when messages are wrong: each is named with file, line and number, and what is wrong with it.";

/// Archives of mail into a channel: who wrote, when, and what, in threads.
///
/// Every file is read to its end before anything is sent, and one wrong message is enough for nothing to be sent. If the
/// node refuses one, no other is tried, and what was done and what not is said; the same command again goes on from
/// there, for a message that is in the channel already is not posted twice.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Mail {
    /// The files, or folders with them (*.mbox, *.eml, *.jsonl).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The channel they go into.
    #[arg(long, value_name = "REFERENCE")]
    channel: Reference,
    /// Which organisation says them; not needed where only one lives on this node.
    #[arg(long, value_name = "ORGANISATION")]
    organization: Option<String>,
    #[command(flatten)]
    how: How,
}

/// What an import came to.
#[derive(Debug, Default, Serialize)]
struct Imported {
    ok: bool,
    dry_run: bool,
    files: usize,
    found: Found,
    faults: Vec<Fault>,
    #[serde(flatten)]
    posted: Posted,
}

impl Mail {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let paths = files::paths(&self.files, &["mbox", "eml", "jsonl"])?;
        let files = paths.len();
        let (postings, found) = match plan(self.read(&paths)?) {
            Ok(plan) => plan,
            Err(faults) => {
                print(self.how.json, &Imported { files, faults, ..Imported::default() }, Imported::words)?;
                return Ok(ExitCode::from(NOT_HELD));
            }
        };
        if self.how.dry_run {
            let imported = Imported { ok: true, dry_run: true, files, found, ..Imported::default() };
            return print(self.how.json, &imported, Imported::words);
        }
        let posted = self.send(config, &postings).await?;
        let ok = posted.refused.is_empty();
        print(self.how.json, &Imported { ok, files, found, posted, ..Imported::default() }, Imported::words)?;
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn read(&self, paths: &[PathBuf]) -> Result<Archives, NodeError> {
        let (mut archives, progress) = (Archives::default(), Progress::default());
        progress.begin("files read", paths.len() as u64);
        for path in paths {
            let name = path.display().to_string();
            archives.read(&self.channel.to_string(), &name, Layout::of(&name), files::open(path)?);
            progress.done(1);
        }
        progress.end();
        Ok(archives)
    }

    async fn send(&self, config: &Config, postings: &[Posting]) -> Result<Posted, NodeError> {
        let client = Client::operator(config).await?;
        let request = GetChannelRequest { channel: self.channel.to_string() };
        let channel = client.messaging().get_channel(request).await?.into_inner().channel.unwrap_or_default();
        let organization = ours(&client, &channel.initiative, self.organization.as_deref()).await?.reference;
        let into = Into { channel: &channel.reference, organization: &organization };
        let progress = Progress::default();
        progress.begin("messages", postings.len() as u64);
        let posted = load::post_all(&client, into, postings, || progress.done(1)).await;
        progress.end();
        posted
    }
}

impl Imported {
    fn words(&self) -> String {
        if !self.faults.is_empty() {
            return Report { faults: self.faults.clone() }.to_string();
        }
        let found = &self.found;
        let mut lines = vec![format!(
            "Read {} with {} of {}, in {}.",
            count(self.files as u64, "file", "files"),
            count(found.messages, "message", "messages"),
            count(found.authors, "author", "authors"),
            count(found.threads, "thread", "threads")
        )];
        for (number, one, many) in [
            (found.unanswered, "message answers what is not here", "messages answer what is not here"),
            (found.twice, "message stood there again", "messages stood there again"),
            (found.shared_ids, "message has the id of another", "messages have the ids of others"),
            (found.empty, "message says nothing and was left out", "messages say nothing and were left out"),
            (found.attachments, "attachment was left out", "attachments were left out"),
            (found.pages, "text was taken from a page", "texts were taken from pages"),
            (found.cut, "message was too long and lost its end", "messages were too long and lost their ends"),
            (found.unreadable, "message has unreadable letters", "messages have unreadable letters"),
            (found.addresses, "address was left out", "addresses were left out"),
            (found.pseudonyms, "message got a pseudonym for its author", "messages got pseudonyms for their authors"),
        ] {
            if number > 0 {
                lines.push(format!("  {}", count(number, one, many)));
            }
        }
        if self.dry_run {
            lines.push("Nothing is wrong with them. Nothing was sent: this was a dry run.".to_owned());
            return lines.join("\n");
        }
        let Posted { posted, already, withdrawn, not_sent, refused } = &self.posted;
        let [posted, already, not_sent] = [posted, already, not_sent].map(|number| thousands(*number as u64));
        lines.push(format!("Posted: {posted}. Here already: {already}."));
        if *withdrawn > 0 {
            let messages = count(*withdrawn as u64, "message", "messages");
            lines.push(format!("Not posted again, since they were taken back here: {messages}."));
        }
        for (place, reason) in refused {
            lines.push(format!("Refused: {place}: {reason}"));
            lines.push(format!("Not sent: {not_sent}."));
            lines.push("Mend what is wrong and give the same command again: no message is posted twice.".to_owned());
        }
        lines.join("\n")
    }
}
