//! Proposals and their revisions, as their events make them. Whether a revision or a withdrawal came in time follows from
//! its place in the order and is asked when it is read: a home's own events are folded before they have one.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::parse;
use chassis::room::{FoldError, sound};
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract;
use crate::domain::{Content, spoken_by_another};
use crate::store::proposal as store;

fn content(message: Option<&message::ProposalRevision>) -> Result<Content, FoldError> {
    let mut violations = Violations::default();
    let content = contract::proposal::read_content(&mut violations, message);
    sound(&violations, content, "revision")
}

pub(super) async fn made(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::ProposalMade,
) -> Result<(), FoldError> {
    let content = content(told.revision.as_ref())?;
    let mut violations = Violations::default();
    let version = parse::reference(&mut violations, "version", &told.version);
    let version = sound(&violations, version, "version")?;
    let organization = parse::reference(&mut violations, "organization", &told.organization);
    let organization = sound(&violations, organization, "organization")?;
    let void = spoken_by_another(&event.resource, &organization, event.actor.organization.as_ref());
    store::insert(connection, event, (&version, &organization), &void.unwrap_or_default()).await?;
    Ok(store::add_revision(connection, event, &content).await?)
}

pub(super) async fn amended(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::ProposalAmended,
) -> Result<(), FoldError> {
    let content = content(told.revision.as_ref())?;
    store::touch(connection, &event.resource, event.made_at).await?;
    Ok(store::add_revision(connection, event, &content).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::ProposalWithdrawn,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let reason = contract::endorsement::read_reason(&mut violations, &told.reason);
    let reason = sound(&violations, reason, "reason")?;
    Ok(store::withdraw(connection, event, &reason).await?)
}
