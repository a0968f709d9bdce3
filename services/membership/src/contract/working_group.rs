//! Working groups on the wire.

use std::collections::BTreeSet;

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::membership as message;

use crate::domain::working_group::Revision;
use crate::domain::{WorkingGroup, WorkingGroupProfile, WorkingGroupState};

/// What of a working group may change.
pub const MAY_CHANGE: &[&str] = &["display_name", "charge", "chair", "organizations"];

const NAME_LENGTH: usize = 200;
const CHARGE_LENGTH: usize = 4000;
const ORGANIZATIONS: usize = 200;

/// Reads the whole of what a working group is.
pub fn read_profile(
    violations: &mut Violations,
    message: Option<&message::WorkingGroup>,
) -> Option<WorkingGroupProfile> {
    let message = parse::message(violations, "working_group", message)?;
    let Revision { display_name, charge, chair, organizations } = read(violations, message, |_| true);
    let profile = WorkingGroupProfile {
        display_name: display_name?,
        charge: charge?,
        chair: chair?,
        organizations: organizations?,
    };
    Some(profile)
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_revision(violations: &mut Violations, message: &message::WorkingGroup, mask: &Mask) -> Revision {
    read(violations, message, |field| mask.has(field))
}

fn read(violations: &mut Violations, message: &message::WorkingGroup, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name =
            parse::text(violations, "working_group.display_name", &message.display_name, NAME_LENGTH);
    }
    if take("charge") {
        revision.charge = parse::prose(violations, "working_group.charge", &message.charge, CHARGE_LENGTH);
    }
    if take("chair") {
        revision.chair = parse::reference(violations, "working_group.chair", &message.chair);
    }
    if take("organizations") {
        revision.organizations = organizations(violations, &message.organizations);
    }
    revision
}

fn organizations(violations: &mut Violations, texts: &[String]) -> Option<Vec<Reference>> {
    let field = "working_group.organizations";
    if !(1..=ORGANIZATIONS).contains(&texts.len()) {
        violations.add(field, format!("are {}, must be 1 to {ORGANIZATIONS}", texts.len()));
        return None;
    }
    let mut organizations = BTreeSet::new();
    for (nth, text) in texts.iter().enumerate() {
        let field = format!("{field}[{nth}]");
        let Some(organization) = parse::reference(violations, &field, text) else { continue };
        if !organizations.insert(organization) {
            violations.add(field, "stands in the list already");
        }
    }
    Some(organizations.into_iter().collect())
}

/// A working group as the contract writes it.
pub fn write(group: &WorkingGroup) -> message::WorkingGroup {
    message::WorkingGroup {
        state: group.state.number(),
        reason: group.reason.clone(),
        create_time: Some(timestamp(group.stamp.created_at)),
        update_time: Some(timestamp(group.stamp.updated_at)),
        etag: etag(group.stamp.version),
        ..write_profile(&group.reference, &group.initiative, &group.profile)
    }
}

/// What a working group is, without times and etag.
pub fn write_profile(
    reference: &Reference,
    initiative: &Reference,
    profile: &WorkingGroupProfile,
) -> message::WorkingGroup {
    message::WorkingGroup {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        display_name: profile.display_name.clone(),
        charge: profile.charge.clone(),
        chair: profile.chair.to_string(),
        organizations: profile.organizations.iter().map(ToString::to_string).collect(),
        state: WorkingGroupState::Formed.number(),
        ..message::WorkingGroup::default()
    }
}
