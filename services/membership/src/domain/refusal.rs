//! Why the answer is no, in words that a volunteer understands.

use time::OffsetDateTime;

use super::Role;

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only the backbone decides on memberships.
    #[error("only the initiative's backbone can admit members and change what they are; ask it with CreateJoinRequest")]
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
    /// One asks for oneself.
    #[error("the request comes from another node than the one on which the organization lives")]
    AskedForAnother,
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
}

impl Refusal {
    /// A stable code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTheBackbone => "NOT_THE_BACKBONE",
            Self::NotItsHome(_) => "NOT_ITS_HOME",
            Self::InitiativeClosed => "INITIATIVE_CLOSED",
            Self::OtherInitiative(_) => "OTHER_INITIATIVE",
            Self::AlreadyRegistered { .. } => "ALREADY_REGISTERED",
            Self::AlreadyMember => "ALREADY_MEMBER",
            Self::AlreadyInvited => "ALREADY_INVITED",
            Self::AlreadyAsked => "ALREADY_ASKED",
            Self::AlreadyAnswered => "ALREADY_ANSWERED",
            Self::RequestWithdrawn => "REQUEST_WITHDRAWN",
            Self::NotInvited => "NOT_INVITED",
            Self::InviteeUnregistered => "INVITEE_UNREGISTERED",
            Self::InvitationForAnother => "INVITATION_FOR_ANOTHER",
            Self::AskedForAnother => "ASKED_FOR_ANOTHER",
            Self::Unregistered => "UNREGISTERED",
            Self::NotActive => "NOT_ACTIVE",
            Self::NotSuspended => "NOT_SUSPENDED",
            Self::MembershipEnded => "MEMBERSHIP_ENDED",
            Self::RoleHeld(_) => "ROLE_HELD",
            Self::RoleNotHeld(_) => "ROLE_NOT_HELD",
            Self::TermOver { .. } => "TERM_OVER",
        }
    }
}
