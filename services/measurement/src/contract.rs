//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod measure;
pub mod observation;
pub mod reading;
pub mod submission;

use chassis::errors::Violations;
use chassis::parse;

const REASON_LENGTH: usize = 1000;

/// Reads why something was decided: words for a person.
pub fn read_reason(violations: &mut Violations, reason: &str) -> Option<String> {
    parse::text(violations, "reason", reason, REASON_LENGTH)
}
