//! Words and rules of shared measurement: what may be defined, submitted and added up. Knows no database and no wire.

pub mod measure;
pub mod observation;
pub mod period;
mod refusal;
pub mod rollup;
pub mod submission;

pub use measure::{Aggregation, Definition, Dimension, DimensionCode, Measure};
pub use observation::{Absent, Breakdown, Geography, Observation, Part};
pub use period::Period;
pub use refusal::Refusal;
pub use submission::{Basis, Heading, State, Submission};

/// What was decided: a past fact about one measure or one submission.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A measure was defined.
    MeasureDefined(Definition),
    /// A measure's definition changed to this.
    MeasureRevised(Definition),
    /// A measure takes no more submissions.
    MeasureRetired {
        /// Why.
        reason: String,
    },
    /// A submission was opened.
    SubmissionOpened(Heading),
    /// Observations were added to it.
    ObservationsRecorded(Vec<Observation>),
    /// It is complete.
    SubmissionSealed {
        /// How many observations it has.
        count: u64,
        /// Their digest.
        digest: [u8; 32],
        /// Why it changes values reported before; empty where it changes none.
        revision_reason: String,
    },
    /// It was taken back.
    SubmissionWithdrawn {
        /// Why.
        reason: String,
    },
}
