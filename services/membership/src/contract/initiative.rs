//! Initiatives on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::membership as message;

use crate::domain::initiative::Revision;
use crate::domain::{Initiative, InitiativeProfile, InitiativeState};

/// What of an initiative may change.
pub const MAY_CHANGE: &[&str] = &["display_name", "purpose", "region", "state"];

const NAME_LENGTH: usize = 200;
const PURPOSE_LENGTH: usize = 4000;
const REGION_LENGTH: usize = 200;

/// Reads an initiative that begins: forming, unless it says otherwise.
pub fn read_new(violations: &mut Violations, message: Option<&message::Initiative>) -> Option<InitiativeProfile> {
    let message = parse::message(violations, "initiative", message)?;
    let unsaid = message::Initiative { state: InitiativeState::Forming.number(), ..message.clone() };
    let message = if message.state == 0 { &unsaid } else { message };
    let profile = read_profile(violations, Some(message));
    if message.state == InitiativeState::Closed.number() {
        violations.add("initiative.state", "an initiative begins forming or active");
    }
    profile
}

/// Reads the whole of what an initiative says of itself.
pub fn read_profile(violations: &mut Violations, message: Option<&message::Initiative>) -> Option<InitiativeProfile> {
    let message = parse::message(violations, "initiative", message)?;
    let Revision { display_name, purpose, region, state } = read(violations, message, |_| true);
    Some(InitiativeProfile { display_name: display_name?, purpose: purpose?, region: region?, state: state? })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_revision(violations: &mut Violations, message: &message::Initiative, mask: &Mask) -> Revision {
    read(violations, message, |field| mask.has(field))
}

fn read(violations: &mut Violations, message: &message::Initiative, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name = parse::text(violations, "initiative.display_name", &message.display_name, NAME_LENGTH);
    }
    if take("purpose") {
        revision.purpose = parse::prose(violations, "initiative.purpose", &message.purpose, PURPOSE_LENGTH);
    }
    if take("region") {
        revision.region = parse::optional_text(violations, "initiative.region", &message.region, REGION_LENGTH);
    }
    if take("state") {
        revision.state = parse::choice(violations, "initiative.state", message.state);
    }
    revision
}

/// An initiative as the contract writes it.
pub fn write(initiative: &Initiative) -> message::Initiative {
    message::Initiative {
        create_time: Some(timestamp(initiative.stamp.created_at)),
        update_time: Some(timestamp(initiative.stamp.updated_at)),
        etag: etag(initiative.stamp.version),
        ..write_profile(&initiative.reference, &initiative.profile)
    }
}

/// What an initiative says of itself, without times and etag.
pub fn write_profile(reference: &Reference, profile: &InitiativeProfile) -> message::Initiative {
    message::Initiative {
        reference: reference.to_string(),
        display_name: profile.display_name.clone(),
        purpose: profile.purpose.clone(),
        region: profile.region.clone(),
        state: profile.state.number(),
        backbone_node: reference.node.to_string(),
        ..message::Initiative::default()
    }
}
