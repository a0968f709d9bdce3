//! Needs, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, sound};
use proto::activities as message;
use sqlx::PgConnection;

use super::{reason, void_because};
use crate::contract::need::{read_definition, write_definition};
use crate::domain::need::{Definition, State, Step};
use crate::store::need as rows;

/// The event that begins it.
pub fn stated(resource: &Reference, space: &Space, definition: &Definition) -> Fact {
    Fact::of(resource, space, &message::NeedStated { definition: Some(write_definition(definition)) })
}

/// A step as an event.
pub fn told(resource: &Reference, space: &Space, step: &Step) -> Fact {
    match step {
        Step::Closed(reason) => Fact::of(resource, space, &message::NeedClosed { reason: reason.clone() }),
    }
}

fn definition(message: Option<&message::NeedDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn follow_stated(
    connection: &mut PgConnection,
    event: &Event,
    told: message::NeedStated,
) -> Result<(), FoldError> {
    let content = definition(told.definition.as_ref())?;
    let void = void_because(event, &content);
    let state = match &void {
        None => (State::Open, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(rows::insert(connection, &event.resource, &event.space, &content, state, event.made_at).await?)
}

pub(super) async fn follow_closed(
    connection: &mut PgConnection,
    event: &Event,
    told: message::NeedClosed,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Closed(reason(&told.reason)?)).await
}

async fn follow(connection: &mut PgConnection, event: &Event, step: Step) -> Result<(), FoldError> {
    let Some(mut need) = rows::load_locked(connection, &event.resource).await? else { return Ok(()) };
    match need.take(step) {
        Ok(()) => Ok(rows::save(connection, &need, event.made_at).await?),
        Err(_) => Ok(rows::touch(connection, &event.resource, event.made_at).await?),
    }
}
