//! Memberships: active, suspended, ended, with roles for a term, all by the backbone's word.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::{authz, words};
use time::OffsetDateTime;

use super::{Fact, Refusal};

words! {
    /// How a membership stands.
    pub enum MembershipState {
        /// Invited and not admitted yet.
        Invited = 1,
        /// A member.
        Active = 2,
        /// Held back: its roles rest.
        Suspended = 3,
        /// Over. Final.
        Ended = 4,
    }
}

words! {
    /// What an organization is to an initiative.
    pub enum Role {
        /// Works for the backbone organization.
        BackboneStaff = 1,
        /// Sits in the steering committee.
        SteeringCommittee = 2,
        /// An active member organization.
        Partner = 3,
        /// Answers for shared measurement.
        DataLead = 4,
        /// Brings in money.
        Funder = 5,
        /// May read and not write.
        Observer = 6,
    }
}

impl Role {
    /// As people say it.
    pub fn spoken(self) -> String {
        authz::spoken(self.number())
    }
}

/// A role for a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleTerm {
    /// The role.
    pub role: Role,
    /// First instant.
    pub from: OffsetDateTime,
    /// First instant after; `None` for an open term.
    pub until: Option<OffsetDateTime>,
}

/// Who is invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invitee {
    /// An organization that is registered.
    Registered(Reference),
    /// One that is not yet: how people call it.
    ToCome(String),
}

/// What an organization is to an initiative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its name; the node in it is the backbone's.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// The organization; none while one is invited that is not registered.
    pub organization: Option<Reference>,
    /// How the invitation calls one that was not registered then.
    pub invitee: String,
    /// How it stands.
    pub state: MembershipState,
    /// Why it is suspended or ended.
    pub reason: String,
    /// The roles held, or resting while it is suspended; sorted by role.
    pub roles: Vec<RoleTerm>,
    /// The request that it answers.
    pub join_request: Option<Reference>,
    /// How it came to be so.
    pub stamp: Stamp,
}

impl RoleTerm {
    /// A term that lies wholly in the past gives nothing.
    pub(super) fn not_over(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        match self.until {
            Some(until) if until <= now => Err(Refusal::TermOver { role: self.role, until }),
            _ => Ok(()),
        }
    }
}

impl Membership {
    /// Grants an active member one more role; one whose term is over may be granted again.
    ///
    /// # Errors
    /// Away from the backbone; unless active; for a role it holds; for a term that is over.
    pub fn grant(&self, here: &NodeId, term: RoleTerm, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
        let organization = self.active(here)?;
        term.not_over(now)?;
        if self.holds(term.role, now) {
            return Err(Refusal::RoleHeld(term.role));
        }
        Ok(vec![Fact::RoleGranted { organization: organization.clone(), term }])
    }

    /// Ends a role before its term does.
    ///
    /// # Errors
    /// Away from the backbone; unless active; for a role it does not hold.
    pub fn end_role(&self, here: &NodeId, role: Role, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
        self.active(here)?;
        if !self.holds(role, now) {
            return Err(Refusal::RoleNotHeld(role));
        }
        Ok(vec![Fact::RoleEnded(role)])
    }

    /// Holds a member back: its roles rest.
    ///
    /// # Errors
    /// Away from the backbone; unless active.
    pub fn suspend(&self, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
        self.active(here)?;
        let mut facts = vec![Fact::MemberSuspended { reason }];
        facts.extend(self.roles_ended());
        Ok(facts)
    }

    /// Lets a suspended member take part again, with the roles that rested and whose terms are not over.
    ///
    /// # Errors
    /// Away from the backbone; unless suspended.
    pub fn reinstate(&self, here: &NodeId, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
        self.at_home(here)?;
        let (MembershipState::Suspended, Some(organization)) = (self.state, &self.organization) else {
            return Err(self.ended_or(Refusal::NotSuspended));
        };
        let mut facts = vec![Fact::MemberReinstated];
        for term in self.roles.iter().filter(|term| term.not_over(now).is_ok()) {
            facts.push(Fact::RoleGranted { organization: organization.clone(), term: *term });
        }
        Ok(facts)
    }

    /// Ends a membership for good, or takes an invitation back.
    ///
    /// # Errors
    /// Away from the backbone; twice.
    pub fn end(&self, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
        self.at_home(here)?;
        if self.state == MembershipState::Ended {
            return Err(Refusal::MembershipEnded);
        }
        let mut facts = Vec::new();
        if self.state == MembershipState::Active {
            facts.extend(self.roles_ended());
        }
        facts.push(Fact::MembershipEnded { reason });
        Ok(facts)
    }

    fn at_home(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node == *here { Ok(()) } else { Err(Refusal::NotTheBackbone) }
    }

    fn active(&self, here: &NodeId) -> Result<&Reference, Refusal> {
        self.at_home(here)?;
        match (self.state, &self.organization) {
            (MembershipState::Active, Some(organization)) => Ok(organization),
            _ => Err(self.ended_or(Refusal::NotActive)),
        }
    }

    fn ended_or(&self, otherwise: Refusal) -> Refusal {
        if self.state == MembershipState::Ended { Refusal::MembershipEnded } else { otherwise }
    }

    fn holds(&self, role: Role, now: OffsetDateTime) -> bool {
        self.roles.iter().any(|term| term.role == role && term.not_over(now).is_ok())
    }

    fn roles_ended(&self) -> impl Iterator<Item = Fact> {
        self.roles.iter().map(|term| Fact::RoleEnded(term.role))
    }
}
