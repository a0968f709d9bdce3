//! `commonweal status`: how a node stands, in words that a small organisation's volunteer understands.

use std::process::ExitCode;

use chassis::clock;
use chassis::config::Config;
use chassis::event::instant;
use clap::Args;
use proto::common::HeldEvent;
use proto::federation::link_status::State;
use proto::federation::{GetStatusRequest, GetStatusResponse, LinkStatus, RoomStatus, SpaceStatus};
use serde::Serialize;

use super::{print, quarantine};
use crate::client::Client;
use crate::error::NodeError;
use crate::words::{self, duration};

/// Say how this node, its links and its spaces stand.
///
/// `commonweal doctor` says what is wrong and what to do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  commonweal status\n  commonweal status --json | jq '.links[].state'")]
pub(super) struct Status {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    node: String,
    restored: Option<Restored>,
    reissues: u64,
    hub: String,
    links: Vec<Link>,
    spaces: Vec<Space>,
    rooms: Vec<Room>,
}

#[derive(Serialize)]
struct Restored {
    reason: String,
    seconds: Option<f64>,
    waits_for: Vec<String>,
}

#[derive(Serialize)]
struct Room {
    service: String,
    answers: bool,
    behind: u64,
    behind_seconds: Option<f64>,
    trouble: String,
    trouble_seconds: Option<f64>,
    held: u64,
    first_held: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    r#type: String,
    resource: String,
    reason: String,
    seconds: Option<f64>,
}

#[derive(Serialize)]
struct Link {
    node: String,
    name: String,
    initiative: String,
    follower: bool,
    state: &'static str,
    words: String,
    last_contact_seconds_ago: Option<f64>,
    lag_entries: u64,
    lag_seconds: f64,
    sent: u64,
    confirmed: u64,
    received: u64,
    held: u64,
    quarantined: u64,
    last_refusal: String,
    /// The newest line in quarantine, with what to do.
    newest: Option<quarantine::Line>,
    alarms: u64,
    last_alarm: String,
}

#[derive(Serialize)]
struct Space {
    space: String,
    position: u64,
    pending: u64,
    refused: u64,
}

impl Status {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let status = client.federation().get_status(GetStatusRequest {}).await?.into_inner();
        print(self.json, &report(status), words)
    }
}

fn report(status: GetStatusResponse) -> Report {
    Report {
        node: status.node,
        restored: status.restored.map(restored),
        reissues: status.reissues,
        hub: status.hub,
        links: status.links.into_iter().map(link).collect(),
        spaces: status.spaces.into_iter().map(space).collect(),
        rooms: status.rooms.into_iter().map(room).collect(),
    }
}

fn restored(restored: proto::federation::get_status_response::Restored) -> Restored {
    let seconds = ago(restored.since.as_ref());
    Restored { reason: restored.reason, seconds, waits_for: restored.waits_for }
}

fn room(room: RoomStatus) -> Room {
    Room {
        service: room.service,
        answers: room.answers,
        behind: room.behind,
        behind_seconds: ago(room.behind_since.as_ref()),
        trouble: room.trouble,
        trouble_seconds: ago(room.trouble_since.as_ref()),
        held: room.held,
        first_held: room.first_held.into_iter().map(held).collect(),
    }
}

fn held(held: HeldEvent) -> Held {
    let seconds = ago(held.since.as_ref());
    Held { r#type: held.r#type, resource: held.resource, reason: held.reason, seconds }
}

fn ago(since: Option<&prost_types::Timestamp>) -> Option<f64> {
    since.and_then(instant).map(|since| (clock::now() - since).as_seconds_f64().max(0.0))
}

fn link(link: LinkStatus) -> Link {
    let state = shown(link.state());
    Link {
        state,
        last_contact_seconds_ago: ago(link.last_contact.as_ref()),
        words: link.words,
        node: link.node,
        name: link.display_name,
        initiative: link.initiative,
        follower: link.follower,
        lag_entries: link.lag_entries,
        lag_seconds: link.lag_seconds,
        sent: link.sent,
        confirmed: link.confirmed,
        received: link.received,
        held: link.held,
        newest: link.newest.map(quarantine::line),
        quarantined: link.quarantined,
        last_refusal: link.last_refusal,
        alarms: link.alarms,
        last_alarm: link.last_alarm,
    }
}

fn shown(state: State) -> &'static str {
    state.as_str_name().trim_start_matches("STATE_")
}

