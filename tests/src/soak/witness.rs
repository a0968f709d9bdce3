//! Who looks on: how much memory the nodes take, how far their links are behind, and whether one ended by itself.

use std::time::Duration;

use proto::federation::GetStatusRequest;
use proto::federation::link_status::State;
use tokio::sync::watch;
use tokio::time::timeout;

use super::faults::ends_within;
use super::field::Field;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is further behind is noted, each time it is looked at.
const WORTH_A_NOTE_S: f64 = 5.0;
/// What is further behind was written by a clock that was wrong, or is looked at by one.
const CLOCK_JUMPED_S: f64 = 1800.0;
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The most that was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Memory that one node's process held, in MiB.
    pub rss_mib: u64,
    /// How far a link was behind, in seconds.
    pub lag_s: u64,
}

/// Looks on until `over`.
pub async fn look_on(field: &Field, over: watch::Receiver<bool>) -> Seen {
    let mut seen = Seen::default();
    while !ends_within(over.clone(), LOOK_EVERY).await {
        for place in &field.places {
            // One that is being started or ended is looked at the next time.
            let Ok(node) = place.node.try_read() else { continue };
            seen.rss_mib = seen.rss_mib.max(node.process().and_then(rss_mib).unwrap_or(0));
            let Ok(client) = node.operator() else { continue };
            let name = node.sketch.name;
            drop(node);
            let asked =
                timeout(ANSWERS_WITHIN, async move { client.federation().get_status(GetStatusRequest {}).await });
            let Ok(Ok(status)) = asked.await else { continue };
            // Nobody takes anything in at the one who cheats.
            let others = status.into_inner().links.into_iter();
            let others = others.filter(|link| link.state() != State::Ended && link.node != field.cheat.id().as_str());
            for link in others.filter(|link| link.lag_seconds < CLOCK_JUMPED_S) {
                seen.lag_s = seen.lag_s.max(link.lag_seconds.ceil() as u64);
                if link.lag_seconds > WORTH_A_NOTE_S {
                    let (lag, entries, words) = (link.lag_seconds, link.lag_entries, link.words);
                    field.log.note(&format!("{name} is {lag:.0} s behind with {entries} to {}: {words}", link.node));
                }
            }
        }
        restart_ended(field).await;
    }
    seen
}

/// Starts again, as a service manager would, what ended by itself; none should.
async fn restart_ended(field: &Field) {
    for place in &field.places {
        let Ok(mut node) = place.node.try_write() else { continue };
        if let Err(error) = node.still_there() {
            field.log.finding(&format!("a node ended by itself: {error}"));
            node.kill().await;
            drop(node);
            if let Err(error) = place.start(&field.program).await {
                field.log.finding(&format!("it does not start again: {error}"));
            }
        }
    }
}

/// Memory that a process holds now.
fn rss_mib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
