//! Memberships and their roles, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::{by_itself, reason};
use crate::contract::membership::{read_admitted, read_granted, read_invitee, read_role};
use crate::store::membership as store;

pub(super) async fn invited(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MemberInvited,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let invitee = read_invitee(&mut violations, &told.organization, &told.invitee);
    let invitee = sound(&violations, invitee, "organization or invitee")?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::invite(connection, by, &invitee).await?)
}

pub(super) async fn admitted(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MemberAdmitted,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let admitted = read_admitted(&mut violations, told);
    let (organization, join_request) = sound(&violations, admitted, "organization, node or join_request")?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::admit(connection, by, &organization, join_request.as_ref()).await?)
}

pub(super) async fn role_granted(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::RoleGranted,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let granted = read_granted(&mut violations, told);
    let (_, term) = sound(&violations, granted, "organization, node, role or term")?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::grant(connection, by, term).await?)
}

pub(super) async fn role_ended(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::RoleEnded,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let role = read_role(&mut violations, told.role);
    let role = sound(&violations, role, "role")?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::end_role(connection, by, role).await?)
}

pub(super) async fn suspended(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MemberSuspended,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::suspend(connection, by, &reason).await?)
}

pub(super) async fn reinstated(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MemberReinstated,
) -> Result<(), FoldError> {
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::reinstate(connection, by).await?)
}

pub(super) async fn ended(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MembershipEnded,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    let by = by_itself(event, &told.initiative, &told.membership)?;
    Ok(store::end(connection, by, &reason).await?)
}