fn space(space: SpaceStatus) -> Space {
    Space { space: space.space, position: space.position, pending: space.pending, refused: space.refused }
}

fn words(report: &Report) -> String {
    let mut lines = vec![format!("node   {}", report.node)];
    lines.extend(report.restored.iter().flat_map(restored_words));
    if report.reissues > 0 {
        lines.push(format!(
            "told   {} before a restore was found, and not shared: look at it with `commonweal reissue list`",
            words::count(report.reissues, "event", "events")
        ));
    }
    if !report.hub.is_empty() {
        lines.push(format!("hub    {}", report.hub));
    }
    if report.links.is_empty() {
        lines.push(
            "links  none: join an initiative with `commonweal join`, or invite others with `commonweal invite`"
                .to_owned(),
        );
    }
    for link in &report.links {
        lines.extend(link_words(link));
    }
    for space in &report.spaces {
        lines.push(format!(
            "space  {}: {} steps held, {} of our entries wait for the backbone, {} refused",
            space.space, space.position, space.pending, space.refused
        ));
    }
    lines.extend(report.rooms.iter().flat_map(room_words));
    lines.join("\n")
}

fn restored_words(restored: &Restored) -> Vec<String> {
    let since = restored.seconds.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
    let mut lines = vec![format!(
        "READ-ONLY{since}: this node was restored ({}); it writes again by itself once the others have said what they hold",
        restored.reason
    )];
    lines.extend(restored.waits_for.iter().map(|one| format!("         waits for {one}")));
    lines
}

/// What is to be said of a room; nothing where all is well.
fn room_words(room: &Room) -> Vec<String> {
    let name = &room.service;
    if !room.answers {
        return vec![format!("room   {name}: does not answer; what others tell waits for it")];
    }
    let mut lines = Vec::new();
    let since = |seconds: Option<f64>| seconds.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
    if !room.trouble.is_empty() {
        let (since, behind) = (since(room.trouble_seconds), room.behind);
        lines.push(format!("room   {name}: stands still{since}, {behind} events behind: {}", room.trouble));
    } else if room.behind > 0 {
        lines.push(format!("room   {name}: {} events behind{}", room.behind, since(room.behind_seconds)));
    }
    if room.held > 0 {
        lines.push(format!("room   {name}: holds {} that it cannot take in yet, and tries again by itself", room.held));
    }
    for held in &room.first_held {
        lines.push(format!("         {} of {}{}: {}", held.r#type, held.resource, since(held.seconds), held.reason));
    }
    lines
}

fn link_words(link: &Link) -> Vec<String> {
    let mut lines = vec![format!("link   {} ({}): {}", link.name, link.node, link.words)];
    let contact = match link.last_contact_seconds_ago {
        Some(seconds) => format!("last heard from {} ago", duration(seconds)),
        None => "not heard from yet".to_owned(),
    };
    let lag = match link.lag_entries {
        // Nothing goes over a link that is ended.
        _ if link.state == shown(State::Ended) => "nothing goes over it any more".to_owned(),
        0 => "nothing waits".to_owned(),
        waiting => format!("{waiting} waiting, the oldest for {}", duration(link.lag_seconds)),
    };
    lines.push(format!(
        "         {contact}; {lag}; {} sent, {} confirmed, {} received, {} held, {} quarantined",
        link.sent, link.confirmed, link.received, link.held, link.quarantined
    ));
    if link.alarms > 0 {
        lines.push(format!("         ALARM: {} about what the backbone accepted; {}", link.alarms, link.last_alarm));
    }
    if let Some(newest) = &link.newest {
        lines.push(format!("         newest: {}", quarantine::happened(newest)));
        lines.push(format!("                 {}", quarantine::to_do(newest)));
    }
    lines
}
