//! What this room tells and hears, and how its tables follow from it.
//!
//! What a message repeats of its event (initiative, resource) must be so, and what the API would refuse is not taken
//! from another node either: such an event is held, alike on every node.

mod circle;
mod initiative;
mod join_request;
mod membership;
mod node;
mod organization;
mod posting;
mod working_group;

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, sound};
use prost::Name;
use proto::federation::{NodeAdmitted, NodeEnded};
use proto::membership as message;
use sqlx::PgConnection;

use crate::contract;
use crate::domain;
use crate::store::By;

/// What was decided about a resource, as events of the contract. Whatever this room tells is of an initiative.
pub fn told(resource: &Reference, space: &Space, facts: Vec<domain::Fact>) -> Vec<Fact> {
    let Some(initiative) = space.initiative() else { return Vec::new() };
    facts.into_iter().map(|fact| fact_of(resource, initiative, space, fact)).collect()
}

fn fact_of(resource: &Reference, initiative: &Reference, space: &Space, fact: domain::Fact) -> Fact {
    macro_rules! say {
        ($message:expr) => {
            Fact::of(resource, space, &$message)
        };
    }
    let (of, about) = (initiative.to_string(), resource.to_string());
    match fact {
        domain::Fact::InitiativeCreated(profile) => {
            let initiative = Some(contract::initiative::write_profile(resource, &profile));
            say!(message::InitiativeCreated { initiative })
        }
        domain::Fact::InitiativeRevised(profile) => {
            let initiative = Some(contract::initiative::write_profile(resource, &profile));
            say!(message::InitiativeRevised { initiative })
        }
        domain::Fact::OrganizationRegistered(profile) => {
            let organization = Some(contract::organization::write_profile(resource, initiative, &profile));
            say!(message::OrganizationRegistered { organization })
        }
        domain::Fact::OrganizationRevised(profile) => {
            let organization = Some(contract::organization::write_profile(resource, initiative, &profile));
            say!(message::OrganizationRevised { organization })
        }
        domain::Fact::JoinRequested(asked) => {
            let join_request = Some(contract::join_request::write_asked(resource, initiative, &asked));
            say!(message::JoinRequested { join_request })
        }
        domain::Fact::JoinRequestWithdrawn => {
            say!(message::JoinRequestWithdrawn { initiative: of, join_request: about })
        }
        domain::Fact::MemberInvited(invitee) => say!(contract::membership::invited(initiative, resource, &invitee)),
        domain::Fact::MemberAdmitted { organization, join_request } => {
            say!(contract::membership::admitted(initiative, resource, &organization, join_request.as_ref()))
        }
        domain::Fact::RoleGranted { organization, term } => {
            say!(contract::membership::granted(initiative, resource, &organization, &term))
        }
        domain::Fact::RoleEnded(role) => {
            say!(message::RoleEnded { initiative: of, membership: about, role: role.number() })
        }
        domain::Fact::MemberSuspended { reason } => {
            say!(message::MemberSuspended { initiative: of, membership: about, reason })
        }
        domain::Fact::MemberReinstated => say!(message::MemberReinstated { initiative: of, membership: about }),
        domain::Fact::MembershipEnded { reason } => {
            say!(message::MembershipEnded { initiative: of, membership: about, reason })
        }
        domain::Fact::WorkingGroupFormed(profile) => {
            let working_group = Some(contract::working_group::write_profile(resource, initiative, &profile));
            say!(message::WorkingGroupFormed { working_group })
        }
        domain::Fact::WorkingGroupRevised(profile) => {
            let working_group = Some(contract::working_group::write_profile(resource, initiative, &profile));
            say!(message::WorkingGroupRevised { working_group })
        }
        domain::Fact::WorkingGroupDissolved { reason } => say!(message::WorkingGroupDissolved { reason }),
        domain::Fact::CircleFormed(profile) => {
            let circle = Some(contract::circle::write_profile(resource, initiative, &profile));
            say!(message::CircleFormed { circle })
        }
        domain::Fact::CircleChanged(profile) => {
            let circle = Some(contract::circle::write_profile(resource, initiative, &profile));
            say!(message::CircleChanged { circle })
        }
        domain::Fact::CircleEnded { reason } => say!(message::CircleEnded { reason }),
        domain::Fact::PostingMade(profile) => {
            let posting = Some(contract::posting::write_profile(resource, initiative, &profile));
            say!(message::PostingMade { posting })
        }
        domain::Fact::PostingRevised(profile) => {
            let posting = Some(contract::posting::write_profile(resource, initiative, &profile));
            say!(message::PostingRevised { posting })
        }
        domain::Fact::PostingMet { reason } => say!(message::PostingMet { reason }),
        domain::Fact::PostingWithdrawn { reason } => say!(message::PostingWithdrawn { reason }),
    }
}

/// Changes the tables as one of this room's own events says: rows of the event's own resource only.
///
/// # Errors
/// Where its message cannot be read, or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    chassis::fold_by_type!(connection, event, else Folded::Unknown, {
        message::InitiativeCreated => initiative::created,
        message::InitiativeRevised => initiative::revised,
        message::OrganizationRegistered => organization::registered,
        message::OrganizationRevised => organization::revised,
        message::JoinRequested => join_request::requested,
        message::JoinRequestWithdrawn => join_request::withdrawn,
        message::MemberInvited => membership::invited,
        message::MemberAdmitted => membership::admitted,
        message::RoleGranted => membership::role_granted,
        message::RoleEnded => membership::role_ended,
        message::MemberSuspended => membership::suspended,
        message::MemberReinstated => membership::reinstated,
        message::MembershipEnded => membership::ended,
        message::WorkingGroupFormed => working_group::formed,
        message::WorkingGroupRevised => working_group::revised,
        message::WorkingGroupDissolved => working_group::dissolved,
        message::CircleFormed => circle::formed,
        message::CircleChanged => circle::changed,
        message::CircleEnded => circle::ended,
        message::PostingMade => posting::made,
        message::PostingRevised => posting::revised,
        message::PostingMet => posting::met,
        message::PostingWithdrawn => posting::withdrawn,
    })
}

/// Whether it is what the border tells of nodes.
pub fn hears(type_name: &str) -> bool {
    [NodeAdmitted::full_name(), NodeEnded::full_name()].iter().any(|name| name == type_name)
}

/// Takes in what the border tells of nodes.
///
/// # Errors
/// Where the event cannot be read or the database fails.
pub async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    chassis::fold_by_type!(connection, event, else Folded::Ignored, {
        NodeAdmitted => node::admitted,
        NodeEnded => node::ended,
    })
}

/// What every save needs of an event.
fn by(event: &Event) -> Result<By<'_>, FoldError> {
    let initiative = event.space.initiative().ok_or(FoldError::Missing("initiative"))?;
    Ok(By { resource: &event.resource, initiative, space: &event.space, made_at: event.made_at })
}

/// As [`by`], once it is seen that the message repeats the event's initiative and resource as they are: others read
/// them there.
fn by_itself<'e>(event: &'e Event, initiative: &str, resource: &str) -> Result<By<'e>, FoldError> {
    let by = by(event)?;
    if by.initiative.to_string() != initiative {
        return Err(FoldError::Missing("initiative, as its space has it,"));
    }
    if by.resource.to_string() != resource {
        return Err(FoldError::Missing("resource, as its message has it,"));
    }
    Ok(by)
}

/// Why something was decided, as the API would take it.
fn reason(text: &str) -> Result<String, FoldError> {
    let mut violations = Violations::default();
    let reason = contract::read_reason(&mut violations, text);
    sound(&violations, reason, "reason")
}
