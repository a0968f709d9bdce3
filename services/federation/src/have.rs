//! What a node says it has, and what the other side makes of it: the one mechanism behind confirmation, gaps, catching
//! up after weeks, and the first fill of a newcomer.

use bytes::Bytes;
use chassis::names::{NodeId, Reference, Space};
use proto::federation::Have;
use proto::federation::have::{FeedHead, SpaceHead};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::store::feeds::{self, Feed};
use crate::store::order;
use crate::wire::{self, FeedName};

/// Everything that matters to the link between `writer` and the backbone: the writer's feeds, and the spaces it may
/// hold.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, initiative: &Reference, writer: &NodeId) -> Result<Have, BorderError> {
    let reference = initiative.to_string();
    let feeds = feeds::of_origin(connection, &reference, writer).await?;
    let spaces = order::spaces(connection, &reference).await?;
    let held = spaces.into_iter().filter(|(space, _)| crate::domain::may_hold(space, writer));
    Ok(Have {
        feeds: feeds.iter().map(|(name, feed)| feed_head(name, feed)).collect(),
        spaces: held.map(|(space, order)| space_head(&reference, &space, &order)).collect(),
        answer: false,
        resume: false,
    })
}

fn feed_head(name: &FeedName, feed: &Feed) -> FeedHead {
    FeedHead {
        initiative: name.space.initiative().map(ToString::to_string).unwrap_or_default(),
        space: wire::within(&name.space),
        origin: name.origin.to_string(),
        epoch: name.epoch,
        sequence: feed.sequence,
        digest: Bytes::copy_from_slice(&feed.digest),
    }
}

fn space_head(initiative: &str, space: &Space, order: &order::Order) -> SpaceHead {
    SpaceHead {
        initiative: initiative.to_owned(),
        space: wire::within(space),
        position: order.position,
        digest: Bytes::copy_from_slice(&order.digest),
    }
}

/// The feeds of `writer` that the other side names, each with how far it has it. Others are not this link's business.
pub fn feeds_of(have: &Have, writer: &NodeId) -> Vec<(FeedName, u64, Bytes)> {
    let feeds = have.feeds.iter().filter_map(|head| {
        let name = FeedName {
            space: Space::within(&head.initiative, &head.space).ok()?,
            origin: head.origin.parse().ok()?,
            epoch: head.epoch,
        };
        (name.origin == *writer).then(|| (name, head.sequence, head.digest.clone()))
    });
    feeds.collect()
}

/// The spaces of an initiative that the other side names and may hold, each with how far it has it.
pub fn spaces_of(have: &Have, initiative: &Reference, holder: &NodeId) -> Vec<(Space, u64)> {
    let spaces = have.spaces.iter().filter_map(|head| {
        let space = Space::within(&head.initiative, &head.space).ok()?;
        let fits = space.initiative() == Some(initiative) && crate::domain::may_hold(&space, holder);
        (fits && i64::try_from(head.position).is_ok()).then_some((space, head.position))
    });
    spaces.collect()
}
