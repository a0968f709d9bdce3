//! Measures, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::measurement as message;
use sqlx::PgConnection;

use super::reason;
use crate::contract::measure::read_definition;
use crate::domain::Definition;
use crate::domain::measure::whole;
use crate::store::measure as store;

fn definition(message: Option<&message::MeasureDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    let definition = sound(&violations, definition, "definition")?;
    whole(&definition).map_err(|_| FoldError::Missing("definition, which does not hold together,"))?;
    Ok(definition)
}

pub(super) async fn defined(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MeasureDefined,
) -> Result<(), FoldError> {
    let definition = definition(told.definition.as_ref())?;
    Ok(store::insert(connection, &event.resource, &event.space, &definition, event.made_at).await?)
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MeasureRevised,
) -> Result<(), FoldError> {
    let definition = definition(told.definition.as_ref())?;
    Ok(store::revise(connection, &event.resource, &definition, event.made_at).await?)
}

pub(super) async fn retired(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::MeasureRetired,
) -> Result<(), FoldError> {
    Ok(store::retire(connection, &event.resource, &reason(&told.reason)?, event.made_at).await?)
}
