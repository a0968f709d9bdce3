//! `commonweal quarantine`: what was refused or held at the border, to be looked at, tried again, or taken away.

mod words;

use std::process::ExitCode;

use chassis::clock;
use chassis::config::Config;
use chassis::event::instant;
use chassis::names::NodeId;
use clap::{Args, Subcommand};
use proto::federation::quarantined_item::Standing;
use proto::federation::{
    DropQuarantineRequest, GetStatusRequest, ListQuarantineRequest, QuarantinedItem, RetryQuarantineRequest,
};
use serde::Serialize;

use super::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;

/// As many as a page may have, and as many as are dropped in one call.
const PAGE: i32 = 500;

const HELP: &str = "\
Examples:
  commonweal quarantine list
  commonweal quarantine list --node 4bq...x7 --limit 10 --json
  commonweal quarantine show 17
  commonweal quarantine retry 17
  commonweal quarantine retry
  commonweal quarantine drop 17 18
  commonweal quarantine drop --all";

/// Look at what was refused at the border, and try again what waits.
///
/// It is kept to be looked at, at most 200 lines and 200 alarms for each node, and never applied. Nothing here changes a
/// verdict: what was refused for good stays refused on every node.
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
    /// One line, with all that is known of it and what to do now.
    Show(Show),
    /// Try again what waits, now.
    Retry(Retry),
    /// Take lines away that were looked at.
    Drop(Drop),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal quarantine list --limit 10")]
struct List {
    /// Only what came through the link of this node.
    #[arg(long, value_name = "NODE")]
    node: Option<NodeId>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=500))]
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

/// Try again what waits, now.
///
/// A line on which there is no verdict is taken away, and the other node is asked to send it again: where it is as wrong
/// as before, the line comes back. Without a number everything that is held is tried again, in the services of this node,
/// too. All of that happens by itself as well, less often.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  commonweal quarantine retry 17\n  commonweal quarantine retry")]
struct Retry {
    /// The number that `list` shows first; everything that is held, if left out.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    number: Option<i64>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Take lines away that were looked at.
///
/// They are copies of what was refused: nothing changes with them. What is held is not dropped, since it is still to be
/// taken in.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  commonweal quarantine drop 17 18\n  commonweal quarantine drop --all --node 4bq...x7"
)]
struct Drop {
    /// The numbers that `list` shows first.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = clap::value_parser!(i64).range(1..))]
    numbers: Vec<i64>,
    /// Every line that is not held.
    #[arg(long)]
    all: bool,
    /// With --all: only what came through the link of this node.
    #[arg(long, value_name = "NODE", requires = "all")]
    node: Option<NodeId>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// One line, as it is shown.
#[derive(Serialize)]
pub(super) struct Line {
    number: i64,
    node: String,
    name: String,
    space: String,
    origin: String,
    sequence: i64,
    code: String,
    reason: String,
    standing: &'static str,
    ours: bool,
    to_do: String,
    seconds_ago: Option<f64>,
}

/// An event that a service of this node holds.
#[derive(Serialize)]
struct Waiting {
    service: String,
    held: u64,
}

#[derive(Serialize)]
struct Listed {
    lines: Vec<Line>,
    /// What the services hold: it has no lines here.
    waiting: Vec<Waiting>,
}

#[derive(Serialize)]
struct Retried {
    lines: u32,
    services: u32,
}

#[derive(Serialize)]
struct Dropped {
    dropped: usize,
}

impl Quarantine {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::List(List { node, limit, json }) => {
                let (lines, waiting) = (lines(&client, node, Some(limit)).await?, waiting(&client).await?);
                print(json, &Listed { lines, waiting }, words::listed)
            }
            What::Show(Show { number, json }) => {
                let mut found = lines(&client, None, None).await?.into_iter();
                let Some(line) = found.find(|line| line.number == number) else {
                    let words =
                        format!("there is no line {number}; `commonweal quarantine list` shows those there are");
                    return Err(NodeError::Usage(words));
                };
                print(json, &line, words::shown)
            }
            What::Retry(Retry { number, json }) => {
                let request = RetryQuarantineRequest { request_id: request_id(), id: number.unwrap_or(0) };
                let answer = client.federation().retry_quarantine(request).await?.into_inner();
                print(json, &Retried { lines: answer.lines, services: answer.services }, words::retried)
            }
            What::Drop(Drop { numbers, all, node, json }) => {
                let numbers = if all { droppable(&client, node).await? } else { numbers };
                for ids in numbers.chunks(usize::try_from(PAGE).unwrap_or(1)) {
                    let request = DropQuarantineRequest { request_id: request_id(), ids: ids.to_vec() };
                    client.federation().drop_quarantine(request).await?;
                }
                print(json, &Dropped { dropped: numbers.len() }, words::dropped)
            }
        }
    }
}

/// The newest lines, newest first; all of them without a limit.
async fn lines(client: &Client, node: Option<NodeId>, limit: Option<i32>) -> Result<Vec<Line>, NodeError> {
    let node = node.map(|node| node.to_string()).unwrap_or_default();
    let (mut lines, mut page_token) = (Vec::new(), String::new());
    loop {
        let page_size = limit.unwrap_or(PAGE);
        let request = ListQuarantineRequest { node: node.clone(), page_size, page_token };
        let page = client.federation().list_quarantine(request).await?.into_inner();
        lines.extend(page.items.into_iter().map(line));
        page_token = page.next_page_token;
        if page_token.is_empty() || limit.is_some() {
            return Ok(lines);
        }
    }
}

async fn waiting(client: &Client) -> Result<Vec<Waiting>, NodeError> {
    let rooms = client.federation().get_status(GetStatusRequest {}).await?.into_inner().rooms.into_iter();
    let waiting = rooms.filter(|room| room.held > 0).map(|room| Waiting { service: room.service, held: room.held });
    Ok(waiting.collect())
}

async fn droppable(client: &Client, node: Option<NodeId>) -> Result<Vec<i64>, NodeError> {
    let lines = lines(client, node, None).await?.into_iter();
    Ok(lines.filter(|line| line.standing != shown(Standing::Held)).map(|line| line.number).collect())
}

/// A line as it is shown.
pub(super) fn line(item: QuarantinedItem) -> Line {
    let at = item.at.as_ref().and_then(instant);
    Line {
        number: item.id,
        standing: shown(item.standing()),
        node: item.node,
        name: item.display_name,
        space: item.space,
        origin: item.origin,
        sequence: item.sequence,
        code: item.code,
        reason: item.reason,
        ours: item.ours,
        to_do: item.advice,
        seconds_ago: at.map(|at| (clock::now() - at).as_seconds_f64().max(0.0)),
    }
}

fn shown(standing: Standing) -> &'static str {
    standing.as_str_name().trim_start_matches("STANDING_")
}

pub(super) use words::{happened, to_do};
