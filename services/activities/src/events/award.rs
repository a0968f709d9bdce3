//! Awards, as their events make them.

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, sound};
use proto::activities as message;
use sqlx::PgConnection;

use super::{reason, void_because};
use crate::contract::award::{read_definition, read_disbursement, write_definition, write_disbursement};
use crate::domain::award::{Definition, Grant, State, Step};
use crate::store::award as rows;

/// The event that begins it.
pub fn made(resource: &Reference, space: &Space, definition: &Definition) -> Fact {
    Fact::of(resource, space, &message::AwardMade { definition: Some(write_definition(definition)) })
}

/// A step as an event.
pub fn told(resource: &Reference, space: &Space, step: &Step) -> Fact {
    match step {
        Step::Disbursed(number, part) => {
            let disbursement = Some(write_disbursement(*number, part));
            Fact::of(resource, space, &message::DisbursementRecorded { disbursement })
        }
        Step::Cancelled(reason) => Fact::of(resource, space, &message::AwardCancelled { reason: reason.clone() }),
    }
}

fn definition(message: Option<&message::AwardDefinition>) -> Result<Definition, FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, message);
    sound(&violations, definition, "definition")
}

pub(super) async fn follow_made(
    connection: &mut PgConnection,
    event: &Event,
    told: message::AwardMade,
) -> Result<(), FoldError> {
    let content = Grant::made(definition(told.definition.as_ref())?);
    let void = void_because(event, &content);
    let state = match &void {
        None => (State::Standing, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(rows::insert(connection, &event.resource, &event.space, &content, state, event.made_at).await?)
}

pub(super) async fn follow_disbursed(
    connection: &mut PgConnection,
    event: &Event,
    told: message::DisbursementRecorded,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let part = read_disbursement(&mut violations, told.disbursement.as_ref());
    let (number, part) = sound(&violations, part, "disbursement")?;
    follow(connection, event, Step::Disbursed(number, part)).await
}

pub(super) async fn follow_cancelled(
    connection: &mut PgConnection,
    event: &Event,
    told: message::AwardCancelled,
) -> Result<(), FoldError> {
    follow(connection, event, Step::Cancelled(reason(&told.reason)?)).await
}

async fn follow(connection: &mut PgConnection, event: &Event, step: Step) -> Result<(), FoldError> {
    let Some(mut award) = rows::load_locked(connection, &event.resource).await? else { return Ok(()) };
    match award.take(step) {
        Ok(()) => Ok(rows::save(connection, &award, event.made_at).await?),
        Err(_) => Ok(rows::touch(connection, &event.resource, event.made_at).await?),
    }
}
