//! Endorsements, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract;
use crate::domain::endorsement::State;
use crate::domain::spoken_by_another;
use crate::store::endorsement as store;

pub(super) async fn given(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::EndorsementGiven,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let given = contract::endorsement::read(&mut violations, &told.version, &told.organization, &told.statement);
    let (version, organization, statement) = sound(&violations, given, "endorsement")?;
    let void = spoken_by_another(&event.resource, &organization, event.actor.organization.as_ref());
    let state = match &void {
        None => (State::Given, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(store::insert(connection, event, (&version, &organization, &statement), state).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::EndorsementWithdrawn,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let reason = contract::endorsement::read_reason(&mut violations, &told.reason);
    let reason = sound(&violations, reason, "reason")?;
    Ok(store::withdraw(connection, &event.resource, &reason, event.made_at).await?)
}
