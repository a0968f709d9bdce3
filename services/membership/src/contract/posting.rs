//! Postings on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::membership as message;

use crate::domain::posting::Revision;
use crate::domain::{Posting, PostingProfile, PostingState};

/// What of a posting may change.
pub const MAY_CHANGE: &[&str] = &["kind", "description", "quantity", "open_until"];

const DESCRIPTION_LENGTH: usize = 4000;
const QUANTITY_LENGTH: usize = 200;

/// Reads the whole of what a posting says.
pub fn read_profile(violations: &mut Violations, message: Option<&message::Posting>) -> Option<PostingProfile> {
    let message = parse::message(violations, "posting", message)?;
    let organization = parse::reference(violations, "posting.organization", &message.organization);
    let direction = parse::choice(violations, "posting.direction", message.direction);
    let Revision { kind, description, quantity, open_until } = read(violations, message, |_| true);
    Some(PostingProfile {
        organization: organization?,
        direction: direction?,
        kind: kind?,
        description: description?,
        quantity: quantity?,
        open_until: open_until?,
    })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_revision(violations: &mut Violations, message: &message::Posting, mask: &Mask) -> Revision {
    read(violations, message, |field| mask.has(field))
}

fn read(violations: &mut Violations, message: &message::Posting, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("kind") {
        revision.kind = parse::choice(violations, "posting.kind", message.kind);
    }
    if take("description") {
        revision.description = description(violations, &message.description);
    }
    if take("quantity") {
        revision.quantity = parse::optional_text(violations, "posting.quantity", &message.quantity, QUANTITY_LENGTH);
    }
    if take("open_until") {
        let until = message.open_until.as_ref();
        revision.open_until = Some(parse::optional_instant(violations, "posting.open_until", until));
    }
    revision
}

fn description(violations: &mut Violations, text: &str) -> Option<String> {
    let text = parse::required(violations, "posting.description", text)?;
    parse::prose(violations, "posting.description", text, DESCRIPTION_LENGTH)
}

/// A posting as the contract writes it.
pub fn write(posting: &Posting) -> message::Posting {
    message::Posting {
        state: posting.state.number(),
        reason: posting.reason.clone(),
        create_time: Some(timestamp(posting.stamp.created_at)),
        update_time: Some(timestamp(posting.stamp.updated_at)),
        etag: etag(posting.stamp.version),
        ..write_profile(&posting.reference, &posting.initiative, &posting.profile)
    }
}

/// What a posting says, without times and etag.
pub fn write_profile(reference: &Reference, initiative: &Reference, profile: &PostingProfile) -> message::Posting {
    message::Posting {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        organization: profile.organization.to_string(),
        direction: profile.direction.number(),
        kind: profile.kind.number(),
        description: profile.description.clone(),
        quantity: profile.quantity.clone(),
        open_until: profile.open_until.map(timestamp),
        state: PostingState::Open.number(),
        ..message::Posting::default()
    }
}
