//! Join requests: how an organization asks to be admitted, from the node where it lives.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::words;

use super::{Fact, Initiative, Membership, MembershipState, Organization, Refusal};

words! {
    /// Whether a request stands.
    pub enum JoinRequestState {
        /// It stands.
        Open = 1,
        /// The organization took it back. Final.
        Withdrawn = 2,
    }
}

/// An organization asks to be admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// Its name.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// Who asks, and what it says.
    pub asked: Asked,
    /// Whether it stands.
    pub state: JoinRequestState,
    /// The membership by which the backbone answered.
    pub answered_by: Option<Reference>,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What an organization says when it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The one who asks.
    pub organization: Reference,
    /// In its own words.
    pub statement: String,
}

/// What is known when an organization asks.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// The initiative.
    pub initiative: &'a Initiative,
    /// The one who asks.
    pub organization: &'a Organization,
    /// Its membership that has not ended, if any.
    pub membership: Option<&'a Membership>,
    /// Whether a request of it stands unanswered.
    pub asked: bool,
}

/// Asks for admission; who is invited takes the invitation up by it.
///
/// # Errors
/// Away from the organization's home; for a member; twice; in an initiative that is over.
pub fn create(known: &Asking<'_>, here: &NodeId, statement: String) -> Result<Vec<Fact>, Refusal> {
    known.organization.in_initiative(known.initiative)?;
    known.organization.at_home(here)?;
    known.initiative.open()?;
    if known.membership.is_some_and(|membership| membership.state != MembershipState::Invited) {
        return Err(Refusal::AlreadyMember);
    }
    if known.asked {
        return Err(Refusal::AlreadyAsked);
    }
    let organization = known.organization.reference.clone();
    Ok(vec![Fact::JoinRequested(Asked { organization, statement })])
}

/// Takes a request back.
///
/// # Errors
/// Away from its home; twice; once it is answered.
pub fn withdraw(request: &JoinRequest, here: &NodeId) -> Result<Vec<Fact>, Refusal> {
    if request.reference.node != *here {
        return Err(Refusal::NotItsHome("request"));
    }
    request.standing()?;
    Ok(vec![Fact::JoinRequestWithdrawn])
}

impl JoinRequest {
    /// It stands, and nobody has answered.
    pub(super) fn standing(&self) -> Result<(), Refusal> {
        match (self.state, &self.answered_by) {
            (JoinRequestState::Withdrawn, _) => Err(Refusal::RequestWithdrawn),
            (JoinRequestState::Open, Some(_)) => Err(Refusal::AlreadyAnswered),
            (JoinRequestState::Open, None) => Ok(()),
        }
    }
}
