//! Needs on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::activities as message;

use super::{means, optional_date, write_date, write_initiative, write_optional};
use crate::domain::Need;
use crate::domain::need::Definition;

/// Reads what is asked for.
pub fn read_definition(violations: &mut Violations, message: Option<&message::NeedDefinition>) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let activity = parse::optional_reference(violations, "definition.activity", &message.activity);
    let means = means::read(violations, "definition.means", message.means.as_ref());
    let purpose = parse::text(violations, "definition.purpose", &message.purpose, 1000);
    let needed_by = optional_date(violations, "definition.needed_by", &message.needed_by);
    Some(Definition { organization: organization?, activity, means: means?, purpose: purpose?, needed_by })
}

/// A need as the contract writes it.
pub fn write(need: &Need) -> message::Need {
    message::Need {
        reference: need.reference.to_string(),
        initiative: write_initiative(&need.space),
        definition: Some(write_definition(&need.content)),
        state: need.state.number(),
        state_reason: need.reason.clone(),
        create_time: Some(timestamp(need.stamp.created_at)),
        update_time: Some(timestamp(need.stamp.updated_at)),
        etag: etag(need.stamp.version),
    }
}

/// What is asked for, as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::NeedDefinition {
    message::NeedDefinition {
        organization: definition.organization.to_string(),
        activity: write_optional(definition.activity.as_ref()),
        means: Some(means::write(&definition.means)),
        purpose: definition.purpose.clone(),
        needed_by: definition.needed_by.map(write_date).unwrap_or_default(),
    }
}
