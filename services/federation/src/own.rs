//! This node's own entries: appended to its feed of their space, and at the backbone given their place at once.
//! Everything in one transaction, which the caller commits.

use bytes::Bytes;
use chassis::clock;
use chassis::event::Event;
use chassis::names::Space;
use sqlx::PgConnection;

use crate::accept::{self, Ordered};
use crate::border::{Border, BorderError};
use crate::governance;
use crate::store::entries::{self, NewEntry};
use crate::store::nodes::Initiative;
use crate::store::{feeds, order};
use crate::wire::{self, Chain, FeedName, Link};

/// Who told events.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// The border itself: the rooms do not know them yet.
    Border,
    /// A room of this node; none of them is beyond this number in its sequence.
    Room(&'a str, u64),
}

/// Appends events to this node's feed of their space and gives them their place, if this node is the backbone.
///
/// # Errors
/// Where this node itself fails.
pub async fn tell(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    space: &Space,
    events: &[(Event, Bytes)],
    by: By<'_>,
) -> Result<(), BorderError> {
    // Locks are taken in one order wherever places are given: members space, feed, order of the space.
    let backbone = initiative.backbone == *border.node();
    let members = Space::members(&initiative.initiative);
    if backbone {
        order::lock(connection, &members).await?;
    }
    for links in append(border, connection, space, events, by).await?.split_inclusive(ends_frame()) {
        if !backbone {
            continue;
        }
        let feed = own_feed(border, space);
        let Some(head) = links.last().map(|link| link.digest) else { continue };
        let governed_by = order::lock(connection, &members).await?.position;
        let seal = wire::seal(&border.keys, &head);
        let chain = Chain { feed, previous: wire::GENESIS, links: links.to_vec(), seal };
        let told_here = matches!(by, By::Border);
        accept::place(border, connection, &Ordered { initiative, governed_by, chain: &chain, told_here }).await?;
    }
    Ok(())
}

/// A frame ends when it is full, and after an event that changes what the next is judged by.
fn ends_frame() -> impl FnMut(&Link) -> bool {
    // Room for the seal, and for one more event of any size.
    const ROOM: usize = wire::FRAME_BYTES - 4096 - wire::EVENT_BYTES;
    let (mut bytes, mut entries) = (0, 0);
    move |link| {
        bytes += wire::weight(link);
        entries += 1;
        let ends = bytes >= ROOM || entries >= wire::FRAME_ENTRIES || governance::changes(&link.event_type);
        if ends {
            (bytes, entries) = (0, 0);
        }
        ends
    }
}

/// This node's own feed of a space.
pub fn own_feed(border: &Border, space: &Space) -> FeedName {
    FeedName { space: space.clone(), origin: border.node().clone(), epoch: wire::EPOCH }
}

async fn append(
    border: &Border,
    connection: &mut PgConnection,
    space: &Space,
    events: &[(Event, Bytes)],
    by: By<'_>,
) -> Result<Vec<Link>, BorderError> {
    let name = own_feed(border, space);
    let mut feed = feeds::lock(connection, &name).await?;
    let mut entries = Vec::with_capacity(events.len());
    for (event, bytes) in events {
        let salt = clock::random().map_err(|_| BorderError::Randomness)?;
        let link = wire::entry(&name, feed.sequence + 1, &feed.digest, event, bytes.clone(), salt);
        feed.sequence = link.sequence;
        feed.digest = link.digest;
        let told = match by {
            By::Border => None,
            By::Room(room, number) => Some((room.to_owned(), number)),
        };
        entries.push(NewEntry { link, event_id: Some(event.id), refused: None, told });
    }
    entries::append(connection, &name, &entries).await?;
    feeds::advance(connection, &name, &feed).await?;
    Ok(entries.into_iter().map(|entry| entry.link).collect())
}
