//! Organizations, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::by_itself;
use crate::contract::organization::read_profile;
use crate::store::organization as store;

pub(super) async fn registered(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::OrganizationRegistered,
) -> Result<(), FoldError> {
    save(connection, event, told.organization.as_ref()).await
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::OrganizationRevised,
) -> Result<(), FoldError> {
    save(connection, event, told.organization.as_ref()).await
}

async fn save(
    connection: &mut PgConnection,
    event: &Event,
    told: Option<&message::Organization>,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_profile(&mut violations, told);
    let profile = sound(&violations, profile, "organization")?;
    let said = told.ok_or(FoldError::Missing("organization"))?;
    let by = by_itself(event, &said.initiative, &said.reference)?;
    Ok(store::save(connection, by, &profile).await?)
}
