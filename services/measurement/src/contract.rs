//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod measure;
pub mod observation;
pub mod reading;
pub mod submission;

use chassis::errors::Violations;

use crate::domain::Flaw;

/// How many flaws an answer names; more than these would not fit into the trailers of a call.
const NAMED: usize = 20;

/// Notes flaws as violations: the first ones by name, the others by number.
pub fn note(violations: &mut Violations, flaws: Vec<Flaw>) {
    let more = flaws.len().saturating_sub(NAMED);
    let last = flaws.get(NAMED).map(|flaw| flaw.field.clone());
    for flaw in flaws.into_iter().take(NAMED) {
        violations.add(flaw.field, flaw.words);
    }
    if let Some(field) = last {
        violations.add(field, format!("and {more} more from here on"));
    }
}
