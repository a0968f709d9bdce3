//! Admission: how an organization becomes a member, by the backbone's invitation, by its own request, or by both.

use chassis::names::{NodeId, Reference};
use time::OffsetDateTime;

use super::{Fact, Initiative, Invitee, JoinRequest, Membership, MembershipState, Organization, Refusal, RoleTerm};

/// What is known when an organization is to be invited.
#[derive(Clone, Debug)]
pub struct Invitation<'a> {
    /// The initiative.
    pub initiative: &'a Initiative,
    /// The organization, unless it is one to come.
    pub organization: Option<&'a Organization>,
    /// Its membership that has not ended, if any.
    pub standing: Option<&'a Membership>,
}

/// Invites an organization.
///
/// # Errors
/// Away from the backbone; one that is invited or a member already; in an initiative that is over.
pub fn invite(known: &Invitation<'_>, here: &NodeId, invitee: Invitee) -> Result<Vec<Fact>, Refusal> {
    known.initiative.open_at(here)?;
    known.organization.map_or(Ok(()), |organization| organization.in_initiative(known.initiative))?;
    match known.standing.map(|membership| membership.state) {
        Some(MembershipState::Invited) => Err(Refusal::AlreadyInvited),
        Some(_) => Err(Refusal::AlreadyMember),
        None => Ok(vec![Fact::MemberInvited(invitee)]),
    }
}

/// What is known when an organization is to be admitted.
#[derive(Clone, Debug)]
pub struct Admission<'a> {
    /// The initiative.
    pub initiative: &'a Initiative,
    /// The invitation named, if any.
    pub invitation: Option<&'a Membership>,
    /// The request named, if any.
    pub request: Option<&'a JoinRequest>,
    /// The one who asks, if it is registered.
    pub asking: Option<&'a Organization>,
    /// Membership of the one who asks that has not ended, if any.
    pub standing: Option<&'a Membership>,
}

/// Admits a member and grants its first roles: by an invitation, by a request, or by both. The facts are about
/// [`Admission::invited`], or else about a new membership.
///
/// # Errors
/// Away from the backbone; where invitation or request do not stand or do not fit; for a member; where a term is over.
pub fn admit(
    known: &Admission<'_>,
    here: &NodeId,
    roles: Vec<RoleTerm>,
    now: OffsetDateTime,
) -> Result<Vec<Fact>, Refusal> {
    known.initiative.open_at(here)?;
    known.of_this_initiative()?;
    let organization = known.organization()?;
    let join_request = known.request.map(|request| request.reference.clone());
    let mut facts = vec![Fact::MemberAdmitted { organization: organization.clone(), join_request }];
    for term in roles {
        term.not_over(now)?;
        facts.push(Fact::RoleGranted { organization: organization.clone(), term });
    }
    Ok(facts)
}

impl Admission<'_> {
    /// The membership by which the organization was invited, if it was.
    pub fn invited(&self) -> Option<&Membership> {
        self.invitation.or(self.standing)
    }

    fn of_this_initiative(&self) -> Result<(), Refusal> {
        let here = &self.initiative.reference;
        if self.invitation.is_some_and(|invitation| invitation.initiative != *here) {
            return Err(Refusal::OtherInitiative("invitation"));
        }
        if self.request.is_some_and(|request| request.initiative != *here) {
            return Err(Refusal::OtherInitiative("request"));
        }
        self.asking.map_or(Ok(()), |organization| organization.in_initiative(self.initiative))
    }

    /// Who is to be admitted: the one who asks, or else the one who was invited.
    fn organization(&self) -> Result<Reference, Refusal> {
        let standing = self.standing.map(|membership| membership.state);
        if matches!(standing, Some(MembershipState::Active | MembershipState::Suspended)) {
            return Err(Refusal::AlreadyMember);
        }
        if self.invitation.is_some_and(|invitation| invitation.state != MembershipState::Invited) {
            return Err(Refusal::NotInvited);
        }
        let invited = self.invitation.and_then(|invitation| invitation.organization.clone());
        let Some(request) = self.request else { return invited.ok_or(Refusal::InviteeUnregistered) };
        request.standing()?;
        if self.asking.is_none() {
            return Err(Refusal::Unregistered);
        }
        match (invited, self.invitation, self.standing) {
            (Some(invited), ..) if invited != request.asked.organization => Err(Refusal::InvitationForAnother),
            // It holds an invitation of its own: that one is to be answered, not the one for somebody to come.
            (None, Some(_), Some(_)) => Err(Refusal::AlreadyInvited),
            _ => Ok(request.asked.organization.clone()),
        }
    }
}
