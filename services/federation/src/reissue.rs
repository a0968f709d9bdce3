//! What diverged: told by this node before it knew that it was restored, where the others hold something else. It is
//! taken out of the feed, the rooms are told that it was refused, and a person decides whether it is told again.

use std::collections::BTreeSet;

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Event, Place, timestamp};
use chassis::log::{self, Line};
use chassis::names::Space;
use proto::federation::{Acceptance, Refusal};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::border::{Border, BorderError};
use crate::own::{self, By};
use crate::store::nodes::Initiative;
use crate::store::reissues::{self, Reissue, Withdrawn};
use crate::store::restored::Standing;
use crate::store::{order, signed, unsigned};
use crate::verdict::{self, Told};
use crate::wire;

/// What the rooms are told.
const REASON: &str =
    "told before this node knew that it was restored: `commonweal reissue` tells it again, or drops it";

/// Takes all that the backbone has not judged out of this node's feeds of a space, since the others hold something else
/// in its place. What is in `again` (digests of headers) comes back at once; the rest waits for a person.
///
/// # Errors
/// Where the database fails.
pub async fn withdraw(
    border: &Border,
    connection: &mut PgConnection,
    space: &Space,
    again: &BTreeSet<Vec<u8>>,
    place: Place,
) -> Result<(), BorderError> {
    let withdrawn = reissues::withdraw(connection, space, border.node()).await?;
    let read = |one: Withdrawn| {
        let bytes = one.event.filter(|_| !again.contains(&one.digest))?;
        Some((one.epoch, one.sequence, Event::decode(&bytes).ok()?, bytes))
    };
    let events: Vec<_> = withdrawn.into_iter().filter_map(read).collect();
    put_aside(border, connection, space, &events, place).await
}

/// Holds back what needs not or must not go out by itself after a restore: what stands in an entry already, and what was
/// told before the restore was found.
///
/// # Errors
/// Where the database fails.
pub async fn withhold(
    border: &Border,
    connection: &mut PgConnection,
    standing: &Standing,
    space: &Space,
    events: &[(Event, Bytes)],
    by: By<'_>,
) -> Result<Vec<(Event, Bytes)>, BorderError> {
    if standing.epoch == wire::FIRST_EPOCH || matches!(by, By::Border) {
        return Ok(events.to_vec());
    }
    let ids: Vec<Uuid> = events.iter().map(|(event, _)| event.id).collect();
    let known: BTreeSet<Uuid> = reissues::known(connection, &ids).await?.into_iter().collect();
    let unknown = events.iter().filter(|(event, _)| !known.contains(&event.id)).cloned();
    let early = |event: &Event| standing.review_before.is_some_and(|before| event.made_at < before);
    let (aside, on): (Vec<_>, Vec<_>) = unknown.partition(|(event, _)| early(event));
    let aside: Vec<_> = aside.into_iter().map(|(event, bytes)| (0, 0, event, bytes)).collect();
    let position = order::read(connection, space).await?.position.max(1);
    put_aside(border, connection, space, &aside, Place { position: signed(position), at: clock::now() }).await?;
    Ok(on)
}

async fn put_aside(
    border: &Border,
    connection: &mut PgConnection,
    space: &Space,
    events: &[(u32, u64, Event, Bytes)],
    place: Place,
) -> Result<(), BorderError> {
    if events.is_empty() {
        return Ok(());
    }
    tracing::warn!(%space, events = events.len(), "what was told before the restore was found waits to be looked at");
    reissues::keep(connection, space, events).await?;
    let refused = |number| Refusal { sequence: number, code: String::new(), reason: REASON.to_owned() };
    let said = Acceptance {
        initiative: space.initiative().map(ToString::to_string).unwrap_or_default(),
        space: wire::within(space),
        position: unsigned(place.position),
        accepted_at: Some(timestamp(place.at)),
        refused: (1..).take(events.len()).map(refused).collect(),
        ..Acceptance::default()
    };
    let ids: Vec<(u64, Uuid)> = (1..).zip(events).map(|(number, (_, _, event, _))| (number, event.id)).collect();
    let types = events.iter().map(|(_, _, event, _)| event.type_name.clone()).collect();
    let line = verdict::line(border, &said, &ids, Told { by: Vec::new(), types }, place);
    Ok(log::append_told(connection, crate::NAME, &[line]).await?)
}

/// Tells again what was put aside, as of now: the same words about the same resource, as another event.
///
/// # Errors
/// Where this node itself fails, or is restored.
pub async fn send(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    reissue: &Reissue,
) -> Result<(), BorderError> {
    let Ok(event) = Event::decode(&reissue.event) else { return Ok(()) };
    let event = Event { id: clock::new_id(), made_at: clock::now(), ..event };
    let bytes = Bytes::from(event.encode());
    if initiative.backbone != *border.node() {
        // At the backbone its place is told with it.
        log::append_told(connection, crate::NAME, &[Line::folded(&event, bytes.to_vec())]).await?;
    }
    let space = event.space.clone();
    own::tell(border, connection, initiative, &space, &[(event, bytes)], By::Border).await
}
