//! Practice cards, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, instant};
use chassis::names::Reference;
use chassis::room::{FoldError, sound};
use proto::messaging as wire;
use sqlx::PgConnection;

use crate::contract::practice_card::read_definition;
use crate::domain::practice_card::{Said, State, void};
use crate::store::practice_card as store;

fn definition(message: Option<&wire::PracticeCardDefinition>) -> Result<(Reference, Said), FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn published(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::PracticeCardPublished,
) -> Result<(), FoldError> {
    let (organization, said) = definition(told.definition.as_ref())?;
    let standing = match void(&event.resource.node, &organization) {
        None => (State::Published, String::new()),
        Some(reason) => (State::Void, reason),
    };
    Ok(store::insert(connection, event, &organization, &said, &standing).await?)
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::PracticeCardRevised,
) -> Result<(), FoldError> {
    let (_, said) = definition(told.definition.as_ref())?;
    Ok(store::revise(connection, &event.resource, &said, event.made_at).await?)
}

/// Leaves of a card what this event says of it, whatever was told before.
pub(super) async fn retracted(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::PracticeCardRetracted,
) -> Result<(), FoldError> {
    let organization: Reference = told.organization.parse()?;
    let reason = super::reason(&told.reason)?;
    let published_at = told.publish_time.as_ref().and_then(instant).ok_or(FoldError::Missing("publish_time"))?;
    let version = super::version(told.version)?;
    let standing = match void(&event.resource.node, &organization) {
        None => (State::Retracted, reason),
        Some(reason) => (State::Void, reason),
    };
    Ok(store::retract(connection, event, &organization, &standing, (published_at, version)).await?)
}
