//! Refusals: why the rules say no.

use chassis::names::{NodeId, Reference};
use rust_decimal::Decimal;

/// Why the rules say no, in words that a volunteer understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A resource that lives elsewhere: only its home writes it.
    #[error("{what} lives on node {home}: only there can it be changed")]
    LivesElsewhere {
        /// "the activity", "the pledge" and so on.
        what: &'static str,
        /// Its home.
        home: NodeId,
    },
    /// An organization that lives elsewhere: what is its own is written there.
    #[error("organization {organization} lives on node {}: what is its own is written there", .organization.node)]
    OrganizationElsewhere {
        /// The organization.
        organization: Reference,
    },
    /// A step that does not fit the state.
    #[error("{what} is {state}: this can no longer, or not yet, be done")]
    NotNow {
        /// "the activity", "the pledge" and so on.
        what: &'static str,
        /// Its state in words.
        state: String,
    },
    /// What it is to belong to is known here and has ended.
    #[error("{what} is {state}: nothing more can be added to it")]
    Ended {
        /// "the activity" or "the need".
        what: &'static str,
        /// Its state in words.
        state: String,
    },
    /// What it is to belong to is known here and belongs to another initiative.
    #[error("{what} belongs to another initiative")]
    OtherInitiative {
        /// "the activity" or "the need".
        what: &'static str,
    },
    /// Something that never changes would.
    #[error("{0} never changes")]
    Fixed(&'static str),
    /// No such disbursement.
    #[error("the award has no disbursement number {0}")]
    NoSuchDisbursement(u32),
    /// A disbursement that took place stays as it is.
    #[error("disbursement number {0} was paid: what was paid stays recorded")]
    PaidAlready(u32),
    /// More would be paid than was awarded.
    #[error("{paid} would be paid in all, and only {awarded} was awarded")]
    Overpaid {
        /// All that would be paid together.
        paid: Decimal,
        /// The award.
        awarded: Decimal,
    },
    /// More parts than an award can have.
    #[error("an award has at most {0} disbursements")]
    TooManyDisbursements(usize),
    /// Means that cannot be added up in 28 digits.
    #[error("the total has more than 28 digits")]
    TooLarge,
    /// More cells than an answer can hold.
    #[error("the answer would have {cells} cells, at most {most} are allowed: ask for fewer strategies or places")]
    TooManyCells {
        /// How many it would have.
        cells: usize,
        /// How many it may have.
        most: usize,
    },
}
