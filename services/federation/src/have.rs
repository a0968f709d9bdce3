//! What a node says it has, and what the other side makes of it: the one mechanism behind confirmation, gaps, catching
//! up after weeks, and the first fill of a newcomer.

use std::collections::BTreeMap;

use bytes::Bytes;
use chassis::names::{NodeId, Reference, Space};
use proto::federation::Have;
use proto::federation::have::{FeedHead, SpaceHead};
use sqlx::PgConnection;

use crate::border::{Border, BorderError};
use crate::domain::{self, Holder};
use crate::holding;
use crate::store::entries;
use crate::store::feeds::{self, Feed};
use crate::store::nodes::Initiative;
use crate::store::order::{self, Order};
use crate::store::quarantine::{self, Finding, Standing};
use crate::wire::{self, FeedName};

/// Everything that matters to the link between `partner` and the backbone: the partner's feeds, and the spaces it may
/// hold. Said by the partner itself (`own`) these are the spaces it holds: of a circle into which it comes it holds the
/// beginning before it knows that it is in it.
///
/// # Errors
/// Where the database fails.
pub async fn of(
    connection: &mut PgConnection,
    initiative: &Reference,
    partner: Holder<'_>,
    own: bool,
) -> Result<Have, BorderError> {
    let reference = initiative.to_string();
    let feeds = feeds::of_origin(connection, &reference, partner.node).await?;
    let spaces = order::spaces(connection, &reference).await?;
    let mut held = Vec::new();
    for (space, order) in spaces {
        let may = match own {
            true => domain::may_hold(&space, partner),
            // Of a circle that it was taken out of, it learns no more, not even how far it goes.
            false => holding::up_to(connection, &space, partner).await?.is_some_and(|last| last >= order.position),
        };
        if may {
            held.push(space_head(&reference, &space, &order));
        }
    }
    Ok(Have {
        feeds: feeds.iter().map(|(name, feed)| feed_head(name, feed)).collect(),
        spaces: held,
        ..Have::default()
    })
}

fn feed_head(name: &FeedName, feed: &Feed) -> FeedHead {
    FeedHead {
        initiative: name.space.initiative().map(ToString::to_string).unwrap_or_default(),
        space: wire::within(&name.space),
        origin: name.origin.to_string(),
        epoch: name.epoch,
        sequence: feed.sequence,
        digest: digest(feed.sequence, &feed.digest),
    }
}

fn space_head(initiative: &str, space: &Space, order: &Order) -> SpaceHead {
    SpaceHead {
        initiative: initiative.to_owned(),
        space: wire::within(space),
        position: order.position,
        digest: digest(order.position, &order.digest),
    }
}

/// Empty at 0: nothing stands there.
fn digest(number: u64, digest: &wire::Head) -> Bytes {
    if number == 0 { Bytes::new() } else { Bytes::copy_from_slice(digest) }
}

/// What the other side says it has, sorted by whether it fits what is held here.
#[derive(Clone, Debug)]
pub struct Heads<N> {
    /// Up to where both sides hold the same.
    pub agreed: Vec<(N, u64)>,
    /// Where the two histories have parted: nothing more is sent there.
    pub parted: Vec<N>,
}

impl<N> Heads<N> {
    /// The same for the pace: what parted counts as sent for ever.
    pub fn for_pace(self) -> impl Iterator<Item = (N, u64)> {
        let parted = self.parted.into_iter().map(|name| (name, u64::MAX));
        self.agreed.into_iter().chain(parted)
    }
}

