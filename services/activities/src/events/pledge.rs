//! Pledges, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, sound};
use proto::activities as message;
use sqlx::PgConnection;

use super::{reason, void_because};
use crate::contract::pledge::{read_definition, write_definition};
use crate::domain::pledge::{Definition, State, Step};
use crate::store::pledge as rows;

/// The event that begins it.
pub fn made(resource: &Reference, space: &Space, definition: &Definition) -> Fact {
    Fact::of(resource, space, &message::PledgeMade { definition: Some(write_definition(definition)) })
}

/// A step as an event.
pub fn told(resource: &Reference, space: &Space, step: &Step) -> Fact {
    match step {
        Step::Kept => Fact::of(resource, space, &message::PledgeKept {}),
        Step::Withdrawn(reason) => Fact::of(resource, space, &message::PledgeWithdrawn { reason: reason.clone() }),
    }
}

fn definition(message: Option<&message::PledgeDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn follow_made(
    connection: &mut PgConnection,
    event: &Event,
    told: message::PledgeMade,
) -> Result<(), FoldError> {
    let content = definition(told.definition.as_ref())?;
    let void = void_because(event, &content);
    let state = match &void {
        None => (State::Open, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(rows::insert(connection, &event.resource, &event.space, &content, state, event.made_at).await?)
}

pub(super) async fn follow_kept(
    connection: &mut PgConnection,
    event: &Event,
    _: message::PledgeKept,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Kept).await
}

pub(super) async fn follow_withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: message::PledgeWithdrawn,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Withdrawn(reason(&told.reason)?)).await
}

async fn follow(connection: &mut PgConnection, event: &Event, step: Step) -> Result<(), FoldError> {
    let Some(mut pledge) = rows::load_locked(connection, &event.resource).await? else { return Ok(()) };
    match pledge.take(step) {
        Ok(()) => Ok(rows::save(connection, &pledge, event.made_at).await?),
        Err(_) => Ok(rows::touch(connection, &event.resource, event.made_at).await?),
    }
}
