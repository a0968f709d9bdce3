//! Working groups, as their events make them. What comes after the end of one is counted and changes nothing.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::{by, by_itself, reason};
use crate::contract::working_group::read_profile;
use crate::store::working_group as store;

pub(super) async fn formed(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::WorkingGroupFormed,
) -> Result<(), FoldError> {
    save(connection, event, told.working_group.as_ref()).await
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::WorkingGroupRevised,
) -> Result<(), FoldError> {
    save(connection, event, told.working_group.as_ref()).await
}

async fn save(
    connection: &mut PgConnection,
    event: &Event,
    told: Option<&message::WorkingGroup>,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_profile(&mut violations, told);
    let profile = sound(&violations, profile, "working_group")?;
    let said = told.ok_or(FoldError::Missing("working_group"))?;
    let by = by_itself(event, &said.initiative, &said.reference)?;
    if !profile.organizations.contains(&profile.chair) {
        return Err(FoldError::Missing("chair, which must be one of the organizations,"));
    }
    Ok(store::save(connection, by, &profile).await?)
}

pub(super) async fn dissolved(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::WorkingGroupDissolved,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    Ok(store::dissolve(connection, by(event)?, &reason).await?)
}
