//! With which of its keys this node seals now, and how far.

use chassis::names::Space;
use proto::federation::Seal;
use sqlx::PgConnection;

use super::BackboneKeys;
use crate::border::Border;
use crate::store::key_changes;
use crate::store::nodes::{self, Initiative};
use crate::store::order;
use crate::wire::{self, FeedName, Head};

/// How entries of a feed are to be sealed.
#[derive(Clone, Copy, Debug)]
pub struct Sealing {
    /// With the key whose public one this is.
    pub key: Head,
    /// And none behind this sequence.
    pub most: u64,
}

/// Seals a head that is judged by a position.
///
/// # Errors
/// Where the database fails.
pub async fn seal(
    connection: &mut PgConnection,
    border: &Border,
    initiative: &Initiative,
    position: u64,
    head: &Head,
) -> Result<Seal, sqlx::Error> {
    // Hardly ever is there more than one to choose from.
    let key = match border.keys.is_changing() {
        false => None,
        true => known(connection, border, initiative, position).await?.and_then(|keys| keys.last().copied()),
    };
    Ok(wire::seal_with(&border.keys, &key.unwrap_or_else(|| border.keys.public()), head))
}

/// This node's own keys, first to current, as the order knows them at a position; `None` where it does not belong yet.
///
/// # Errors
/// Where the database fails.
pub(super) async fn known(
    connection: &mut PgConnection,
    border: &Border,
    initiative: &Initiative,
    position: u64,
) -> Result<Option<Vec<Head>>, sqlx::Error> {
    if initiative.backbone == *border.node() {
        return Ok(Some(BackboneKeys::read(connection, initiative).await?.current(position).to_vec()));
    }
    let node = nodes::node_at(connection, &initiative.initiative, border.node(), position).await?;
    Ok(node.map(|node| node.keys))
}

/// How a partner seals entries of one of its feeds on their way to the backbone; `None` where they must wait, because it
/// is not known yet which of its keys counts there.
///
/// # Errors
/// Where the database fails.
pub async fn sealing(
    connection: &mut PgConnection,
    border: &Border,
    initiative: &Initiative,
    feed: &FeedName,
) -> Result<Option<Sealing>, sqlx::Error> {
    if !border.keys.is_changing() {
        return Ok(Some(Sealing { key: border.keys.public(), most: u64::MAX }));
    }
    let members = Space::members(&initiative.initiative);
    // Asked first: were it judged between the two questions, the former key would seal what comes behind it.
    let told = key_changes::told(connection, &initiative.initiative, border.node()).await?;
    let position = order::read(connection, &members).await?.position;
    let known = known(connection, border, initiative, position).await?;
    let Some(key) = known.and_then(|keys| keys.last().copied()) else { return Ok(None) };
    let most = match told.iter().find(|told| !told.judged) {
        None => u64::MAX,
        Some(told) if feed.space == members && feed.epoch == told.epoch => told.sequence,
        Some(_) => 0,
    };
    Ok(Some(Sealing { key, most }))
}
