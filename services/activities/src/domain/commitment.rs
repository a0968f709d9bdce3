//! Commitments: what an organization has promised to an activity, and what became of it.

use chassis::names::Reference;
use serde::{Deserialize, Serialize};
use time::Date;

use super::kept::spoken;
use super::{Content, Kept, Refusal};

chassis::words! {
    /// How a commitment stands.
    pub enum State {
        /// It is still to be met.
        Open = 1,
        /// It was met.
        Met = 2,
        /// It was not, by the word of whoever made it.
        Missed = 3,
        /// It was taken back.
        Withdrawn = 4,
        /// It breaks a rule of this room.
        Void = 5,
    }
}

spoken! { State { Open: "open", Met: "met", Missed: "missed", Withdrawn: "withdrawn", Void: "void", } }

/// What is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who promises.
    pub organization: Reference,
    /// To which activity.
    pub activity: Reference,
    /// What.
    pub promise: String,
    /// The last day on which it can be met.
    pub due: Date,
}

/// What shows that a commitment was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// In words for a person.
    pub description: String,
    /// Where more is to be seen; empty for nowhere.
    pub link: String,
}

/// What is promised, and what shows that it was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// What is promised.
    pub definition: Definition,
    /// What shows that it was met; none before.
    pub evidence: Option<Evidence>,
}

/// One commitment.
pub type Commitment = Kept<Promise, State>;

/// What may become of a commitment.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It was met, and what shows it.
    Met(Evidence),
    /// It was not met, and why.
    Missed(String),
    /// It was taken back, and why.
    Withdrawn(String),
}

impl Content for Promise {
    const WHAT: &'static str = "the commitment";

    fn organization(&self) -> &Reference {
        &self.definition.organization
    }

    fn names(&self) -> Vec<&Reference> {
        vec![&self.definition.organization, &self.definition.activity]
    }
}

impl Promise {
    /// A promise that was just made.
    pub fn made(definition: Definition) -> Self {
        Self { definition, evidence: None }
    }
}

impl Commitment {
    /// Takes a step.
    ///
    /// # Errors
    /// Where it is no longer open; nothing is changed then.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        if self.state != State::Open {
            return Err(self.not_now());
        }
        match step {
            Step::Met(evidence) => {
                self.content.evidence = Some(evidence);
                self.state = State::Met;
            }
            Step::Missed(reason) => self.ends(State::Missed, reason),
            Step::Withdrawn(reason) => self.ends(State::Withdrawn, reason),
        }
        Ok(())
    }

    /// Whether it is open though its last day is over.
    pub fn overdue(&self, today: Date) -> bool {
        self.state == State::Open && self.content.definition.due < today
    }
}
