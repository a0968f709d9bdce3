//! The room's tables: SQL, and nothing decided here.

pub mod agenda;
pub mod ballot;
pub mod decision;
pub mod endorsement;
pub mod position;
pub mod proposal;
pub mod version;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ballot::Spot;

/// Where an event came to stand, as the log has it: both or neither.
fn spot(event: Uuid, position: Option<i64>, at: Option<OffsetDateTime>) -> Option<Spot> {
    Some(Spot { position: position?, at: at?, event })
}

/// A number of the contract as a column has it; what was read is never larger.
fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
