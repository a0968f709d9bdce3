//! `commonweal import`: files of others into what this node's organisations say.

mod agenda;
mod connecticut;
mod directory;
mod files;
mod grants;
mod iati;
mod mail;
mod outcome;

use std::collections::BTreeMap;
use std::process::ExitCode;

use chassis::config::Config;
use clap::{Args, Subcommand};

use crate::error::NodeError;
use crate::words::thousands;

const HELP: &str = "\
Examples:
  commonweal import connecticut --dry-run downloads/         school figures into submissions
  commonweal import grants --dry-run grants.json             360Giving grants into awards
  commonweal import directory --register smc-connect --sector nonprofit --dry-run folder/
                                                             a directory into organisations and their offers
  commonweal import agenda --name \"Our goals\" --dry-run goals.csv
                                                             a framework of goals into the draft of an agenda
  commonweal import iati --dry-run activities.xml            IATI files into activities
  commonweal import mail --channel REFERENCE list.mbox       mail archives into a channel

Exit code 4 when rows are wrong: each is named with its place and what is wrong with it.";

/// Import what others publish.
///
/// Every file is read to its end before anything is sent, and one wrong row is enough for nothing to be sent.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Import {
    #[command(subcommand)]
    source: Source,
}

/// Whose layout the files have.
#[derive(Debug, Subcommand)]
enum Source {
    Connecticut(connecticut::Figures),
    Grants(grants::Grants),
    Directory(directory::Directory),
    Agenda(agenda::Agenda),
    Iati(iati::Iati),
    Mail(mail::Mail),
}

/// How an import is to go.
#[derive(Debug, Args)]
struct How {
    /// Read everything and say what would be sent; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON, with everything that is wrong.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        match self.source {
            Source::Connecticut(figures) => figures.run(config).await,
            Source::Grants(grants) => grants.run(config).await,
            Source::Directory(directory) => directory.run(config).await,
            Source::Agenda(agenda) => agenda.run(config).await,
            Source::Iati(iati) => iati.run(config).await,
            Source::Mail(mail) => mail.run(config).await,
        }
    }
}

/// The first of some names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    let more = names.len().saturating_sub(shown.len());
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What was left out, line by line; nothing where nothing was.
fn left_out_words(left_out: &BTreeMap<String, usize>) -> Vec<String> {
    if left_out.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["Left out, for there is no place for it here (what: how often):".to_owned()];
    lines.extend(left_out.iter().map(|(what, number)| format!("  {what}: {}", thousands(*number as u64))));
    lines
}
