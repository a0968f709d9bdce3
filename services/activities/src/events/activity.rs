//! Activities, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, sound};
use proto::activities as message;
use sqlx::PgConnection;

use super::{reason, void_because};
use crate::contract::activity::{read_definition, write_definition};
use crate::domain::activity::{Definition, State, Step};
use crate::store::activity as rows;

/// The event that begins it.
pub fn planned(resource: &Reference, space: &Space, definition: &Definition) -> Fact {
    Fact::of(resource, space, &message::ActivityPlanned { definition: Some(write_definition(definition)) })
}

/// A step as an event.
pub fn told(resource: &Reference, space: &Space, step: &Step) -> Fact {
    match step {
        Step::Revised(definition) => {
            let definition = Some(write_definition(definition));
            Fact::of(resource, space, &message::ActivityRevised { definition })
        }
        Step::Begun => Fact::of(resource, space, &message::ActivityBegun {}),
        Step::Completed => Fact::of(resource, space, &message::ActivityCompleted {}),
        Step::Cancelled(reason) => Fact::of(resource, space, &message::ActivityCancelled { reason: reason.clone() }),
    }
}

fn definition(message: Option<&message::ActivityDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn follow_planned(
    connection: &mut PgConnection,
    event: &Event,
    told: message::ActivityPlanned,
) -> Result<(), FoldError> {
    let content = definition(told.definition.as_ref())?;
    let void = void_because(event, &content);
    let state = match &void {
        None => (State::Planned, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(rows::insert(connection, &event.resource, &event.space, &content, state, event.made_at).await?)
}

pub(super) async fn follow_revised(
    connection: &mut PgConnection,
    event: &Event,
    told: message::ActivityRevised,
) -> Result<(), FoldError> {
    let definition = definition(told.definition.as_ref())?;
    follow(connection, event, Step::Revised(Box::new(definition))).await
}

pub(super) async fn follow_begun(
    connection: &mut PgConnection,
    event: &Event,
    _: message::ActivityBegun,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Begun).await
}

pub(super) async fn follow_completed(
    connection: &mut PgConnection,
    event: &Event,
    _: message::ActivityCompleted,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Completed).await
}

pub(super) async fn follow_cancelled(
    connection: &mut PgConnection,
    event: &Event,
    told: message::ActivityCancelled,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Cancelled(reason(&told.reason)?)).await
}

async fn follow(connection: &mut PgConnection, event: &Event, step: Step) -> Result<(), FoldError> {
    let Some(mut activity) = rows::load_locked(connection, &event.resource).await? else { return Ok(()) };
    match activity.take(step) {
        Ok(()) => Ok(rows::save(connection, &activity, event.made_at).await?),
        Err(_) => Ok(rows::touch(connection, &event.resource, event.made_at).await?),
    }
}