/// The spaces of an initiative that a partner names and may hold. One that says it is at a place where this node's
/// order has another step, or none, has parted from it; that is shown.
///
/// # Errors
/// Where the database fails.
pub async fn agreed_spaces(
    connection: &mut PgConnection,
    have: &Have,
    (border, initiative): (&Border, &Reference),
    holder: Holder<'_>,
) -> Result<Heads<Space>, BorderError> {
    let mut named = BTreeMap::<Space, (u64, Bytes)>::new();
    for head in &have.spaces {
        let Ok(space) = Space::within(&head.initiative, &head.space) else { continue };
        if space.initiative() == Some(initiative) && holding::up_to(connection, &space, holder).await?.is_some() {
            named.insert(space, (head.position, head.digest.clone()));
        }
    }
    let heads: Vec<(Space, u64, Bytes)> =
        named.into_iter().map(|(space, (position, digest))| (space, position, digest)).collect();
    let agreed = order::agreed(connection, &heads).await?;
    let mut sorted = Heads { agreed: Vec::new(), parted: Vec::new() };
    for (space, position, _) in heads {
        if agreed.contains(&space) {
            sorted.agreed.push((space, position));
            continue;
        }
        if !border.restored.is() {
            let reason = format!("it holds a step {position} of this space's order that was never made here");
            note_fork(connection, holder.node, &space, holder.node, position, reason).await?;
        }
        sorted.parted.push(space);
    }
    Ok(sorted)
}

/// How far the backbone, which was restored, holds the orders that are held here; what it does not name it does not have.
/// Where it made another step since, nothing more is sent.
///
/// # Errors
/// Where the database fails.
pub async fn held_by_backbone(
    connection: &mut PgConnection,
    have: &Have,
    initiative: &Reference,
) -> Result<Heads<Space>, BorderError> {
    let mut sorted = Heads { agreed: Vec::new(), parted: Vec::new() };
    for (space, order) in order::spaces(connection, &initiative.to_string()).await? {
        let names = |head: &&SpaceHead| Space::within(&head.initiative, &head.space).is_ok_and(|named| named == space);
        let said = have.spaces.iter().find(names).cloned().unwrap_or_default();
        if said.position > order.position {
            sorted.agreed.push((space, order.position));
            continue;
        }
        let head = (space.clone(), said.position, said.digest);
        match order::agreed(connection, &[head]).await?.is_empty() {
            true => sorted.parted.push(space),
            false => sorted.agreed.push((space, said.position)),
        }
    }
    Ok(sorted)
}

/// This node's own feeds, up to where the backbone says that it has them. Where it holds an entry that this node never
/// made, the two have parted; that is shown.
///
/// # Errors
/// Where the database fails.
pub async fn agreed_feeds(
    connection: &mut PgConnection,
    have: &Have,
    initiative: &Initiative,
    border: &Border,
) -> Result<Heads<FeedName>, BorderError> {
    let mut sorted = Heads { agreed: Vec::new(), parted: Vec::new() };
    let (reference, writer) = (initiative.initiative.to_string(), border.node());
    for (name, _) in feeds::of_origin(connection, &reference, writer).await? {
        let said = have.feeds.iter().find(|head| names(head, &name));
        let sequence = said.map_or(0, |head| head.sequence);
        let digest = said.map(|head| head.digest.clone()).unwrap_or_default();
        let held = entries::digest_at(connection, &name, sequence).await?;
        let same = sequence == 0 || held.is_some_and(|held| digest.as_ref() == held);
        if same {
            sorted.agreed.push((name, sequence));
            continue;
        }
        // Of a node that is known to be restored nothing else is expected.
        if !border.restored.is() {
            let reason = format!("the backbone holds an entry {sequence} that this node never made");
            note_fork(connection, &initiative.backbone, &name.space, writer, sequence, reason).await?;
        }
        sorted.parted.push(name);
    }
    Ok(sorted)
}

fn names(head: &FeedHead, name: &FeedName) -> bool {
    head.epoch == name.epoch
        && head.origin == name.origin.as_str()
        && Space::within(&head.initiative, &head.space).is_ok_and(|space| space == name.space)
}

async fn note_fork(
    connection: &mut PgConnection,
    peer: &NodeId,
    space: &Space,
    origin: &NodeId,
    sequence: u64,
    reason: String,
) -> Result<(), BorderError> {
    let (space, origin) = (space.to_string(), origin.to_string());
    let finding =
        Finding { node: peer, space, origin, sequence, code: "FORK", reason, standing: Standing::Open, bytes: &[] };
    Ok(quarantine::add(connection, &finding).await?)
}
