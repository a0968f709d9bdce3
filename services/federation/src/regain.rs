//! A node takes back what it told itself and lost: from those who hold it, verified as anything else that comes from
//! outside. What it told since in the same place is put aside.

use std::collections::BTreeSet;

use chassis::event::Place;
use chassis::log::Line;
use chassis::names::NodeId;
use proto::federation::{Accepted, Seal};
use sqlx::{Connection, PgConnection};

use crate::accept::{self, Outcome};
use crate::border::{Border, BorderError};
use crate::keep::{self, Kept};
use crate::receive::{self, NotTaken, Origin};
use crate::reissue;
use crate::store::nodes::Initiative;
use crate::store::{entries, order};
use crate::wire::{self, Chain, Step};

/// Takes a step about own entries that are not held here, or not all of them, or not these. Nobody but this node could
/// have sealed them: it was restored, whether it knows or not.
///
/// # Errors
/// Why not: [`NotTaken::Lost`] where the entries did not come along.
pub(crate) async fn own(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    (step, seal): (&Step, &Seal),
    (message, origin): (&Accepted, Origin<'_>),
    place: Place,
) -> Result<(), NotTaken> {
    let frame = message.frame.as_ref().ok_or(NotTaken::Lost)?;
    let chain = wire::read(frame)?;
    // What turns out not to verify must have changed nothing.
    let mut savepoint = connection.begin().await?;
    take(border, &mut savepoint, initiative, (step, seal), (&chain, origin), place).await?;
    savepoint.commit().await?;
    tracing::info!(space = %step.feed.space, epoch = step.feed.epoch, sequence = chain.last(), "own entries taken back");
    Ok(())
}

async fn take(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    (step, seal): (&Step, &Seal),
    (chain, origin): (&Chain, Origin<'_>),
    place: Place,
) -> Result<(), NotTaken> {
    let again: BTreeSet<Vec<u8>> = chain.links.iter().map(|link| link.digest.to_vec()).collect();
    reissue::withdraw(border, connection, &step.feed.space, &again, place).await?;
    let verdicts = receive::verify(connection, initiative, step, chain, origin).await?;
    border.restored.found_out(connection).await?;

    order::append(connection, step, seal, &chain.seal).await?;
    let acceptance = &step.acceptance;
    let kept = Kept { initiative, chain, acceptance, verdicts, place };
    keep::entries(connection, &kept).await?;
    let own = entries::own(connection, &step.feed, acceptance.from, acceptance.to).await?;
    // A service that told some of them before the restore, and knows them still, learns of their place by the last line.
    let lines: Vec<Line> =
        keep::lines(&kept).into_iter().chain([keep::judged(border, acceptance, &own, place)]).collect();
    Ok(keep::hand_on(connection, &kept, &lines).await?)
}

/// Takes a step of its own order that a partner sends to the backbone: one that it made, and lost. Unasked it is not read;
/// what was still on the road when enough was known is no news.
///
/// # Errors
/// Where this node itself fails; it is to be tried again.
pub(crate) async fn order(
    border: &Border,
    connection: &mut PgConnection,
    (initiative, asked): (&Initiative, bool),
    partner: &NodeId,
    (bytes, message): (&[u8], &Accepted),
) -> Result<Outcome, BorderError> {
    if asked || border.restored.is() {
        return receive::accepted(border, connection, initiative, message).await;
    }
    match receive::read(border, initiative, message) {
        Ok(_) => Ok(Outcome::Dropped),
        Err(_) => accept::malformed(connection, partner, bytes).await,
    }
}
