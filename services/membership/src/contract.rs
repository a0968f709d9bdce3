//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod circle;
pub mod initiative;
pub mod join_request;
pub mod membership;
pub mod node;
pub mod organization;
pub mod posting;
pub mod working_group;

use chassis::errors::Violations;
use chassis::names::Reference;
use chassis::parse;

const REASON_LENGTH: usize = 1000;

/// Reads why something was decided: words for a person.
pub fn read_reason(violations: &mut Violations, reason: &str) -> Option<String> {
    parse::text(violations, "reason", reason, REASON_LENGTH)
}

/// A reference that may be absent; the contract writes absence as empty text.
fn written(reference: Option<&Reference>) -> String {
    reference.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
