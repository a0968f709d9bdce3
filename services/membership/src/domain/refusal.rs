//! Why the answer is no, in words that a volunteer understands.

use chassis::names::{NodeId, Reference};
use time::OffsetDateTime;

use super::Role;

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only the backbone does this.
    #[error(
        "only the initiative's backbone can do this, on its own node; who wants to be admitted asks with CreateJoinRequest"
    )]
    NotTheBackbone,
    /// Only its home changes a resource.
    #[error("this {0} lives on another node and can only be changed there")]
    NotItsHome(&'static str),
    /// The initiative is over.
    #[error("the initiative is closed: nothing more can be changed in it")]
    InitiativeClosed,
    /// Two things that do not belong together.
    #[error("the {0} belongs to another initiative")]
    OtherInitiative(&'static str),
    /// A register's identifier names one organization only.
    #[error("an organization with the identifier {scheme} {value} is registered on this node already")]
    AlreadyRegistered {
        /// The register.
        scheme: String,
        /// The identifier there.
        value: String,
    },
    /// Nothing is left to be asked.
    #[error("the organization is a member already")]
    AlreadyMember,
    /// Its invitation stands.
    #[error("the organization is invited already: admit it by that invitation")]
    AlreadyInvited,
    /// Its request stands.
    #[error("the organization has asked already, and the request still stands")]
    AlreadyAsked,
    /// A request can be taken back only before it is answered.
    #[error("the backbone has answered this request already")]
    AlreadyAnswered,
    /// The request does not stand any more.
    #[error("the request was withdrawn")]
    RequestWithdrawn,
    /// Admission begins with an invitation that stands.
    #[error("the membership is not an open invitation: it was answered or taken back")]
    NotInvited,
    /// Nobody is there to be admitted.
    #[error("the invited organization is not registered yet: let it register and ask, and name its request as well")]
    InviteeUnregistered,
    /// The invitation is not for the one who asks.
    #[error("the invitation is for another organization than the one that asks")]
    InvitationForAnother,
    /// Nobody knows who asks.
    #[error("the organization that asks is not registered")]
    Unregistered,
    /// Only an active member can be given and be relieved of roles.
    #[error("the membership is not active")]
    NotActive,
    /// Only a suspended member can be reinstated.
    #[error("the membership is not suspended")]
    NotSuspended,
    /// Final.
    #[error("the membership has ended; whoever comes back is invited anew")]
    MembershipEnded,
    /// A role is held once.
    #[error("the member holds the role {} already: end it first to give it another term", .0.spoken())]
    RoleHeld(Role),
    /// There is nothing to end.
    #[error("the member does not hold the role {}", .0.spoken())]
    RoleNotHeld(Role),
    /// A term must not lie wholly in the past.
    #[error("the term of the role {} ended on {}, before it could begin", role.spoken(), until.date())]
    TermOver {
        /// The role.
        role: Role,
        /// The end of its term.
        until: OffsetDateTime,
    },
    /// An organization of another initiative, or none that belongs.
    #[error("the organization {0} is not an active member of the initiative")]
    NotAMember(Reference),
    /// A chair is one of the group.
    #[error("the organization that chairs the group must be one of its members")]
    ChairOutside,
    /// Nothing changes in a group that is over.
    #[error("the working group was dissolved: {0}")]
    Dissolved(String),
    /// Only nodes that belong to the initiative are in a circle.
    #[error("the node {0} does not belong to the initiative, or its link was ended")]
    NodeOutside(NodeId),
    /// Nothing changes in a circle that is over.
    #[error("the circle has ended: {0}")]
    CircleEnded(String),
    /// Only what is open can be changed.
    #[error("the posting is not open any more: {0}")]
    PostingClosed(String),
    /// What is offered or needed has a time to come.
    #[error("it would have been open until {}, which is over", .0.date())]
    PostingOver(OffsetDateTime),
}
