//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod channel;
pub mod cursor;
pub mod meeting;
pub mod message;
pub mod practice_card;

use chassis::errors::Violations;
use chassis::names::{Reference, Space, Within};

/// Reads in which space within an initiative something is said: the members', unless another is named. Not the public
/// one: what everyone may hold is said in practice cards.
pub fn read_space(violations: &mut Violations, initiative: &Reference, text: &str) -> Option<Space> {
    let within = if text.is_empty() { "members" } else { text };
    match Space::within(&initiative.to_string(), within) {
        Ok(space) if !matches!(space, Space::Of(_, Within::Public)) => Some(space),
        _ => {
            violations.add("space", "must be \"members\", \"backbone/<node>\" or \"circle/<reference>\"");
            None
        }
    }
}

/// A space as the contract writes it: the initiative, and the space within it.
pub fn write_space(space: &Space) -> (String, String) {
    match space {
        Space::Local => (String::new(), String::new()),
        Space::Of(initiative, within) => (initiative.to_string(), within.to_string()),
    }
}

/// A reference that may be absent, as the contract writes it.
pub fn write_optional(reference: Option<&Reference>) -> String {
    reference.map(ToString::to_string).unwrap_or_default()
}
