//! What this room hears of nodes from the border.

use chassis::event::Event;
use chassis::room::{FoldError, Folded};
use proto::federation::{NodeAdmitted, NodeEnded};
use sqlx::PgConnection;

use super::{by, message};
use crate::store;

pub(super) async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    if let Some(admitted) = message::<NodeAdmitted>(event)? {
        store::node::admit(connection, by(event)?, &admitted.node.parse()?, &admitted.display_name).await?;
    } else if let Some(ended) = message::<NodeEnded>(event)? {
        store::node::end(connection, by(event)?, &ended.node.parse()?, &ended.reason).await?;
    } else {
        return Ok(Folded::Ignored);
    }
    Ok(Folded::Applied)
}
