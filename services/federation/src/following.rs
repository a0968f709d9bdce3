//! What a follower knows of those whose entries it is sent. Who belongs to the initiative stands in the members space,
//! which it does not hold: so it is shown their keys, which prove themselves.

use chassis::identity;
use chassis::names::NodeId;
use proto::federation::NodeKey;
use sqlx::PgConnection;

use crate::store::key_chains;

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
