//! Who takes part in an initiative, in which role, for how long: the words, and the rules that say yes or no.
//!
//! No database, no protobuf, no clock: what is known and the present instant come in, facts or a refusal go out.

pub mod admission;
pub mod initiative;
pub mod join_request;
pub mod membership;
pub mod node;
pub mod organization;
mod refusal;

use chassis::names::Reference;

pub use initiative::{Initiative, InitiativeChange, InitiativeProfile, InitiativeState};
pub use join_request::{JoinRequest, JoinRequestChange, JoinRequestState};
pub use membership::{Invitee, Membership, MembershipChange, MembershipState, Role, RoleTerm};
pub use node::{Node, NodeState};
pub use organization::{Identifier, Organization, OrganizationChange, OrganizationProfile, Sector};
pub use refusal::Refusal;

/// What was decided about one resource, not yet told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The resource.
    pub resource: Reference,
    /// The initiative it belongs to.
    pub initiative: Reference,
    /// What happened to it.
    pub change: Change,
}

/// What happens in this room, by resource; each is one event of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// To an initiative.
    Initiative(InitiativeChange),
    /// To an organization.
    Organization(OrganizationChange),
    /// To a join request.
    JoinRequest(JoinRequestChange),
    /// To a membership.
    Membership(MembershipChange),
}

#[cfg(test)]
mod tests;
