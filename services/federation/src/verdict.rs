//! What this node tells its own rooms of the backbone's word on what they told.

use std::collections::BTreeSet;

use chassis::event::{Actor, Event, Fact, Place};
use chassis::log::Line;
use chassis::names::{Reference, Space};
use proto::common::Judged;
use proto::common::judged::{RefusedEvent, Source};
use proto::federation::Acceptance;
use uuid::Uuid;

use crate::border::Border;

/// Where own entries come from.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The rooms that told them, and how far each must be heard to know them all.
    pub by: Vec<(String, u64)>,
    /// The types of their events.
    pub types: BTreeSet<String>,
}

/// The line of the log that hands an acceptance of own entries to the rooms. `events` are all the entries it covers.
/// `told` says who told them and of which types they are. The line counts to the space that was judged: a room has followed that space once it has heard it.
pub fn line(border: &Border, acceptance: &Acceptance, events: &[(u64, Uuid)], told: Told, place: Place) -> Line {
    let refusal = |sequence: u64| acceptance.refused.iter().find(|refused| refused.sequence == sequence);
    let (refused, accepted): (Vec<_>, Vec<_>) = events.iter().partition(|(sequence, _)| refusal(*sequence).is_some());
    let refused = refused.into_iter().map(|(sequence, id)| RefusedEvent {
        event_id: id.as_bytes().to_vec(),
        reason: refusal(sequence).map(|refused| refused.reason.clone()).unwrap_or_default(),
    });
    let judged = Judged {
        space: format!("{}/{}", acceptance.initiative, acceptance.space),
        position: acceptance.position,
        accepted_at: acceptance.accepted_at,
        accepted: accepted.into_iter().map(|(_, id)| id.as_bytes().to_vec()).collect(),
        refused: refused.collect(),
        sources: told.by.into_iter().map(|(service, sequence)| Source { service, sequence }).collect(),
        types: told.types.into_iter().collect(),
    };
    let resource = Reference::born_on(border.node());
    let event = Event::told(&Fact::of(&resource, &Space::Local, &judged), border.node(), &Actor::default());
    let event = Event { accepted: Some(place), ..event };
    let bytes = event.encode();
    Line { space: judged.space, ..Line::folded(&event, bytes) }
}
