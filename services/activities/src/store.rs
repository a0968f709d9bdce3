//! The room's tables: SQL, and nothing decided here.
//!
//! The five tables are alike, and so is what is asked of them: the macro writes the same free functions into a module
//! for each, checked against its own table.

pub mod coverage;
pub mod pledged;
mod rows;

use rows::rows;

rows!(activity: "activities.activities", crate::domain::activity::Definition, crate::domain::activity::State);
rows!(commitment: "activities.commitments", crate::domain::commitment::Promise, crate::domain::commitment::State);
rows!(need: "activities.needs", crate::domain::need::Definition, crate::domain::need::State);
rows!(pledge: "activities.pledges", crate::domain::pledge::Definition, crate::domain::pledge::State);
rows!(award: "activities.awards", crate::domain::award::Grant, crate::domain::award::State);

pub use rows::Filter;
