//! Refusals as a caller sees them: a stable reason for programs, words for people.

use chassis::errors;
use tonic::Status;

use crate::domain::Refusal;

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::NotTheBackbone => "NOT_THE_BACKBONE",
            Refusal::NotItsHome(_) => "NOT_ITS_HOME",
            Refusal::InitiativeClosed => "INITIATIVE_CLOSED",
            Refusal::OtherInitiative(_) => "OTHER_INITIATIVE",
            Refusal::AlreadyRegistered { .. } => "ALREADY_REGISTERED",
            Refusal::AlreadyMember => "ALREADY_MEMBER",
            Refusal::AlreadyInvited => "ALREADY_INVITED",
            Refusal::AlreadyAsked => "ALREADY_ASKED",
            Refusal::AlreadyAnswered => "ALREADY_ANSWERED",
            Refusal::RequestWithdrawn => "REQUEST_WITHDRAWN",
            Refusal::NotInvited => "NOT_INVITED",
            Refusal::InviteeUnregistered => "INVITEE_UNREGISTERED",
            Refusal::InvitationForAnother => "INVITATION_FOR_ANOTHER",
            Refusal::Unregistered => "UNREGISTERED",
            Refusal::NotActive => "NOT_ACTIVE",
            Refusal::NotSuspended => "NOT_SUSPENDED",
            Refusal::MembershipEnded => "MEMBERSHIP_ENDED",
            Refusal::RoleHeld(_) => "ROLE_HELD",
            Refusal::RoleNotHeld(_) => "ROLE_NOT_HELD",
            Refusal::TermOver { .. } => "TERM_OVER",
            Refusal::NotAMember(_) => "NOT_A_MEMBER",
            Refusal::ChairOutside => "CHAIR_OUTSIDE",
            Refusal::Dissolved(_) => "DISSOLVED",
            Refusal::NodeOutside(_) => "NODE_OUTSIDE",
            Refusal::CircleEnded(_) => "CIRCLE_ENDED",
            Refusal::PostingClosed(_) => "POSTING_CLOSED",
            Refusal::PostingOver(_) => "POSTING_OVER",
        };
        errors::refused(reason, refusal.to_string())
    }
}
