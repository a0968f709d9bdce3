//! Needs: money and goods that an organization asks for.

use chassis::names::{Reference, Space};
use serde::{Deserialize, Serialize};
use time::Date;

use super::kept::spoken;
use super::means::named;
use super::{Content, Kept, Means, Refusal};

chassis::words! {
    /// Whether a need still stands.
    pub enum State {
        /// It does.
        Open = 1,
        /// It does not.
        Closed = 2,
        /// It breaks a rule of this room.
        Void = 3,
    }
}

spoken! { State { Open: "open", Closed: "closed", Void: "void", } }

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who asks.
    pub organization: Reference,
    /// For which activity, if for one.
    pub activity: Option<Reference>,
    /// How much of what.
    pub means: Means,
    /// What for.
    pub purpose: String,
    /// The last day on which it is of use, if there is one.
    pub needed_by: Option<Date>,
}

/// One need.
pub type Need = Kept<Definition, State>;

/// What may become of a need.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It no longer stands, and why.
    Closed(String),
}

impl Content for Definition {
    const WHAT: &'static str = "the need";

    fn organization(&self) -> &Reference {
        &self.organization
    }

    fn names(&self) -> Vec<&Reference> {
        named(&self.organization, &[&self.activity])
    }
}

impl Need {
    /// Takes a step.
    ///
    /// # Errors
    /// Where it no longer stands; nothing is changed then.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        match (self.state, step) {
            (State::Open, Step::Closed(reason)) => self.ends(State::Closed, reason),
            _ => return Err(self.not_now()),
        }
        Ok(())
    }

    /// Refuses to let anything be added to a need that no longer stands, or is another initiative's.
    ///
    /// # Errors
    /// Where it does not, or is.
    pub fn takes(&self, space: &Space) -> Result<(), Refusal> {
        match self.state {
            _ if self.space != *space => Err(Refusal::OtherInitiative { what: Definition::WHAT }),
            State::Open => Ok(()),
            State::Closed | State::Void => {
                Err(Refusal::Ended { what: Definition::WHAT, state: self.state.to_string() })
            }
        }
    }
}
