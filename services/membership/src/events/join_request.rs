//! Join requests, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::by_itself;
use crate::contract::join_request::read_asked;
use crate::store::join_request as store;

/// A node may say of itself what it likes: that it asks for an organization of its own is seen here.
pub(super) async fn requested(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::JoinRequested,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let asked = read_asked(&mut violations, told.join_request.as_ref());
    let asked = sound(&violations, asked, "join_request")?;
    let said = told.join_request.as_ref().ok_or(FoldError::Missing("join_request"))?;
    let by = by_itself(event, &said.initiative, &said.reference)?;
    if asked.organization.node != event.resource.node {
        return Err(FoldError::Missing("organization, which must live on the node that asks,"));
    }
    Ok(store::save(connection, by, &asked).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::JoinRequestWithdrawn,
) -> Result<(), FoldError> {
    let by = by_itself(event, &told.initiative, &told.join_request)?;
    Ok(store::withdraw(connection, by).await?)
}
