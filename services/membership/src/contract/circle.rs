//! Circles on the wire.

use std::collections::BTreeSet;

use chassis::circles::MOST_NODES;
use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::{NodeId, Reference, Within};
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::membership as message;

use crate::domain::circle::Revision;
use crate::domain::{Circle, CircleProfile, CircleState};

/// What of a circle may change.
pub const MAY_CHANGE: &[&str] = &["display_name", "purpose", "nodes"];

const NAME_LENGTH: usize = 200;
const PURPOSE_LENGTH: usize = 4000;

/// Reads the whole of what a circle is.
pub fn read_profile(violations: &mut Violations, message: Option<&message::Circle>) -> Option<CircleProfile> {
    let message = parse::message(violations, "circle", message)?;
    let Revision { display_name, purpose, nodes } = read(violations, message, |_| true);
    Some(CircleProfile { display_name: display_name?, purpose: purpose?, nodes: nodes? })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_revision(violations: &mut Violations, message: &message::Circle, mask: &Mask) -> Revision {
    read(violations, message, |field| mask.has(field))
}

fn read(violations: &mut Violations, message: &message::Circle, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name = parse::text(violations, "circle.display_name", &message.display_name, NAME_LENGTH);
    }
    if take("purpose") {
        revision.purpose = parse::prose(violations, "circle.purpose", &message.purpose, PURPOSE_LENGTH);
    }
    if take("nodes") {
        revision.nodes = nodes(violations, &message.nodes);
    }
    revision
}

fn nodes(violations: &mut Violations, texts: &[String]) -> Option<Vec<NodeId>> {
    if !(1..=MOST_NODES).contains(&texts.len()) {
        violations.add("circle.nodes", format!("are {}, must be 1 to {MOST_NODES}", texts.len()));
        return None;
    }
    let mut nodes = BTreeSet::new();
    for (nth, text) in texts.iter().enumerate() {
        let field = format!("circle.nodes[{nth}]");
        let Some(node) = parse::node(violations, &field, text) else { continue };
        if !nodes.insert(node) {
            violations.add(field, "stands in the list already");
        }
    }
    Some(nodes.into_iter().collect())
}

/// A circle as the contract writes it.
pub fn write(circle: &Circle) -> message::Circle {
    message::Circle {
        state: circle.state.number(),
        reason: circle.reason.clone(),
        create_time: Some(timestamp(circle.stamp.created_at)),
        update_time: Some(timestamp(circle.stamp.updated_at)),
        etag: etag(circle.stamp.version),
        ..write_profile(&circle.reference, &circle.initiative, &circle.profile)
    }
}

/// What a circle is, without times and etag.
pub fn write_profile(reference: &Reference, initiative: &Reference, profile: &CircleProfile) -> message::Circle {
    message::Circle {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        space: Within::Circle(reference.clone()).to_string(),
        display_name: profile.display_name.clone(),
        purpose: profile.purpose.clone(),
        nodes: profile.nodes.iter().map(ToString::to_string).collect(),
        state: CircleState::Formed.number(),
        ..message::Circle::default()
    }
}
