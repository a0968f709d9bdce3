//! Activities: what is done, and what may become of it.

use chassis::names::{Reference, Space};
use serde::{Deserialize, Serialize};
use time::Date;

use super::kept::spoken;
use super::{Content, Kept, Refusal};

chassis::words! {
    /// How far an activity has come.
    pub enum State {
        /// It has not begun.
        Planned = 1,
        /// It goes on.
        UnderWay = 2,
        /// It was carried through.
        Completed = 3,
        /// It was given up.
        Cancelled = 4,
        /// It breaks a rule of this room.
        Void = 5,
    }
}

spoken! { State { Planned: "planned", UnderWay: "under way", Completed: "completed", Cancelled: "cancelled", Void: "void", } }

/// A place; level and code are what makes two places the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Kind of place.
    pub level: String,
    /// Its code, as its source writes it.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// What an activity is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who leads it.
    pub lead: Reference,
    /// In plain language.
    pub title: String,
    /// What is done and for whom.
    pub description: String,
    /// What it serves, if it serves any yet.
    pub strategy: Option<Reference>,
    /// By what its effect is read.
    pub measures: Vec<Reference>,
    /// Who supports it.
    pub supporting: Vec<Reference>,
    /// Who funds it.
    pub funding: Vec<Reference>,
    /// Where it takes place.
    pub places: Vec<Place>,
    /// First day, where known.
    pub starts: Option<Date>,
    /// Last day, where known.
    pub ends: Option<Date>,
    /// Its name in another system; empty for none.
    pub external_id: String,
}

/// One activity.
pub type Activity = Kept<Definition, State>;

/// What may become of an activity.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It is something else now.
    Revised(Box<Definition>),
    /// It began.
    Begun,
    /// It was carried through.
    Completed,
    /// It was given up, and why.
    Cancelled(String),
}

impl Content for Definition {
    const WHAT: &'static str = "the activity";

    fn organization(&self) -> &Reference {
        &self.lead
    }

    fn names(&self) -> Vec<&Reference> {
        let several = [&self.measures, &self.supporting, &self.funding];
        let mut names: Vec<&Reference> =
            several.into_iter().flatten().chain(&self.strategy).chain([&self.lead]).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Activity {
    /// Takes a step.
    ///
    /// # Errors
    /// Where it does not fit the state, or would change what never changes; nothing is changed then.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        match (self.state, step) {
            (State::Planned | State::UnderWay | State::Completed, Step::Revised(definition)) => {
                self.revise(*definition)?
            }
            (State::Planned, Step::Begun) => self.state = State::UnderWay,
            (State::UnderWay, Step::Completed) => self.state = State::Completed,
            (State::Planned | State::UnderWay, Step::Cancelled(reason)) => self.ends(State::Cancelled, reason),
            _ => return Err(self.not_now()),
        }
        Ok(())
    }

    fn revise(&mut self, definition: Definition) -> Result<(), Refusal> {
        if definition.lead != self.content.lead {
            return Err(Refusal::Fixed("who leads an activity"));
        }
        if definition.external_id != self.content.external_id {
            return Err(Refusal::Fixed("the name of an activity in another system"));
        }
        self.content = definition;
        Ok(())
    }

    /// Refuses to let anything be added to an activity that has ended, or is another initiative's.
    ///
    /// # Errors
    /// Where it has, or is.
    pub fn takes(&self, space: &Space) -> Result<(), Refusal> {
        match self.state {
            _ if self.space != *space => Err(Refusal::OtherInitiative { what: Definition::WHAT }),
            State::Planned | State::UnderWay | State::Completed => Ok(()),
            State::Cancelled | State::Void => {
                Err(Refusal::Ended { what: Definition::WHAT, state: self.state.to_string() })
            }
        }
    }
}
