//! Pledges on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::activities as message;

use super::{means, write_initiative};
use crate::domain::Pledge;
use crate::domain::pledge::Definition;

/// Reads what is pledged.
pub fn read_definition(violations: &mut Violations, message: Option<&message::PledgeDefinition>) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let need = parse::reference(violations, "definition.need", &message.need);
    let means = means::read(violations, "definition.means", message.means.as_ref());
    let note = parse::prose(violations, "definition.note", &message.note, 1000);
    Some(Definition { organization: organization?, need: need?, means: means?, note: note? })
}

/// A pledge as the contract writes it.
pub fn write(pledge: &Pledge) -> message::Pledge {
    message::Pledge {
        reference: pledge.reference.to_string(),
        initiative: write_initiative(&pledge.space),
        definition: Some(write_definition(&pledge.content)),
        state: pledge.state.number(),
        state_reason: pledge.reason.clone(),
        create_time: Some(timestamp(pledge.stamp.created_at)),
        update_time: Some(timestamp(pledge.stamp.updated_at)),
        etag: etag(pledge.stamp.version),
    }
}

/// What is pledged, as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::PledgeDefinition {
    message::PledgeDefinition {
        organization: definition.organization.to_string(),
        need: definition.need.to_string(),
        means: Some(means::write(&definition.means)),
        note: definition.note.clone(),
    }
}
