//! Messages, as their events make them.
//!
//! What the border lets in may still be void by this room's own rules: a message for an organization that does not live
//! on its home. It is kept, and marked void with its reason, alike on every node. What hangs on the channel is looked at
//! when it is read.

use chassis::errors::Violations;
use chassis::event::{Event, instant};
use chassis::room::{FoldError, sound};
use proto::messaging as wire;
use sqlx::PgConnection;

use crate::contract::message::{read_body, read_byline, read_heading};
use crate::domain::message::{Change, Heading, State, void_by_itself};
use crate::store::{entry, message as store};

fn heading(message: Option<&wire::MessageHeading>) -> Result<Heading, FoldError> {
    let mut violations = Violations::default();
    let heading = message.and_then(|message| read_heading(&mut violations, "heading.", message));
    sound(&violations, heading, "heading")
}

fn standing(event: &Event, heading: &Heading, state: State) -> (State, String) {
    match void_by_itself(&event.resource.node, heading, event.actor.organization.as_ref()) {
        None => (state, String::new()),
        Some(reason) => (State::Void, reason),
    }
}

pub(super) async fn posted(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MessagePosted,
) -> Result<(), FoldError> {
    let heading = heading(told.heading.as_ref())?;
    let mut violations = Violations::default();
    let body = read_body(&mut violations, &told.body);
    let byline = read_byline(&mut violations, &told.byline);
    let body = sound(&violations, body, "body")?;
    let byline = sound(&violations, byline, "byline")?;
    let said = store::Said { heading: &heading, body: &body, byline: &byline };
    if store::insert(connection, event, &said, &standing(event, &heading, State::Posted)).await? {
        entry::insert(connection, event, &heading, Change::Posted).await?;
    }
    Ok(())
}

pub(super) async fn edited(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MessageEdited,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let body = read_body(&mut violations, &told.body);
    let body = sound(&violations, body, "body")?;
    match store::load(connection, &event.resource).await? {
        Some(message) if message.state == State::Posted => {
            store::edit(connection, &event.resource, &body, event.made_at).await?;
            Ok(entry::insert(connection, event, &message.heading, Change::Edited).await?)
        }
        _ => Ok(store::touch(connection, &event.resource, event.made_at).await?),
    }
}

/// Leaves of a message what this event says of it, whatever was told before: who comes later, or folds the log again,
/// has nothing but this event.
pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::MessageWithdrawn,
) -> Result<(), FoldError> {
    let heading = heading(told.heading.as_ref())?;
    let posted_at = told.post_time.as_ref().and_then(instant).ok_or(FoldError::Missing("post_time"))?;
    let version = super::version(told.version)?;
    let standing = standing(event, &heading, State::Withdrawn);
    store::withdraw(connection, event, &heading, &standing, (posted_at, version)).await?;
    entry::forget(connection, &event.resource).await?;
    Ok(entry::insert(connection, event, &heading, Change::Withdrawn).await?)
}
