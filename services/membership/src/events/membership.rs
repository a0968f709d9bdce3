//! What is told of memberships.

use chassis::event::{Event, Fact, instant, timestamp};
use chassis::room::FoldError;
use proto::membership::{
    MemberAdmitted, MemberInvited, MemberReinstated, MemberSuspended, MembershipEnded, RoleEnded, RoleGranted,
};
use sqlx::PgConnection;

use super::{About, message, optional, word};
use crate::contract::written;
use crate::domain::{Invitee, MembershipChange, RoleTerm};
use crate::store::By;
use crate::store::membership::{admit, end, end_role, grant, invite, reinstate, suspend};

pub(super) fn tell(about: About<'_>, change: &MembershipChange) -> Fact {
    let (initiative, membership) = (about.initiative.to_string(), about.resource.to_string());
    match change {
        MembershipChange::Invited(invitee) => {
            let (organization, invitee) = match invitee {
                Invitee::Registered(organization) => (organization.to_string(), String::new()),
                Invitee::ToCome(name) => (String::new(), name.clone()),
            };
            about.say(&MemberInvited { initiative, membership, organization, invitee })
        }
        MembershipChange::Admitted { organization, join_request } => about.say(&MemberAdmitted {
            initiative,
            membership,
            organization: organization.to_string(),
            node: organization.node.to_string(),
            join_request: written(join_request.as_ref()),
        }),
        MembershipChange::RoleGranted { organization, term } => about.say(&RoleGranted {
            initiative,
            membership,
            organization: organization.to_string(),
            node: organization.node.to_string(),
            role: term.role.number(),
            from: Some(timestamp(term.from)),
            until: term.until.map(timestamp),
        }),
        MembershipChange::RoleEnded(role) => about.say(&RoleEnded { initiative, membership, role: role.number() }),
        MembershipChange::Suspended(reason) => {
            about.say(&MemberSuspended { initiative, membership, reason: reason.clone() })
        }
        MembershipChange::Reinstated => about.say(&MemberReinstated { initiative, membership }),
        MembershipChange::Ended(reason) => {
            about.say(&MembershipEnded { initiative, membership, reason: reason.clone() })
        }
    }
}

pub(super) fn read(event: &Event) -> Result<Option<MembershipChange>, FoldError> {
    if let Some(invited) = message::<MemberInvited>(event)? {
        let registered = optional(&invited.organization)?;
        return Ok(Some(MembershipChange::Invited(match registered {
            Some(organization) => Invitee::Registered(organization),
            None => Invitee::ToCome(invited.invitee),
        })));
    }
    if let Some(admitted) = message::<MemberAdmitted>(event)? {
        let organization = admitted.organization.parse()?;
        let join_request = optional(&admitted.join_request)?;
        return Ok(Some(MembershipChange::Admitted { organization, join_request }));
    }
    if let Some(suspended) = message::<MemberSuspended>(event)? {
        return Ok(Some(MembershipChange::Suspended(suspended.reason)));
    }
    if message::<MemberReinstated>(event)?.is_some() {
        return Ok(Some(MembershipChange::Reinstated));
    }
    if let Some(ended) = message::<MembershipEnded>(event)? {
        return Ok(Some(MembershipChange::Ended(ended.reason)));
    }
    read_role(event)
}

fn read_role(event: &Event) -> Result<Option<MembershipChange>, FoldError> {
    if let Some(granted) = message::<RoleGranted>(event)? {
        let from = granted.from.as_ref().and_then(instant).ok_or(FoldError::Missing("from"))?;
        let until = granted.until.as_ref().map(|until| instant(until).ok_or(FoldError::Missing("until")));
        let term = RoleTerm { role: word(granted.role, "role")?, from, until: until.transpose()? };
        return Ok(Some(MembershipChange::RoleGranted { organization: granted.organization.parse()?, term }));
    }
    match message::<RoleEnded>(event)? {
        Some(ended) => Ok(Some(MembershipChange::RoleEnded(word(ended.role, "role")?))),
        None => Ok(None),
    }
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    by: By<'_>,
    change: &MembershipChange,
) -> Result<(), sqlx::Error> {
    match change {
        MembershipChange::Invited(invitee) => invite(connection, by, invitee).await,
        MembershipChange::Admitted { organization, join_request } => {
            admit(connection, by, organization, join_request.as_ref()).await
        }
        MembershipChange::RoleGranted { term, .. } => grant(connection, by, *term).await,
        MembershipChange::RoleEnded(role) => end_role(connection, by, *role).await,
        MembershipChange::Suspended(reason) => suspend(connection, by, reason).await,
        MembershipChange::Reinstated => reinstate(connection, by).await,
        MembershipChange::Ended(reason) => end(connection, by, reason).await,
    }
}
