//! What a follower knows of those whose entries it is sent. Who belongs to the initiative stands in the members space,
//! which it does not hold: so it is shown their keys, which prove themselves.

use chassis::identity;
use chassis::names::NodeId;
use proto::federation::{NodeKey, Seal};
use sqlx::PgConnection;

use crate::store::nodes::Initiative;
use crate::store::{key_chains, key_changes};
use crate::wire::{self, Chain, Head, Step, WireError};

/// The keys of a node: those that are kept here, or more of them that are shown now. None where what is shown is not
/// this node's, or another way on from what was shown before.
///
/// # Errors
/// Where the database fails.
pub async fn keys(
    connection: &mut PgConnection,
    node: &NodeId,
    shown: &[NodeKey],
) -> Result<Vec<NodeKey>, sqlx::Error> {
    let kept = key_chains::read(connection, node).await?;
    if shown.is_empty() {
        return Ok(kept);
    }
    let one_way = kept.iter().zip(shown).all(|(kept, shown)| kept.public_key == shown.public_key);
    if !one_way || identity::verify_chain(node, shown).is_err() {
        return Ok(Vec::new());
    }
    Ok(if shown.len() > kept.len() { shown.to_vec() } else { kept })
}

/// The same without what proves them.
///
/// # Errors
/// Where the database fails.
pub async fn heads(connection: &mut PgConnection, node: &NodeId, shown: &[NodeKey]) -> Result<Vec<Head>, sqlx::Error> {
    let keys = keys(connection, node, shown).await?;
    Ok(keys.iter().filter_map(|key| wire::head(&key.public_key)).collect())
}

/// Keeps what was shown of a node's keys: later steps, and whoever verifies this node, need them.
///
/// # Errors
/// Where the database fails.
pub async fn remember(connection: &mut PgConnection, node: &NodeId, shown: &[NodeKey]) -> Result<(), sqlx::Error> {
    match keys(connection, node, shown).await?.as_slice() {
        [] => Ok(()),
        keys => key_chains::keep(connection, node, keys).await,
    }
}

/// Checks that the backbone sealed a step. From where on a key counts stands in the members space; what a follower can
/// see is that nobody goes back to a key that another was used after.
///
/// # Errors
/// Where the database fails; and what is wrong with the seal.
pub async fn check_step(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step,
    seal: &Seal,
    shown: &[NodeKey],
) -> Result<Result<(), WireError>, sqlx::Error> {
    let before = step.acceptance.position.saturating_sub(1);
    let before = key_changes::of_step(connection, &step.feed.space, before).await?;
    check(connection, &initiative.backbone, shown, (seal, &step.digest), before).await
}

/// Checks that the origin of a frame sealed it.
///
/// # Errors
/// Where the database fails; and what is wrong with the seal.
pub async fn check_frame(
    connection: &mut PgConnection,
    chain: &Chain,
    shown: &[NodeKey],
) -> Result<Result<(), WireError>, sqlx::Error> {
    let before = key_changes::of_newest_frame(connection, &chain.feed.space, &chain.feed.origin).await?;
    check(connection, &chain.feed.origin, shown, (&chain.seal, &chain.head()), before).await
}

async fn check(
    connection: &mut PgConnection,
    node: &NodeId,
    shown: &[NodeKey],
    (seal, head): (&Seal, &Head),
    before: Option<Head>,
) -> Result<Result<(), WireError>, sqlx::Error> {
    let keys = heads(connection, node, shown).await?;
    Ok(check_onward(seal, head, node, &keys, before.as_ref()))
}

/// Checks a seal with the keys of a node, first to last, none of them before one that it has used already.
///
/// # Errors
/// What is wrong with the seal.
pub fn check_onward(
    seal: &Seal,
    head: &Head,
    node: &NodeId,
    keys: &[Head],
    before: Option<&Head>,
) -> Result<(), WireError> {
    wire::check_seal(seal, head, node, keys)?;
    let number = |wanted: &[u8]| keys.iter().position(|key| key.as_slice() == wanted);
    match before.and_then(|before| number(before)) > number(&seal.key) {
        true => Err(WireError::FormerKey(node.clone())),
        false => Ok(()),
    }
}
