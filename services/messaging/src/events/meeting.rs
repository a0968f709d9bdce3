//! Meetings, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::messaging as wire;
use sqlx::PgConnection;

use crate::contract::meeting::{read_definition, read_minutes};
use crate::domain::meeting::Definition;
use crate::store::meeting as store;

fn definition(message: Option<&wire::MeetingDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn scheduled(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MeetingScheduled,
) -> Result<(), FoldError> {
    let definition = definition(told.definition.as_ref())?;
    Ok(store::insert(connection, &event.resource, &event.space, &definition, event.made_at).await?)
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MeetingRevised,
) -> Result<(), FoldError> {
    let definition = definition(told.definition.as_ref())?;
    Ok(store::revise(connection, &event.resource, &definition, event.made_at).await?)
}

pub(super) async fn minutes_recorded(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MinutesRecorded,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let minutes = read_minutes(&mut violations, &told.minutes);
    let minutes = sound(&violations, minutes, "minutes")?;
    Ok(store::record_minutes(connection, &event.resource, &minutes, event.made_at).await?)
}

pub(super) async fn cancelled(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MeetingCancelled,
) -> Result<(), FoldError> {
    let reason = super::reason(&told.reason)?;
    Ok(store::cancel(connection, &event.resource, &reason, event.made_at).await?)
}
