//! Pledges: money and goods that an organization promises towards a need.

use chassis::names::Reference;
use serde::{Deserialize, Serialize};

use super::kept::spoken;
use super::{Content, Kept, Means, Refusal};

chassis::words! {
    /// How a pledge stands.
    pub enum State {
        /// It stands.
        Open = 1,
        /// What was pledged was handed over.
        Kept = 2,
        /// It was taken back.
        Withdrawn = 3,
        /// It breaks a rule of this room.
        Void = 4,
    }
}

spoken! { State { Open: "open", Kept: "kept", Withdrawn: "withdrawn", Void: "void", } }

/// What is pledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who pledges.
    pub organization: Reference,
    /// Towards which need.
    pub need: Reference,
    /// How much of what.
    pub means: Means,
    /// On what terms; empty for none.
    pub note: String,
}

/// One pledge.
pub type Pledge = Kept<Definition, State>;

/// What may become of a pledge.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// What was pledged was handed over.
    Kept,
    /// It was taken back, and why.
    Withdrawn(String),
}

impl Content for Definition {
    const WHAT: &'static str = "the pledge";

    fn organization(&self) -> &Reference {
        &self.organization
    }

    fn names(&self) -> Vec<&Reference> {
        vec![&self.organization, &self.need]
    }
}

impl Pledge {
    /// Takes a step.
    ///
    /// # Errors
    /// Where it no longer stands; nothing is changed then.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        match (self.state, step) {
            (State::Open, Step::Kept) => self.state = State::Kept,
            (State::Open, Step::Withdrawn(reason)) => self.ends(State::Withdrawn, reason),
            _ => return Err(self.not_now()),
        }
        Ok(())
    }
}
