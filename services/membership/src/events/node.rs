//! What this room hears of nodes from the border.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::federation::{NodeAdmitted, NodeEnded};
use sqlx::PgConnection;

use super::by;
use crate::contract::node::{read_admitted, read_ended};
use crate::store::node as store;

pub(super) async fn admitted(
    connection: &mut PgConnection,
    event: &Event,
    told: &NodeAdmitted,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let admitted = read_admitted(&mut violations, told);
    let (node, display_name) = sound(&violations, admitted, "node or display_name")?;
    Ok(store::admit(connection, by(event)?, &node, &display_name).await?)
}

pub(super) async fn ended(connection: &mut PgConnection, event: &Event, told: &NodeEnded) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let ended = read_ended(&mut violations, told);
    let (node, reason) = sound(&violations, ended, "node or reason")?;
    Ok(store::end(connection, by(event)?, &node, &reason).await?)
}
