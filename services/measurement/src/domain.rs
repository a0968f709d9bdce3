//! Words and rules of shared measurement: what may be defined, submitted and added up. Knows no database and no wire.

pub mod measure;
pub mod observation;
pub mod period;
mod refusal;
pub mod rollup;
pub mod submission;

use time::OffsetDateTime;

pub use measure::{Aggregation, Definition, Dimension, DimensionCode, Measure};
pub use observation::{Absent, Breakdown, Geography, Observation, Part};
pub use period::Period;
pub use refusal::Refusal;
pub use submission::{Basis, Heading, State, Submission};

/// Something wrong with one field of what was asked: its path, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Path of the field, such as `observations[3].numerator.amount`.
    pub field: String,
    /// What is wrong.
    pub words: String,
}

impl Flaw {
    /// What is wrong with a field.
    pub fn of(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self { field: field.into(), words: words.into() }
    }
}

/// How a resource came to be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// How many events made it so.
    pub version: i64,
    /// When the first was made.
    pub created_at: OffsetDateTime,
    /// When the last was made.
    pub updated_at: OffsetDateTime,
}

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

/// Whether a text is a short name for programs: 1 to 64 of a-z, 0-9 and -, first a letter.
pub fn is_slug(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && is_code(text)
}

/// Whether a text is a code: 1 to 64 of a-z, 0-9 and -.
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
