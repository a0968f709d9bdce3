//! Submissions: batches of observations that count as a whole or not at all.

use chassis::revision::Stamp;
use std::fmt;

use chassis::names::{NodeId, Reference, Space};
use time::OffsetDateTime;

use super::observation::{self, Observation};
use super::{Fact, Measure, Refusal, measure};

chassis::words! {
    /// Whether values are parts to be added up, or a published total.
    pub enum Basis {
        /// One reporter's part of the whole.
        Component = 1,
        /// A total as somebody published it.
        PublishedTotal = 2,
    }
}

chassis::words! {
    /// How far a submission has come.
    pub enum State {
        /// Being recorded.
        Open = 1,
        /// Complete: it counts.
        Sealed = 2,
        /// Not what it should be: it never counts.
        Void = 3,
        /// Taken back.
        Withdrawn = 4,
    }
}

/// What a submission says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The measure.
    pub measure: Reference,
    /// Who reports.
    pub organization: Reference,
    /// Parts or a published total.
    pub basis: Basis,
    /// Where the figures come from.
    pub source: String,
}

/// A submission as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// What it says of itself.
    pub heading: Heading,
    /// How far it has come.
    pub state: State,
    /// Why it is void or was withdrawn; else empty.
    pub state_reason: String,
    /// How many observations are recorded.
    pub count: u64,
    /// Their digest.
    pub digest: [u8; 32],
    /// Why it changes values reported before; empty where it changes none.
    pub revision_reason: String,
    /// When it was sealed.
    pub sealed_at: Option<OffsetDateTime>,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What a caller says of a submission that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// How many observations it should have.
    pub count: u64,
    /// Their digest.
    pub digest: [u8; 32],
    /// Why values reported before change; empty where none does.
    pub revision_reason: String,
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Void => "void",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// Decides whether a submission may be opened on this node.
///
/// # Errors
/// Where the organization lives elsewhere or the measure is retired.
pub fn open(node: &NodeId, measure: &Measure, heading: Heading) -> Result<Vec<Fact>, Refusal> {
    if let Some(organization) = reporter_elsewhere(node, &heading) {
        return Err(Refusal::ReporterElsewhere { organization });
    }
    measure::takes_submissions(measure)?;
    Ok(vec![Fact::SubmissionOpened(heading)])
}

/// The organization, if it does not live on the node where its submission was opened: what makes one void everywhere.
pub fn reporter_elsewhere(home: &NodeId, heading: &Heading) -> Option<Reference> {
    (heading.organization.node != *home).then(|| heading.organization.clone())
}

/// Decides whether observations may be added. `recorded_before` counts those about cells that the submission has
/// already.
///
/// # Errors
/// Where the submission is not open or lives elsewhere, or an observation does not fit.
pub fn record(
    node: &NodeId,
    submission: &Submission,
    measure: &Measure,
    observations: Vec<Observation>,
    recorded_before: u64,
) -> Result<Vec<Fact>, Refusal> {
    still_open(node, submission)?;
    fitting(measure, &observations)?;
    if recorded_before > 0 {
        return Err(Refusal::RecordedAlready { cells: recorded_before });
    }
    Ok(chunks(observations))
}

/// Decides whether a submission is complete. `replaced` counts its cells for which its reporter has sealed values before.
///
/// # Errors
/// Where it is not open, lives elsewhere, is empty, is not what the caller recorded, or changes values without a reason.
pub fn seal(node: &NodeId, submission: &Submission, seal: Seal, replaced: u64) -> Result<Vec<Fact>, Refusal> {
    still_open(node, submission)?;
    let here = submission.count;
    if here == 0 {
        return Err(Refusal::Empty);
    }
    if seal.count != here {
        return Err(Refusal::CountDiffers { said: seal.count, here });
    }
    if seal.digest != submission.digest {
        return Err(Refusal::DigestDiffers { here });
    }
    reasoned(&seal.revision_reason, replaced)?;
    let Seal { count, digest, revision_reason } = seal;
    Ok(vec![Fact::SubmissionSealed { count, digest, revision_reason }])
}

/// Decides on a submission that is opened, recorded and sealed in one go.
///
/// # Errors
/// As [`open`], [`record`] and [`seal`].
pub fn submit(
    node: &NodeId,
    measure: &Measure,
    heading: Heading,
    observations: Vec<Observation>,
    revision_reason: String,
    replaced: u64,
) -> Result<Vec<Fact>, Refusal> {
    let mut facts = open(node, measure, heading)?;
    if observations.is_empty() {
        return Err(Refusal::Empty);
    }
    fitting(measure, &observations)?;
    reasoned(&revision_reason, replaced)?;
    let count = observations.len() as u64;
    let digest = observation::digest_after(observation::NONE_YET, &observations);
    facts.extend(chunks(observations));
    facts.push(Fact::SubmissionSealed { count, digest, revision_reason });
    Ok(facts)
}

/// Decides whether a submission may be taken back.
///
/// # Errors
/// Where it lives elsewhere, or is void or withdrawn already.
pub fn withdraw(node: &NodeId, submission: &Submission, reason: String) -> Result<Vec<Fact>, Refusal> {
    lives_here(node, submission)?;
    match submission.state {
        State::Open | State::Sealed => Ok(vec![Fact::SubmissionWithdrawn { reason }]),
        state @ (State::Void | State::Withdrawn) => Err(Refusal::NothingToWithdraw(state)),
    }
}

fn lives_here(node: &NodeId, submission: &Submission) -> Result<(), Refusal> {
    if submission.reference.node == *node {
        return Ok(());
    }
    Err(Refusal::LivesElsewhere { what: "the submission", home: submission.reference.node.clone() })
}

fn still_open(node: &NodeId, submission: &Submission) -> Result<(), Refusal> {
    lives_here(node, submission)?;
    match submission.state {
        State::Open => Ok(()),
        state => Err(Refusal::NotOpen(state)),
    }
}

fn fitting(measure: &Measure, observations: &[Observation]) -> Result<(), Refusal> {
    let flaws = observation::flaws(&measure.definition, observations);
    if flaws.is_empty() { Ok(()) } else { Err(Refusal::Flawed(flaws)) }
}

fn reasoned(revision_reason: &str, replaced: u64) -> Result<(), Refusal> {
    if replaced > 0 && revision_reason.is_empty() {
        return Err(Refusal::RevisionWithoutReason { cells: replaced });
    }
    Ok(())
}

/// At most so many observations an event, whatever they weigh.
const CHUNK_LENGTH: usize = 1000;
/// At most so many bytes of observations an event, so that with its envelope it stays under 96 KiB.
const CHUNK_WEIGHT: usize = 88 * 1024;

/// Observations in bounded portions, in their order.
fn chunks(observations: Vec<Observation>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let (mut chunk, mut weight) = (Vec::new(), 0);
    for observation in observations {
        let more = observation.weight();
        if !chunk.is_empty() && (chunk.len() == CHUNK_LENGTH || weight + more > CHUNK_WEIGHT) {
            facts.push(Fact::ObservationsRecorded(std::mem::take(&mut chunk)));
            weight = 0;
        }
        weight += more;
        chunk.push(observation);
    }
    if !chunk.is_empty() {
        facts.push(Fact::ObservationsRecorded(chunk));
    }
    facts
}
