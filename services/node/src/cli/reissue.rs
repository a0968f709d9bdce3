//! `commonweal reissue`: what this node told before it knew that it was restored, to be told again or dropped.

use std::process::ExitCode;

use chassis::clock;
use chassis::config::Config;
use chassis::event::instant;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use proto::federation::{DropReissueRequest, ListReissuesRequest, SendReissueRequest};
use serde::Serialize;

use super::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;
use crate::words;

const HELP: &str = "\
Examples:
  commonweal reissue list
  commonweal reissue show 3
  commonweal reissue send 3
  commonweal reissue drop 4";

/// Look at what was told before a restore was found, and tell it again or drop it.
///
/// The other nodes hold something else in its place, so it does not count, here or anywhere. Look whether it still holds
/// good, beside what came back from the others, before you send it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Reissue {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What waits, oldest first.
    List(List),
    /// One of them, with all that is known of it.
    Show(Show),
    /// Tell one of them again, as of now.
    Send(One),
    /// Drop one of them for good.
    Drop(One),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal reissue list --json")]
struct List {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal reissue show 3")]
struct Show {
    /// The number that `list` shows first.
    number: i64,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal reissue send 3")]
struct One {
    /// The number that `list` shows first.
    number: i64,
}

#[derive(Serialize)]
struct Line {
    number: i64,
    space: String,
    r#type: String,
    resource: String,
    seconds_ago: Option<f64>,
    message: String,
}

#[derive(Serialize)]
struct Done {
    number: i64,
}

impl Reissue {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::List(List { json }) => print(json, &lines(&client).await?, |lines| list_words(lines)),
            What::Show(Show { number, json }) => {
                let found = lines(&client).await?.into_iter().find(|line| line.number == number);
                let Some(line) = found else {
                    let words = format!("there is no {number}; `commonweal reissue list` shows what waits");
                    return Err(NodeError::Usage(words));
                };
                print(json, &line, show_words)
            }
            What::Send(One { number }) => {
                let request = SendReissueRequest { request_id: request_id(), number };
                client.federation().send_reissue(request).await?;
                print(false, &Done { number }, |_| {
                    format!("{number} is told again; it counts once the backbone accepts it.")
                })
            }
            What::Drop(One { number }) => {
                let request = DropReissueRequest { request_id: request_id(), number };
                client.federation().drop_reissue(request).await?;
                print(false, &Done { number }, |_| format!("{number} is dropped."))
            }
        }
    }
}

async fn lines(client: &Client) -> Result<Vec<Line>, NodeError> {
    let (mut lines, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListReissuesRequest { page_size: 500, page_token };
        let listed = client.federation().list_reissues(request).await?.into_inner();
        lines.extend(listed.reissues.into_iter().map(line));
        page_token = listed.next_page_token;
        if page_token.is_empty() {
            return Ok(lines);
        }
    }
}

fn line(one: proto::federation::Reissue) -> Line {
    let at = one.made_at.as_ref().and_then(instant);
    Line {
        number: one.number,
        space: one.space,
        r#type: one.r#type,
        resource: one.resource,
        seconds_ago: at.map(|at| (clock::now() - at).as_seconds_f64()),
        message: HEXLOWER.encode(&one.message),
    }
}

fn ago(line: &Line) -> String {
    line.seconds_ago.map(|seconds| format!("{} ago", words::duration(seconds))).unwrap_or_default()
}

fn list_words(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "Nothing waits to be told again.".to_owned();
    }
    let words = lines
        .iter()
        .map(|line| format!("{:>6}  {:<10} {} about {}", line.number, ago(line), line.r#type, line.resource));
    words.collect::<Vec<_>>().join("\n")
}

fn show_words(line: &Line) -> String {
    format!(
        "{}\n  number   {}, told {}\n  about    {}\n  in       {}\n  message  {}\n\nIt does not count until it is sent: `commonweal reissue send {}`.",
        line.r#type,
        line.number,
        ago(line),
        line.resource,
        line.space,
        line.message,
        line.number,
    )
}
