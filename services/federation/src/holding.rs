//! How far a node may hold the order of a space.

use chassis::circles;
use chassis::names::{NodeId, Space};
use sqlx::PgConnection;

use crate::domain;
use crate::store::unsigned;

/// Up to which position a node may hold a space, as this node knows it; `None` where not at all. Who is in a circle holds
/// it from its beginning, and who was taken out up to the word that did so.
///
/// # Errors
/// Where the database fails.
pub async fn up_to(connection: &mut PgConnection, space: &Space, node: &NodeId) -> Result<Option<u64>, sqlx::Error> {
    if domain::is_circle(space) {
        return Ok(circles::held_up_to(connection, space, node).await?.map(unsigned));
    }
    Ok(domain::may_hold(space, node).then_some(u64::MAX))
}
