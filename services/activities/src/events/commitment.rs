//! Commitments, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, sound};
use proto::activities as message;
use sqlx::PgConnection;

use super::{reason, void_because};
use crate::contract::commitment::{read_definition, read_evidence, write_definition, write_evidence};
use crate::domain::commitment::{Definition, Promise, State, Step};
use crate::store::commitment as rows;

/// The event that begins it.
pub fn made(resource: &Reference, space: &Space, definition: &Definition) -> Fact {
    Fact::of(resource, space, &message::CommitmentMade { definition: Some(write_definition(definition)) })
}

/// A step as an event.
pub fn told(resource: &Reference, space: &Space, step: &Step) -> Fact {
    match step {
        Step::Met(evidence) => {
            let evidence = Some(write_evidence(evidence));
            Fact::of(resource, space, &message::CommitmentMet { evidence })
        }
        Step::Missed(reason) => Fact::of(resource, space, &message::CommitmentMissed { reason: reason.clone() }),
        Step::Withdrawn(reason) => Fact::of(resource, space, &message::CommitmentWithdrawn { reason: reason.clone() }),
    }
}

fn definition(message: Option<&message::CommitmentDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn follow_made(
    connection: &mut PgConnection,
    event: &Event,
    told: message::CommitmentMade,
) -> Result<(), FoldError> {
    let content = Promise::made(definition(told.definition.as_ref())?);
    let void = void_because(event, &content);
    let state = match &void {
        None => (State::Open, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(rows::insert(connection, &event.resource, &event.space, &content, state, event.made_at).await?)
}

pub(super) async fn follow_met(
    connection: &mut PgConnection,
    event: &Event,
    told: message::CommitmentMet,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let evidence = read_evidence(&mut violations, told.evidence.as_ref());
    follow(connection, event, Step::Met(sound(&violations, evidence, "evidence")?)).await
}

pub(super) async fn follow_missed(
    connection: &mut PgConnection,
    event: &Event,
    told: message::CommitmentMissed,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Missed(reason(&told.reason)?)).await
}

pub(super) async fn follow_withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: message::CommitmentWithdrawn,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Withdrawn(reason(&told.reason)?)).await
}

async fn follow(connection: &mut PgConnection, event: &Event, step: Step) -> Result<(), FoldError> {
    let Some(mut commitment) = rows::load_locked(connection, &event.resource).await? else { return Ok(()) };
    match commitment.take(step) {
        Ok(()) => Ok(rows::save(connection, &commitment, event.made_at).await?),
        Err(_) => Ok(rows::touch(connection, &event.resource, event.made_at).await?),
    }
}
