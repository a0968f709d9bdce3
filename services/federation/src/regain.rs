//! A node takes back what it told itself and lost: from those who hold it, verified as anything else that comes from
//! outside. What it told since in the same place is put aside.

use std::collections::BTreeSet;

use chassis::event::Place;
use chassis::log::Line;
use proto::federation::{Accepted, Seal};
use sqlx::{Connection, PgConnection};

use crate::belonging::Belonging;
use crate::border::Border;
use crate::keep::{self, Kept};
use crate::receive::{self, NotTaken};
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
    (message, origin): (&Accepted, &Belonging),
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
    (chain, origin): (&Chain, &Belonging),
    place: Place,
) -> Result<(), NotTaken> {
    let again: BTreeSet<Vec<u8>> = chain.links.iter().map(|link| link.digest.to_vec()).collect();
    reissue::withdraw(border, connection, &step.feed.space, &again, place).await?;
    let verdicts = receive::verify(connection, initiative, step, chain, (Some(origin), &[])).await?;
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
