//! Proposals: a change of an agenda, with the rule by which it is decided.

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use time::OffsetDateTime;

use super::ballot::{Ballot, Spot, Standing};
use super::{Fact, Refusal, Tree, Version, agenda};

/// Revisions of a proposal at the most.
pub const MOST_REVISIONS: usize = 100;

chassis::words! {
    /// By what a proposal is decided.
    pub enum Method {
        /// Somebody agrees and no objection stands.
        Consent = 1,
        /// More agree than the threshold says.
        Majority = 2,
    }
}

/// How many of those who may take a position must have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// At least this share, in percent.
    Percent(u32),
    /// At least so many.
    Count(u32),
}

/// How a proposal is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// By consent or by majority.
    pub method: Method,
    /// With a majority: more than this share of those who agree or object must agree, in percent; else 0.
    pub threshold_percent: u32,
    /// How many must have a position.
    pub quorum: Quorum,
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it is about.
    pub title: String,
    /// Why.
    pub rationale: String,
    /// The change in words; may be empty where there is a tree.
    pub amendment: String,
    /// The whole agenda as it would be.
    pub tree: Option<Tree>,
    /// How it is decided.
    pub rule: Rule,
    /// Until when positions are taken.
    pub closes_at: OffsetDateTime,
}

/// One revision of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// From 1.
    pub number: u32,
    /// What is proposed.
    pub content: Content,
    /// Where it came to stand; `None` while pending.
    pub spot: Option<Spot>,
}

/// A proposal as its proposer told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// The version it is made against.
    pub version: Reference,
    /// Who proposes.
    pub organization: Reference,
    /// Why nobody can decide on it; empty where one can.
    pub void_reason: String,
    /// Why it was taken back; `None` where it was not.
    pub withdrawn: Option<String>,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Whether an organization speaks through this node.
///
/// # Errors
/// Where it lives elsewhere.
pub fn speaks_here(node: &NodeId, organization: &Reference) -> Result<(), Refusal> {
    if organization.node == *node {
        return Ok(());
    }
    Err(Refusal::SpeaksElsewhere { organization: organization.clone() })
}

/// Decides whether a proposal may be made against a version.
///
/// # Errors
/// Where the organization lives elsewhere, the version is superseded, or the proposal would be closed at once.
pub fn make(
    node: &NodeId,
    version: &Version,
    organization: Reference,
    content: Content,
    now: OffsetDateTime,
) -> Result<Vec<Fact>, Refusal> {
    speaks_here(node, &organization)?;
    agenda::in_force(version)?;
    open_for_a_while(&content, now)?;
    Ok(vec![Fact::ProposalMade { version: version.reference.clone(), organization, content }])
}

/// Decides whether a proposal may be amended.
///
/// # Errors
/// Where it lives elsewhere, is no longer open, has been amended too often, or would be closed at once.
pub fn amend(
    node: &NodeId,
    proposal: &Proposal,
    ballot: &Ballot,
    content: Content,
    now: OffsetDateTime,
) -> Result<Vec<Fact>, Refusal> {
    lives_here(node, proposal)?;
    open(ballot, now)?;
    if ballot.revisions.len() >= MOST_REVISIONS {
        return Err(Refusal::AmendedTooOften);
    }
    open_for_a_while(&content, now)?;
    if ballot.newest().is_some_and(|revision| revision.content == content) {
        return Ok(Vec::new());
    }
    Ok(vec![Fact::ProposalAmended(content)])
}

/// Decides whether a proposal may be taken back.
///
/// # Errors
/// Where it lives elsewhere, or is decided, withdrawn or void.
pub fn withdraw(node: &NodeId, proposal: &Proposal, ballot: &Ballot, reason: String) -> Result<Vec<Fact>, Refusal> {
    lives_here(node, proposal)?;
    undecided(ballot)?;
    Ok(vec![Fact::ProposalWithdrawn { reason }])
}

/// Whether positions may be taken now, as far as this node's clock can tell.
///
/// # Errors
/// Where it has closed, or is decided, withdrawn or void.
pub fn open(ballot: &Ballot, now: OffsetDateTime) -> Result<&Revision, Refusal> {
    undecided(ballot)?;
    match ballot.newest() {
        Some(revision) if revision.content.closes_at > now => Ok(revision),
        Some(revision) => Err(Refusal::Closed { at: revision.content.closes_at }),
        None => Err(Refusal::NotAccepted),
    }
}

/// Whether nothing has ended the proposal yet, pending words of this node's own included.
pub(super) fn undecided(ballot: &Ballot) -> Result<(), Refusal> {
    let course = ballot.course();
    let state = match course.standing {
        Standing::Open if ballot.withdrawn.is_some_and(|spot| spot.is_none()) => "withdrawn",
        Standing::Open if ballot.decided_pending() => "decided",
        Standing::Open => return Ok(()),
        Standing::Withdrawn => "withdrawn",
        Standing::Decided(_) => "decided",
        Standing::Void => "void",
    };
    Err(Refusal::NotOpen(state))
}

fn lives_here(node: &NodeId, proposal: &Proposal) -> Result<(), Refusal> {
    if proposal.reference.node == *node {
        return Ok(());
    }
    Err(Refusal::LivesElsewhere { what: "the proposal", home: proposal.reference.node.clone() })
}

fn open_for_a_while(content: &Content, now: OffsetDateTime) -> Result<(), Refusal> {
    if content.closes_at > now { Ok(()) } else { Err(Refusal::ClosesAtOnce) }
}
