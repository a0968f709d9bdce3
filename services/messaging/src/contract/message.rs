//! Messages on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::messaging as wire;

use super::{write_optional, write_space};
use crate::domain::Message;
use crate::domain::message::{Heading, State};

const MOST_CHARACTERS: usize = 20_000;

/// Reads where a message belongs. `within` names the message's fields: `heading.` or nothing.
pub fn read_heading(violations: &mut Violations, within: &str, heading: &wire::MessageHeading) -> Option<Heading> {
    let field = |name: &str| format!("{within}{name}");
    let channel = parse::reference(violations, &field("channel"), &heading.channel);
    let thread = parse::optional_reference(violations, &field("thread"), &heading.thread);
    let organization = parse::reference(violations, &field("organization"), &heading.organization);
    let written_at = parse::optional_instant(violations, &field("written_time"), heading.written_time.as_ref());
    Some(Heading { channel: channel?, thread, organization: organization?, written_at })
}

/// Reads what a message says.
pub fn read_body(violations: &mut Violations, body: &str) -> Option<String> {
    let body = parse::required(violations, "body", body)?;
    parse::prose(violations, "body", body, MOST_CHARACTERS)
}

/// Reads how its author signs.
pub fn read_byline(violations: &mut Violations, byline: &str) -> Option<String> {
    parse::optional_text(violations, "byline", byline, 200)
}

/// Where a message belongs, as the contract writes it.
pub fn write_heading(heading: &Heading) -> wire::MessageHeading {
    wire::MessageHeading {
        channel: heading.channel.to_string(),
        thread: write_optional(heading.thread.as_ref()),
        organization: heading.organization.to_string(),
        written_time: heading.written_at.map(timestamp),
    }
}

/// A message as the contract writes it.
pub fn write(message: &Message) -> wire::Message {
    let (initiative, space) = write_space(&message.space);
    wire::Message {
        reference: message.reference.to_string(),
        initiative,
        space,
        heading: Some(write_heading(&message.heading)),
        body: message.body.clone(),
        byline: message.byline.clone(),
        state: message.state.number(),
        void_reason: message.void_reason.clone(),
        create_time: Some(timestamp(message.stamp.created_at)),
        edit_time: message.edited_at.map(timestamp),
        update_time: Some(timestamp(message.stamp.updated_at)),
        etag: etag(message.stamp.version),
    }
}

/// A message as it stands in its channel, which may make it void.
pub fn write_in(message: &Message, void: Option<String>) -> wire::Message {
    match void {
        None => write(message),
        Some(void_reason) => wire::Message { state: State::Void.number(), void_reason, ..write(message) },
    }
}

/// A message without what it says.
pub fn write_outline(message: &Message) -> wire::Message {
    wire::Message { body: String::new(), byline: String::new(), ..write(message) }
}
