//! Decisions, as their events make them. Whether one stands follows from the order and is asked when it is read.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract;
use crate::store::decision as store;

pub(super) async fn decided(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::ProposalDecided,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let decided = contract::tally::read(&mut violations, told.definition.as_ref());
    let (proposal, tally) = sound(&violations, decided, "definition")?;
    Ok(store::insert(connection, event, &proposal, &tally).await?)
}
