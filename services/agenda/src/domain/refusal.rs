//! Refusals: why the rules say no.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference};
use time::OffsetDateTime;

/// Why the rules say no, in words that a volunteer understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fields that do not fit the agenda.
    #[error("{} of the fields do not fit", .0.len())]
    Flawed(Vec<Flaw>),
    /// A draft with parts missing.
    #[error("the draft cannot be published yet: {}", listed(.0))]
    Incomplete(Vec<Flaw>),
    /// A draft that is as the version in force.
    #[error("the draft is the same as the version in force: there is nothing to publish")]
    NothingNew,
    /// A resource that lives elsewhere: only its home writes it.
    #[error("{what} lives on node {home}: only there can it be changed")]
    LivesElsewhere {
        /// "the agenda" and so on.
        what: &'static str,
        /// Its home.
        home: NodeId,
    },
    /// An organization that lives elsewhere: it speaks there.
    #[error("organization {organization} lives on node {}: it speaks there", .organization.node)]
    SpeaksElsewhere {
        /// The organization.
        organization: Reference,
    },
    /// A version that is no longer in force.
    #[error("version {number} was superseded: look at the newest one")]
    Superseded {
        /// Its number.
        number: u32,
    },
    /// One endorsement of an organization for a version is enough.
    #[error("the organization has endorsed this version already")]
    AlreadyEndorsed,
    /// Only what holds can be taken back.
    #[error("{0} does not hold: there is nothing to take back")]
    NothingToWithdraw(&'static str),
    /// A close that has passed already.
    #[error("the proposal would close at once: set the closing time into the future")]
    ClosesAtOnce,
    /// A proposal that has ended.
    #[error("the proposal is {0}: only an open one can go on")]
    NotOpen(&'static str),
    /// A proposal that takes no more positions.
    #[error("the proposal closed at {at}: what is said now does not count")]
    Closed {
        /// When.
        at: OffsetDateTime,
    },
    /// A proposal that the backbone has not accepted.
    #[error("the backbone has not accepted the proposal yet: try again in a moment")]
    NotAccepted,
    /// More revisions than anybody can follow.
    #[error("the proposal has been amended too often: withdraw it and make another")]
    AmendedTooOften,
    /// A position on another revision than the newest.
    #[error("the position is on revision {said}, the newest is {newest}: look at what changed")]
    OtherRevision {
        /// The one it is on.
        said: u32,
        /// The newest.
        newest: u32,
    },
    /// A decision before the close.
    #[error("the proposal is open until {at}, and {outstanding} of those who may take a position have not")]
    TooEarly {
        /// When it closes.
        at: OffsetDateTime,
        /// How many have none.
        outstanding: usize,
    },
}

fn listed(flaws: &[Flaw]) -> String {
    let words: Vec<String> = flaws.iter().take(5).map(|flaw| format!("{} {}", flaw.field, flaw.words)).collect();
    words.join("; ")
}
