//! This node's own entries: appended to its feed of their space, and at the backbone given their place at once.
//! Everything in one transaction, which the caller commits.

use bytes::Bytes;
use chassis::clock;
use chassis::event::Event;
use chassis::names::Space;
use sqlx::PgConnection;

use crate::accept::{self, Ordered, Source};
use crate::belonging::Belonging;
use crate::border::{Border, BorderError};
use crate::store::entries::{self, NewEntry};
use crate::store::nodes::Initiative;
use crate::store::{feeds, order};
use crate::wire::{self, Chain, FeedName, Link};
use crate::{erasure, governance, keys, reissue};

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
    let standing = border.restored.may_write(connection).await?;
    let feed = own_feed(border, space, standing.epoch);
    if initiative.backbone != *border.node() {
        let events = reissue::withhold(border, connection, &standing, space, events, by).await?;
        append(connection, &feed, &events, by).await?;
        return Ok(());
    }
    // Locks are taken in one order wherever places are given: members space, feed, order of the space.
    let members_space = Space::members(&initiative.initiative);
    let mut members = order::lock(connection, &members_space).await?;
    let events = reissue::withhold(border, connection, &standing, space, events, by).await?;
    let frames = frames(append(connection, &feed, &events, by).await?);
    for (nth, links) in frames.into_iter().enumerate() {
        let Some(head) = links.last().map(|link| link.digest) else { continue };
        if nth > 0 {
            members = order::lock(connection, &members_space).await?;
        }
        let seal = keys::seal(connection, border, initiative, members.position, &head).await?;
        let chain = &Chain { feed: feed.clone(), previous: wire::GENESIS, links, seal };
        // The root's word says that the backbone belongs.
        let (members, belonging, by) = (&members, &Belonging::default(), Source::Here(by));
        accept::place(border, connection, Ordered { initiative, members, belonging, chain, by }).await?;
    }
    Ok(())
}

/// A frame ends when it is full, and after an event that changes what the next is judged by.
fn frames(links: Vec<Link>) -> Vec<Vec<Link>> {
    // Room for the seal.
    const ROOM: usize = wire::FRAME_BYTES - 4096;
    let (mut frames, mut room) = (Vec::<Vec<Link>>::new(), 0);
    for link in links {
        let weight = wire::weight(&link);
        match frames.last_mut() {
            Some(frame) if weight <= room && frame.len() < usize::from(wire::FRAME_ENTRIES) => room -= weight,
            _ => {
                frames.push(Vec::new());
                room = ROOM.saturating_sub(weight);
            }
        }
        if governance::changes(&link.event_type) {
            room = 0;
        }
        if let Some(frame) = frames.last_mut() {
            frame.push(link);
        }
    }
    frames
}

/// This node's own feed of a space.
fn own_feed(border: &Border, space: &Space, epoch: u32) -> FeedName {
    FeedName { space: space.clone(), origin: border.node().clone(), epoch }
}

async fn append(
    connection: &mut PgConnection,
    name: &FeedName,
    events: &[(Event, Bytes)],
    by: By<'_>,
) -> Result<Vec<Link>, BorderError> {
    let mut feed = feeds::lock(connection, name).await?;
    let mut entries = Vec::with_capacity(events.len());
    for (event, bytes) in events {
        let salt = clock::random().map_err(|_| BorderError::Randomness)?;
        let erases = erasure::named(connection, name, event, &entries).await?;
        let (sequence, previous) = (feed.sequence + 1, feed.digest);
        let link = wire::erasing_entry(name, sequence, &previous, event, bytes.clone(), salt, erases);
        feed.sequence = link.sequence;
        feed.digest = link.digest;
        let told = match by {
            By::Border => None,
            By::Room(room, number) => Some((room.to_owned(), number)),
        };
        let resource = erasure::found_by(event);
        entries.push(NewEntry { link, event_id: Some(event.id), resource, refused: None, told });
    }
    if !entries.is_empty() {
        entries::append(connection, name, &feed, &entries).await?;
    }
    Ok(entries.into_iter().map(|entry| entry.link).collect())
}
