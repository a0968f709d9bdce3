//! `commonweal quarantine`: what was refused or held at the border, to be looked at.

use std::process::ExitCode;

use chassis::clock;
use chassis::config::Config;
use chassis::event::instant;
use chassis::names::NodeId;
use clap::{Args, Subcommand};
use proto::federation::{ListQuarantineRequest, QuarantinedItem};
use serde::Serialize;

use super::print;
use crate::client::Client;
use crate::error::NodeError;
use crate::words;

const HELP: &str = "\
Examples:
  commonweal quarantine list
  commonweal quarantine list --node 4bq...x7 --limit 10 --json
  commonweal quarantine show 17";

/// Look at what was refused at the border.
///
/// It is kept to be looked at, at most 200 lines for each node, and never applied.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Quarantine {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The newest lines, newest first.
    List(List),
    /// One line, with all that is known of it.
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal quarantine list --limit 10")]
struct List {
    /// Only what came through the link of this node.
    #[arg(long, value_name = "NODE")]
    node: Option<NodeId>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=200))]
    limit: i32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal quarantine show 17")]
struct Show {
    /// The number that `list` shows first.
    number: i64,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    number: i64,
    node: String,
    space: String,
    origin: String,
    sequence: i64,
    code: String,
    reason: String,
    seconds_ago: Option<f64>,
}

impl Quarantine {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::List(List { node, limit, json }) => {
                let node = node.map(|node| node.to_string()).unwrap_or_default();
                print(json, &lines(&client, node, limit).await?, |lines| list_words(lines))
            }
            What::Show(Show { number, json }) => {
                let mut found = lines(&client, String::new(), 200).await?.into_iter();
                let Some(line) = found.find(|line| line.number == number) else {
                    let words = format!(
                        "there is no line {number} among the newest 200; `commonweal quarantine list` shows them"
                    );
                    return Err(NodeError::Usage(words));
                };
                print(json, &line, show_words)
            }
        }
    }
}

async fn lines(client: &Client, node: String, limit: i32) -> Result<Vec<Line>, NodeError> {
    let request = ListQuarantineRequest { node, page_size: limit, ..ListQuarantineRequest::default() };
    let listed = client.federation().list_quarantine(request).await?.into_inner();
    Ok(listed.items.into_iter().map(line).collect())
}

fn line(item: QuarantinedItem) -> Line {
    let at = item.at.as_ref().and_then(instant);
    Line {
        number: item.id,
        node: item.node,
        space: item.space,
        origin: item.origin,
        sequence: item.sequence,
        code: item.code,
        reason: item.reason,
        seconds_ago: at.map(|at| (clock::now() - at).as_seconds_f64()),
    }
}

fn ago(line: &Line) -> String {
    line.seconds_ago.map(|seconds| format!("{} ago", words::duration(seconds))).unwrap_or_default()
}

fn list_words(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "Nothing was refused.".to_owned();
    }
    let words =
        lines.iter().map(|line| format!("{:>6}  {:<10} {:<16} {}", line.number, ago(line), line.code, line.reason));
    words.collect::<Vec<_>>().join("\n")
}

fn show_words(line: &Line) -> String {
    let unknown = |text: &str| if text.is_empty() { "not known".to_owned() } else { text.to_owned() };
    format!(
        "{}: {}\n  number        {}, {}\n  through       {}\n  claimed space {}\n  by            {}\n  sequence      {}\n\nNothing of it was applied.",
        line.code,
        line.reason,
        line.number,
        ago(line),
        line.node,
        unknown(&line.space),
        unknown(&line.origin),
        line.sequence,
    )
}
