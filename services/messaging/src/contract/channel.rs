//! Channels on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::messaging as wire;

use super::{write_optional, write_space};
use crate::domain::Channel;
use crate::domain::channel::{Definition, State};

/// Reads a channel's definition.
pub fn read_definition(violations: &mut Violations, message: Option<&wire::ChannelDefinition>) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let name = parse::text(violations, "definition.name", &message.name, 200);
    let purpose = parse::prose(violations, "definition.purpose", &message.purpose, 2000);
    let subject = parse::optional_reference(violations, "definition.subject", &message.subject);
    let kind = parse::choice(violations, "definition.kind", message.kind);
    Some(Definition { organization: organization?, name: name?, purpose: purpose?, subject, kind: kind? })
}

/// A channel's definition as the contract writes it.
pub fn write_definition(definition: &Definition) -> wire::ChannelDefinition {
    wire::ChannelDefinition {
        organization: definition.organization.to_string(),
        name: definition.name.clone(),
        purpose: definition.purpose.clone(),
        subject: write_optional(definition.subject.as_ref()),
        kind: definition.kind.number(),
    }
}

/// A channel as the contract writes it.
pub fn write(channel: &Channel) -> wire::Channel {
    let (initiative, space) = write_space(&channel.space);
    let state = if channel.closed.is_some() { State::Closed } else { State::Open };
    wire::Channel {
        reference: channel.reference.to_string(),
        initiative,
        space,
        definition: Some(write_definition(&channel.definition)),
        state: state.number(),
        closed_reason: channel.closed.clone().unwrap_or_default(),
        create_time: Some(timestamp(channel.stamp.created_at)),
        update_time: Some(timestamp(channel.stamp.updated_at)),
        etag: etag(channel.stamp.version),
    }
}
