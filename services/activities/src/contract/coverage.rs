//! What is asked of the coverage matrix, and its cells, on the wire.

use chassis::errors::Violations;
use chassis::names::is_slug;
use proto::activities as message;

use super::activity::{read_places, write_place};
use super::{references, write_optional};
use crate::domain::coverage::{Placed, Question};

/// Strategies, and places, that one call may name.
const MOST: usize = 500;

/// Reads what the matrix is to show.
pub fn read_question(violations: &mut Violations, request: &message::GetCoverageRequest) -> Question {
    let strategies = references(violations, "strategies", &request.strategies, MOST);
    let places = read_places(violations, "places", &request.places, MOST);
    let level = request.place_level.clone();
    if !level.is_empty() && !is_slug(&level) {
        violations.add("place_level", "must be 1 to 64 of a-z, 0-9 and -, first a letter");
    }
    if !level.is_empty() && !request.places.is_empty() {
        violations.add("place_level", "must be empty where places are named");
    }
    Question { strategies, places, level }
}

/// A cell as the contract writes it.
pub fn write((strategy, place, cell): &Placed) -> message::CoverageCell {
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    message::CoverageCell {
        strategy: write_optional(strategy.as_ref()),
        place: place.as_ref().map(write_place),
        partners: small(cell.partners()),
        leading: small(cell.leading.len()),
        supporting: small(cell.supporting.len()),
        planned: cell.planned,
        under_way: cell.under_way,
        completed: cell.completed,
    }
}
