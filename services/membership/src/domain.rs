//! Who takes part in an initiative, in which role, for how long: the words, and the rules that say yes or no.
//!
//! No database, no protobuf, no clock: what is known and the present instant come in, facts or a refusal go out.

pub mod admission;
pub mod circle;
pub mod initiative;
pub mod join_request;
pub mod membership;
pub mod node;
pub mod organization;
pub mod posting;
mod refusal;
pub mod working_group;

use chassis::names::Reference;

pub use circle::{Circle, CircleProfile, CircleState};
pub use initiative::{Initiative, InitiativeProfile, InitiativeState};
pub use join_request::{Asked, JoinRequest, JoinRequestState};
pub use membership::{Invitee, Membership, MembershipState, Role, RoleTerm};
pub use node::{Node, NodeState};
pub use organization::{Identifier, Organization, OrganizationProfile, Sector};
pub use posting::{Posting, PostingProfile, PostingState};
pub use refusal::Refusal;
pub use working_group::{WorkingGroup, WorkingGroupProfile, WorkingGroupState};

/// What was decided: a past fact about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An initiative began.
    InitiativeCreated(InitiativeProfile),
    /// It says something else of itself.
    InitiativeRevised(InitiativeProfile),
    /// An organization became known.
    OrganizationRegistered(OrganizationProfile),
    /// Something else is known of it.
    OrganizationRevised(OrganizationProfile),
    /// An organization asked to be admitted.
    JoinRequested(Asked),
    /// It took its request back.
    JoinRequestWithdrawn,
    /// The backbone invited an organization.
    MemberInvited(Invitee),
    /// An organization became a member.
    MemberAdmitted {
        /// Which.
        organization: Reference,
        /// The request that this answers, if any.
        join_request: Option<Reference>,
    },
    /// A member was given a role.
    RoleGranted {
        /// The member.
        organization: Reference,
        /// The role and its term.
        term: RoleTerm,
    },
    /// A role ended, or rests.
    RoleEnded(Role),
    /// A member was held back.
    MemberSuspended {
        /// Why.
        reason: String,
    },
    /// It takes part again.
    MemberReinstated,
    /// A membership is over.
    MembershipEnded {
        /// Why.
        reason: String,
    },
    /// A working group was formed.
    WorkingGroupFormed(WorkingGroupProfile),
    /// It has another charge, chair or members.
    WorkingGroupRevised(WorkingGroupProfile),
    /// It is over.
    WorkingGroupDissolved {
        /// Why.
        reason: String,
    },
    /// A circle was formed.
    CircleFormed(CircleProfile),
    /// It has another name, purpose or nodes.
    CircleChanged(CircleProfile),
    /// It is over.
    CircleEnded {
        /// Why.
        reason: String,
    },
    /// An organization offers or needs something.
    PostingMade(PostingProfile),
    /// It says something else of it.
    PostingRevised(PostingProfile),
    /// It was taken up, or met.
    PostingMet {
        /// By whom or what.
        reason: String,
    },
    /// It was taken back.
    PostingWithdrawn {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
