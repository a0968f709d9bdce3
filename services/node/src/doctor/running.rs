//! The running node, as it answers itself: its services, its links, its quarantine.

use chassis::config::Config;
use proto::federation::link_status::State;
use proto::federation::{GetStatusRequest, GetStatusResponse, LinkStatus};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

use super::Finding;
use crate::client::Client;
use crate::error::NodeError;
use crate::house::services;
use crate::words;

const NODE: &str = "node";
const SERVICES: &str = "services";
const RESTORED: &str = "restore";
const LINK: &str = "link";
const QUARANTINE: &str = "quarantine";
/// A link on which something waits longer, in seconds, does not go by itself.
const TOO_LONG: f64 = 300.0;

/// Whether the node answers.
pub(super) struct Answering<'a> {
    config: &'a Config,
    client: Result<Client, NodeError>,
}

impl<'a> Answering<'a> {
    pub(super) async fn of(config: &'a Config) -> Self {
        Self { config, client: Client::operator(config).await }
    }

    pub(super) fn runs(&self) -> bool {
        self.client.is_ok()
    }

    pub(super) async fn examine(&self) -> Vec<Finding> {
        let client = match &self.client {
            Ok(client) => client,
            Err(error @ NodeError::NotRunning { .. }) => {
                return vec![Finding::wrong(NODE, error.to_string(), "start it with `commonweal serve`")];
            }
            Err(error) => return vec![Finding::wrong(NODE, error.to_string(), "see the line itself")],
        };
        let mut found = vec![self.services(client).await];
        if self.config.node.runs(federation::NAME) {
            match client.federation().get_status(GetStatusRequest {}).await {
                Ok(status) => {
                    let status = status.into_inner();
                    found.push(restored(&status));
                    found.extend(status.links.iter().flat_map(link));
                }
                Err(status) => found.push(Finding::wrong(LINK, status.message(), "see the log of the node")),
            }
        }
        found
    }

    async fn services(&self, client: &Client) -> Finding {
        let mut serving = Vec::new();
        for (name, full_name) in services().filter(|(name, _)| self.config.node.runs(name)) {
            let asked = HealthCheckRequest { service: full_name.to_owned() };
            match client.health(name).check(asked).await.map(|answer| answer.into_inner().status()) {
                Ok(ServingStatus::Serving) => serving.push(name),
                Ok(status) => return not_serving(name, status.as_str_name()),
                Err(status) => return not_serving(name, status.message()),
            }
        }
        Finding::well(SERVICES, format!("{} answer", serving.join(", ")))
    }
}

fn not_serving(name: &str, reason: &str) -> Finding {
    Finding::wrong(SERVICES, format!("{name} does not serve: {reason}"), "see the log of the node")
}

/// Whether the node was restored, and what that left to do.
fn restored(status: &GetStatusResponse) -> Finding {
    if let Some(restored) = &status.restored {
        let words = format!("the node was restored and only reads: {}", restored.reason);
        let remedy = match restored.waits_for.as_slice() {
            [] => "nothing: it is about to go on".to_owned(),
            waits => format!("nothing, it goes on by itself once these have answered: {}", waits.join("; ")),
        };
        return Finding::advice(RESTORED, words, remedy);
    }
    match status.reissues {
        0 => Finding::well(RESTORED, "nothing is left of one"),
        waiting => Finding::advice(
            RESTORED,
            format!("{} from before a restore was found", words::count(waiting, "event waits", "events wait")),
            "look at them with `commonweal reissue list`, and send or drop each",
        ),
    }
}

fn link(link: &LinkStatus) -> Vec<Finding> {
    let who = match link.display_name.as_str() {
        "" => link.node.clone(),
        name => format!("{name} ({})", link.node),
    };
    let mut found = vec![state(link, &who)];
    if link.lag_entries > 0 && link.lag_seconds > TOO_LONG && link.state() != State::Ended {
        let entries = words::count(link.lag_entries, "entry", "entries");
        let words = format!("{entries} wait for {who}, the oldest for {}", words::duration(link.lag_seconds));
        let remedy = "nothing is lost: they go out when the other side is back; ask whoever runs it";
        found.push(Finding::advice(LINK, words, remedy));
    }
    if link.quarantined > 0 {
        let lines = words::count(link.quarantined, "line", "lines");
        let words = format!("{lines} about {who} in quarantine, the newest because {}", link.last_refusal);
        let to_do = link.newest.as_ref().map(|newest| newest.advice.as_str()).unwrap_or_default();
        found.push(Finding::advice(QUARANTINE, words, format!("{to_do}; `commonweal quarantine list` shows all")));
    }
    found
}

fn state(link: &LinkStatus, who: &str) -> Finding {
    let words = format!("{who}: {}", link.words);
    match link.state() {
        State::Connected | State::Ended => Finding::well(LINK, words),
        State::Connecting => Finding::advice(LINK, words, "look again in a minute"),
        State::Refused => Finding::wrong(LINK, words, "ask the backbone whether this node was revoked"),
        State::Disconnected | State::Unspecified => Finding::wrong(
            LINK,
            words,
            "see whether the hub can be reached from here, below; nothing is lost meanwhile",
        ),
    }
}
