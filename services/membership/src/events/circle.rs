//! Circles, as their events make them. What comes after the end of one is counted and changes nothing.
//!
//! Which nodes are in it is folded by the chassis besides, in every service alike.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::{by, by_itself, reason};
use crate::contract::circle::read_profile;
use crate::domain::circle::space;
use crate::store::By;
use crate::store::circle as store;

pub(super) async fn formed(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::CircleFormed,
) -> Result<(), FoldError> {
    save(connection, event, told.circle.as_ref()).await
}

pub(super) async fn changed(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::CircleChanged,
) -> Result<(), FoldError> {
    save(connection, event, told.circle.as_ref()).await
}

async fn save(connection: &mut PgConnection, event: &Event, told: Option<&message::Circle>) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_profile(&mut violations, told);
    let profile = sound(&violations, profile, "circle")?;
    let said = told.ok_or(FoldError::Missing("circle"))?;
    let by = in_its_own_space(by_itself(event, &said.initiative, &said.reference)?)?;
    Ok(store::save(connection, by, &profile).await?)
}

pub(super) async fn ended(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::CircleEnded,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    Ok(store::end(connection, in_its_own_space(by(event)?)?, &reason).await?)
}

fn in_its_own_space(by: By<'_>) -> Result<By<'_>, FoldError> {
    let own = *by.space == space(by.initiative, by.resource);
    if own { Ok(by) } else { Err(FoldError::Missing("circle, as its space has it,")) }
}
