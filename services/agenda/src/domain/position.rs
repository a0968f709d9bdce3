//! Positions: what organizations think of a proposal.

use chassis::names::{NodeId, Reference};
use time::OffsetDateTime;

use super::ballot::{Ballot, Position};
use super::{Fact, Refusal, Tally, proposal};

chassis::words! {
    /// What an organization thinks of a proposal.
    pub enum Stance {
        /// It agrees.
        Agree = 1,
        /// It leaves it to the others.
        Abstain = 2,
        /// It objects, and says why.
        Object = 3,
    }
}

/// What a position says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The proposal.
    pub proposal: Reference,
    /// Number of the revision.
    pub revision: u32,
    /// Who thinks so.
    pub organization: Reference,
    /// Agrees, abstains or objects.
    pub stance: Stance,
    /// Why; may be empty unless it objects.
    pub reason: String,
}

/// Decides whether a position may be taken.
///
/// # Errors
/// Where the organization lives elsewhere, the proposal is no longer open, or there is a newer revision.
pub fn take(node: &NodeId, ballot: &Ballot, opinion: Opinion, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
    proposal::speaks_here(node, &opinion.organization)?;
    let newest = proposal::open(ballot, now)?.number;
    if opinion.revision != newest {
        return Err(Refusal::OtherRevision { said: opinion.revision, newest });
    }
    Ok(vec![Fact::PositionTaken(opinion)])
}

/// Decides whether a position may be taken back.
///
/// # Errors
/// Where it lives elsewhere, is withdrawn or void, or the proposal is no longer open.
pub fn withdraw(
    node: &NodeId,
    ballot: &Ballot,
    position: &Position,
    reason: String,
    now: OffsetDateTime,
) -> Result<Vec<Fact>, Refusal> {
    if position.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the position", home: position.reference.node.clone() });
    }
    if position.withdrawn.is_some() || !position.void_reason.is_empty() {
        return Err(Refusal::NothingToWithdraw("the position"));
    }
    proposal::open(ballot, now)?;
    Ok(vec![Fact::PositionWithdrawn { reason }])
}

/// Decides a proposal by its tally: once it has closed, or once nobody's position is outstanding.
///
/// # Errors
/// Where it waits for acceptance or for positions, or is decided, withdrawn or void.
pub fn decide(ballot: &Ballot, proposal: Reference, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
    proposal::undecided(ballot)?;
    let course = ballot.course();
    let (Some(revision), Some(count)) = (course.in_force, course.count) else {
        return Err(Refusal::NotAccepted);
    };
    let closes_at = revision.content.closes_at;
    let outstanding = count.outstanding().count();
    if closes_at >= now && outstanding > 0 {
        return Err(Refusal::TooEarly { at: closes_at, outstanding });
    }
    let tally: Tally = count.tally;
    Ok(vec![Fact::ProposalDecided { proposal, tally }])
}
