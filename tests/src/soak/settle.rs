//! After the faults: waiting, without helping, until all who hold a space agree on it and nothing is under way.

use std::time::Duration;

use node::error::NodeError;
use proto::federation::{GetSpaceDigestRequest, GetSpaceDigestResponse, GetStatusRequest, LinkStatus};
use tokio::time::{Instant, sleep};

use super::field::Field;

/// So long it may take on a busy machine; it is no measure of speed.
const SETTLES_WITHIN: Duration = Duration::from_secs(300);
const ASK_EVERY: Duration = Duration::from_millis(500);
const SAY_EVERY: Duration = Duration::from_secs(20);

/// A space and the nodes that hold it, by number.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its whole name.
    pub space: String,
    /// Who holds it, of those who run.
    pub holders: Vec<usize>,
}

/// The spaces of a soak.
pub fn spaces(field: &Field) -> Vec<Held> {
    let all = Held { space: field.world.space("members"), holders: (0..field.places.len()).collect() };
    let two = field.world.secret.iter();
    let two = two.map(|secret| Held { space: field.world.space(&secret.within), holders: vec![0, 1] });
    [all].into_iter().chain(two).collect()
}

/// Waits until everything has settled: whether it has. What does not is a finding.
pub async fn wait(field: &Field) -> Result<bool, NodeError> {
    let (started, mut said) = (Instant::now(), Instant::now());
    loop {
        let unsettled = match look(field).await {
            Ok(unsettled) => unsettled,
            Err(error) => Some(error.to_string()),
        };
        let Some(unsettled) = unsettled else {
            field.log.say(&format!("all agree after {:.1} s", started.elapsed().as_secs_f64()));
            return Ok(true);
        };
        if started.elapsed() > SETTLES_WITHIN {
            field.log.finding(&format!("it does not settle: {unsettled}"));
            return Ok(false);
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            field.log.say(&format!("waits: {unsettled}"));
        }
        sleep(ASK_EVERY).await;
    }
}

/// What has not settled, in words; `None` where all has.
async fn look(field: &Field) -> Result<Option<String>, NodeError> {
    for place in &field.places {
        let node = place.node.read().await;
        let status = node.operator()?.federation().get_status(GetStatusRequest {}).await?.into_inner();
        let name = node.sketch.name;
        if let Some(room) = status.rooms.iter().find(|room| !room.answers || room.behind > 0 || room.held > 0) {
            return Ok(Some(format!(
                "{} of {name} is {} behind and holds {}: {}",
                room.service, room.behind, room.held, room.trouble
            )));
        }
        let behind = |link: &&LinkStatus| link.lag_entries > 0 && link.node != field.cheat.id().as_str();
        if let Some(link) = status.links.iter().find(behind) {
            return Ok(Some(format!("{name} has {} to send to {}: {}", link.lag_entries, link.node, link.words)));
        }
    }
    if field.cheat.is_let_in() {
        return Ok(Some("the one who cheats is still let in".to_owned()));
    }
    for held in spaces(field) {
        if let Some(words) = differs(field, &held).await? {
            return Ok(Some(words));
        }
    }
    Ok(None)
}

/// How the holders of a space differ, in words.
async fn differs(field: &Field, held: &Held) -> Result<Option<String>, NodeError> {
    let mut first: Option<GetSpaceDigestResponse> = None;
    for at in &held.holders {
        let node = field.place(*at)?.node.read().await;
        let request = GetSpaceDigestRequest { space: held.space.clone() };
        let said = node.operator()?.federation().get_space_digest(request).await?.into_inner();
        let state = format!(
            "{} at position {} of {} with {} pending, digest {}",
            node.sketch.name, said.position, held.space, said.pending, said.digest
        );
        if !said.settled || said.pending > 0 {
            return Ok(Some(format!("{state}, not settled")));
        }
        match &first {
            None => first = Some(said),
            Some(first) if (first.position, &first.digest) == (said.position, &said.digest) => {}
            Some(first) => {
                return Ok(Some(format!("{state}; the backbone at {} with {}", first.position, first.digest)));
            }
        }
    }
    Ok(None)
}
