//! All keys of other nodes, with what proves them.

use chassis::names::{NodeId, Space};
use proto::federation::NodeKey;
use sqlx::PgConnection;

/// The keys of a node, first to current; none where they are not known here.
///
/// # Errors
/// Where the database fails.
pub async fn read(connection: &mut PgConnection, node: &NodeId) -> Result<Vec<NodeKey>, sqlx::Error> {
    let row = sqlx::query!("select keys, signatures from federation.key_chains where node = $1", node.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| chain(row.keys, row.signatures)).unwrap_or_default())
}

/// The keys of the backbone that orders a space, where it has had more than one.
///
/// # Errors
/// Where the database fails.
pub async fn of_backbone(connection: &mut PgConnection, space: &Space) -> Result<Vec<NodeKey>, sqlx::Error> {
    let row = sqlx::query!(
        "select c.keys, c.signatures from federation.key_chains c join federation.initiatives i on i.backbone = c.node
          where i.initiative = $1 and cardinality(c.keys) > 1",
        space.initiative().map(ToString::to_string) as Option<String>,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| chain(row.keys, row.signatures)).unwrap_or_default())
}

fn chain(keys: Vec<Vec<u8>>, signatures: Vec<Vec<u8>>) -> Vec<NodeKey> {
    let key = |(key, signature): (Vec<u8>, Vec<u8>)| NodeKey { public_key: key.into(), signature: signature.into() };
    keys.into_iter().zip(signatures).map(key).collect()
}

/// Keeps the keys of a node, as they were verified; fewer than are kept already change nothing.
///
/// # Errors
/// Where the database fails.
pub async fn keep(connection: &mut PgConnection, node: &NodeId, chain: &[NodeKey]) -> Result<(), sqlx::Error> {
    let keys: Vec<Vec<u8>> = chain.iter().map(|key| key.public_key.to_vec()).collect();
    let signatures: Vec<Vec<u8>> = chain.iter().map(|key| key.signature.to_vec()).collect();
    sqlx::query!(
        "insert into federation.key_chains (node, keys, signatures) values ($1, $2, $3)
         on conflict (node) do update set keys = excluded.keys, signatures = excluded.signatures
          where cardinality(excluded.keys) > cardinality(key_chains.keys)",
        node.as_str(),
        &keys,
        &signatures,
    )
    .execute(connection)
    .await?;
    Ok(())
}
