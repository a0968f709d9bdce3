//! Positions on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::agenda as message;

use super::{write_initiative, write_position};
use crate::domain::ballot::{Position, Weight};
use crate::domain::{Opinion, Stance};

/// Reads what a position says.
pub fn read(violations: &mut Violations, message: Option<&message::PositionDefinition>) -> Option<Opinion> {
    let message = parse::message(violations, "definition", message)?;
    let proposal = parse::reference(violations, "definition.proposal", &message.proposal);
    if !(1..=10_000).contains(&message.revision) {
        violations.add("definition.revision", "must be the number of a revision, from 1");
    }
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let stance = parse::choice(violations, "definition.stance", message.stance);
    let reason = parse::prose(violations, "definition.reason", &message.reason, 2000);
    if stance == Some(Stance::Object) && reason.as_ref().is_some_and(String::is_empty) {
        violations.add("definition.reason", "is required for an objection");
    }
    Some(Opinion {
        proposal: proposal?,
        revision: message.revision,
        organization: organization?,
        stance: stance?,
        reason: reason?,
    })
}

/// What a position says as the contract writes it.
pub fn write_opinion(opinion: &Opinion) -> message::PositionDefinition {
    message::PositionDefinition {
        proposal: opinion.proposal.to_string(),
        revision: opinion.revision,
        organization: opinion.organization.to_string(),
        stance: opinion.stance.number(),
        reason: opinion.reason.clone(),
    }
}

/// A position as its organization told it, and nothing that follows from what others said.
pub fn write_told(position: &Position) -> message::Position {
    message::Position {
        reference: position.reference.to_string(),
        initiative: write_initiative(&position.space),
        definition: Some(write_opinion(&position.opinion)),
        state_reason: match position.void_reason.as_str() {
            "" => position.withdrawn_reason.clone(),
            reason => reason.to_owned(),
        },
        create_time: Some(timestamp(position.stamp.created_at)),
        update_time: Some(timestamp(position.stamp.updated_at)),
        etag: etag(position.stamp.version),
        ..message::Position::default()
    }
}

/// A position as it stands.
pub fn write(position: &Position, weight: Weight) -> message::Position {
    use message::PositionState as State;
    let (state, reason) = match weight {
        Weight::Pending => (State::Pending, String::new()),
        Weight::Counts => (State::Counts, String::new()),
        Weight::Replaced => (State::Replaced, String::new()),
        Weight::Outdated => (State::Outdated, String::new()),
        Weight::Withdrawn => (State::Withdrawn, position.withdrawn_reason.clone()),
        Weight::Void(reason) => (State::Void, reason),
    };
    message::Position {
        state: state.into(),
        state_reason: reason,
        accepted_position: write_position(position.spot.map(|spot| spot.position)),
        accept_time: position.spot.map(|spot| timestamp(spot.at)),
        ..write_told(position)
    }
}
