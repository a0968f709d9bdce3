//! Postings, as their events make them. What comes once one is met or withdrawn is counted and changes nothing.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::membership as message;
use sqlx::PgConnection;

use super::{by, by_itself, reason};
use crate::contract::posting::read_profile;
use crate::domain::PostingState;
use crate::store::posting as store;

pub(super) async fn made(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PostingMade,
) -> Result<(), FoldError> {
    save(connection, event, told.posting.as_ref()).await
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PostingRevised,
) -> Result<(), FoldError> {
    save(connection, event, told.posting.as_ref()).await
}

/// An organization posts for itself: it lives on the node that tells it, and it is told on its behalf.
async fn save(connection: &mut PgConnection, event: &Event, told: Option<&message::Posting>) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let profile = read_profile(&mut violations, told);
    let profile = sound(&violations, profile, "posting")?;
    let said = told.ok_or(FoldError::Missing("posting"))?;
    let by = by_itself(event, &said.initiative, &said.reference)?;
    let signed_for = event.actor.organization.as_ref();
    if profile.organization.node != event.resource.node
        || signed_for.is_some_and(|signed_for| *signed_for != profile.organization)
    {
        return Err(FoldError::Missing("organization, which must post for itself from its own node,"));
    }
    Ok(store::save(connection, by, &profile).await?)
}

pub(super) async fn met(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PostingMet,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    Ok(store::close(connection, by(event)?, PostingState::Met, &reason).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::PostingWithdrawn,
) -> Result<(), FoldError> {
    let reason = reason(&told.reason)?;
    Ok(store::close(connection, by(event)?, PostingState::Withdrawn, &reason).await?)
}
