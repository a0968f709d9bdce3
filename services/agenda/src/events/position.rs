//! Positions, as their events make them. Whether one came in time, or is replaced by a later one, follows from the order
//! and is asked when it is read.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract;
use crate::domain::spoken_by_another;
use crate::store::position as store;

pub(super) async fn taken(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PositionTaken,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let opinion = contract::position::read(&mut violations, told.definition.as_ref());
    let opinion = sound(&violations, opinion, "definition")?;
    let void = spoken_by_another(&event.resource, &opinion.organization, event.actor.organization.as_ref());
    Ok(store::insert(connection, event, &opinion, &void.unwrap_or_default()).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PositionWithdrawn,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let reason = contract::endorsement::read_reason(&mut violations, &told.reason);
    let reason = sound(&violations, reason, "reason")?;
    Ok(store::withdraw(connection, event, &reason).await?)
}
