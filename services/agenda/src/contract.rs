//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod agenda;
pub mod endorsement;
pub mod position;
pub mod proposal;
pub mod tally;
pub mod tree;

use chassis::errors::Violations;
use chassis::names::{Reference, Space};
use chassis::parse;

/// Reads references, at most so many and each once; their fields are named `field[n]`.
pub fn read_references(
    violations: &mut Violations,
    field: &str,
    texts: &[String],
    most: usize,
) -> Option<Vec<Reference>> {
    if texts.len() > most {
        violations.add(field, format!("are {}, at most {most} are allowed", texts.len()));
        return None;
    }
    let mut references = Vec::new();
    for (nth, text) in texts.iter().enumerate() {
        let field = format!("{field}[{nth}]");
        let Some(reference) = parse::reference(violations, &field, text) else { continue };
        if references.contains(&reference) {
            violations.add(field, "is there twice");
        }
        references.push(reference);
    }
    (references.len() == texts.len()).then_some(references)
}

/// The initiative of a space as the contract writes it.
pub fn write_initiative(space: &Space) -> String {
    space.initiative().map(ToString::to_string).unwrap_or_default()
}

/// A place in the members' order as the contract writes it: 0 while pending.
pub fn write_position(position: Option<i64>) -> u64 {
    position.and_then(|position| u64::try_from(position).ok()).unwrap_or(0)
}
