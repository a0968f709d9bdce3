//! Refusals: why the rules say no.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference};

use super::State;

/// Why the rules say no, in words that a volunteer understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fields that do not fit one another or the measure.
    #[error("{} of the fields do not fit", .0.len())]
    Flawed(Vec<Flaw>),
    /// The code belongs to another active measure of the same home and initiative.
    #[error("there is an active measure with the code {0} already")]
    CodeTaken(String),
    /// A resource that lives elsewhere: only its home writes it.
    #[error("{what} lives on node {home}: only there can it be changed")]
    LivesElsewhere {
        /// "the measure" or "the submission".
        what: &'static str,
        /// Its home.
        home: NodeId,
    },
    /// An organization that lives elsewhere: its figures are submitted there.
    #[error("organization {organization} lives on node {}: its figures are submitted there", .organization.node)]
    ReporterElsewhere {
        /// The organization.
        organization: Reference,
    },
    /// A retired measure.
    #[error("the measure {code} was retired ({reason}): it takes no more submissions")]
    MeasureRetired {
        /// Its code.
        code: String,
        /// Why it was retired.
        reason: String,
    },
    /// A dimension, or codes of it, would vanish.
    #[error(
        "the dimension {0} or some of its codes would vanish, and values may stand under them: add, never take away"
    )]
    CodesGone(String),
    /// Only an open submission takes observations and a seal.
    #[error("the submission is {0}: only an open one can go on")]
    NotOpen(State),
    /// Only an open or sealed submission can be taken back.
    #[error("the submission is {0}: there is nothing to take back")]
    NothingToWithdraw(State),
    /// A submission without observations.
    #[error("the submission has no observations: record some before sealing it")]
    Empty,
    /// The caller counted otherwise.
    #[error(
        "you say {said} observations, {here} are recorded here: look at what is missing, or withdraw and start again"
    )]
    CountDiffers {
        /// What the caller says.
        said: u64,
        /// What is recorded.
        here: u64,
    },
    /// The caller has recorded something else.
    #[error("the digest is not that of the {here} observations recorded here: withdraw the submission and start again")]
    DigestDiffers {
        /// How many are recorded.
        here: u64,
    },
    /// Cells that this submission recorded already.
    #[error("{cells} of the observations are about cells that this submission has recorded already")]
    RecordedAlready {
        /// How many.
        cells: u64,
    },
    /// Values change, and nobody says why.
    #[error("{cells} of the values were reported before and would be replaced: give a revision_reason that says why")]
    RevisionWithoutReason {
        /// How many.
        cells: u64,
    },
    /// The measure's rule is never to make several values one.
    #[error("the measure {0} is not one whose values are added up: read it as a series")]
    NotAddedUp(String),
    /// More groups than an answer can hold.
    #[error("the answer would have more than {0} groups: ask for fewer periods or dimensions")]
    TooManyGroups(usize),
    /// A total that does not fit into 28 digits.
    #[error("the total has more than 28 digits")]
    TooLarge,
}
