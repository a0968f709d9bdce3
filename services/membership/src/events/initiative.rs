//! Initiatives, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::by_itself;
use crate::contract::initiative::{read_new, read_profile};
use crate::domain::InitiativeProfile;
use crate::store::initiative as store;

pub(super) async fn created(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::InitiativeCreated,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_new(&mut violations, told.initiative.as_ref());
    save(connection, event, told.initiative.as_ref(), sound(&violations, profile, "initiative")?).await
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::InitiativeRevised,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_profile(&mut violations, told.initiative.as_ref());
    save(connection, event, told.initiative.as_ref(), sound(&violations, profile, "initiative")?).await
}

/// The resource is the initiative of the space: nobody tells of an initiative within another.
async fn save(
    connection: &mut PgConnection,
    event: &Event,
    told: Option<&message::Initiative>,
    profile: InitiativeProfile,
) -> Result<(), FoldError> {
    let reference = told.map(|told| told.reference.as_str()).unwrap_or_default();
    let by = by_itself(event, reference, reference)?;
    Ok(store::save(connection, by, &profile).await?)
}
