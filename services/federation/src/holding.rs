//! How far a node may hold the order of a space.

use chassis::circles;
use chassis::names::Space;
use sqlx::PgConnection;

use crate::domain::{self, Holder};
use crate::store::unsigned;

/// Up to which position a node may hold a space, as this node knows it; `None` where not at all. Who is in a circle holds
/// it from its beginning, and who was taken out up to the word that did so. A follower is in none, whatever is told.
///
/// # Errors
/// Where the database fails.
pub async fn up_to(
    connection: &mut PgConnection,
    space: &Space,
    holder: Holder<'_>,
) -> Result<Option<u64>, sqlx::Error> {
    if !domain::may_hold(space, holder) {
        return Ok(None);
    }
    if domain::is_circle(space) {
        return Ok(circles::held_up_to(connection, space, holder.node).await?.map(unsigned));
    }
    Ok(Some(u64::MAX))
}
