//! Endorsements: an organization stands behind a published version.

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;

use super::{Fact, Refusal, Version, agenda};

chassis::words! {
    /// Whether an endorsement holds.
    pub enum State {
        /// It does.
        Given = 1,
        /// It was taken back.
        Withdrawn = 2,
        /// It never did.
        Void = 3,
    }
}

/// An endorsement as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// The version.
    pub version: Reference,
    /// Who endorses.
    pub organization: Reference,
    /// What it says about it.
    pub statement: String,
    /// Whether it holds.
    pub state: State,
    /// Why it is void or was withdrawn; else empty.
    pub state_reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Decides whether a version may be endorsed. `already`: the organization's endorsement of it holds.
///
/// # Errors
/// Where the organization lives elsewhere or endorses it already, or the version is superseded.
pub fn give(
    node: &NodeId,
    version: &Version,
    organization: Reference,
    statement: String,
    already: bool,
) -> Result<Vec<Fact>, Refusal> {
    super::proposal::speaks_here(node, &organization)?;
    agenda::in_force(version)?;
    if already {
        return Err(Refusal::AlreadyEndorsed);
    }
    Ok(vec![Fact::EndorsementGiven { version: version.reference.clone(), organization, statement }])
}

/// Decides whether an endorsement may be taken back.
///
/// # Errors
/// Where it lives elsewhere, or does not hold.
pub fn withdraw(node: &NodeId, endorsement: &Endorsement, reason: String) -> Result<Vec<Fact>, Refusal> {
    if endorsement.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the endorsement", home: endorsement.reference.node.clone() });
    }
    match endorsement.state {
        State::Given => Ok(vec![Fact::EndorsementWithdrawn { reason }]),
        State::Withdrawn | State::Void => Err(Refusal::NothingToWithdraw("the endorsement")),
    }
}
