//! How a link ends. That it is to end is committed first; then the hub shuts the node out, what it had sent before is
//! taken in, the members are told, and the mailbox is taken down. Every step may be repeated, and what is left of them
//! is carried out again until all are done, whatever ended in between.

use std::time::Duration;

use chassis::clock;
use chassis::names::{NodeId, Reference};

use crate::border::BorderError;
use crate::hub::MailboxKeys;
use crate::links::Links;
use crate::store::links::{self, LinkRow};
use crate::store::nodes;
use crate::{enrol, governance};

const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// Decides that a link is to end. From here on it will.
///
/// # Errors
/// Where the database fails.
pub async fn intend(works: &Links, node: &NodeId, initiative: &Reference, reason: &str) -> Result<(), BorderError> {
    let mut connection = works.border().pool.acquire().await?;
    Ok(links::intend_end(&mut connection, node, initiative, reason).await?)
}

/// Does what is left to do for a link that is to end. A hub that cannot be reached holds up nothing but itself: it is
/// told later, and until then nobody comes through it.
///
/// # Errors
/// Where the database fails.
pub async fn carry_out(works: &Links, node: &NodeId, initiative: &Reference) -> Result<(), BorderError> {
    let row = links::read(&mut *works.border().pool.acquire().await?, node, initiative).await?;
    let Some(row) = row.filter(|row| row.ending.is_some() && row.closed_at.is_none()) else { return Ok(()) };
    let keys: Option<MailboxKeys> = serde_json::from_value(row.mailbox.clone()).ok();
    if row.ended_at.is_none() {
        if let Some(keys) = &keys {
            shut_out(works, &row, keys).await;
        }
        tell_of_end(works, &row).await?;
        tracing::info!(node.id = %row.node, "link ended");
    }
    works.end(node, initiative);
    works.border().committed();
    if let Some(keys) = &keys
        && let Err(error) = works.close_mailbox(keys).await
    {
        tracing::warn!(node.id = %row.node, %error, "its mailbox stays at the hub until that can be reached");
        return Ok(());
    }
    Ok(links::closed(&mut *works.border().pool.acquire().await?, node, initiative, clock::now()).await?)
}

/// Ends the node's connection, and lets what it sent before come in, for a moment.
async fn shut_out(works: &Links, row: &LinkRow, keys: &MailboxKeys) {
    if let Err(error) = works.revoke(keys).await {
        return tracing::warn!(node.id = %row.node, %error, "the hub is told later that the node is shut out");
    }
    let Some(link) = works.get(&row.node, &row.initiative) else { return };
    let empty = async {
        while link.mailbox.backlog().await.is_some_and(|backlog| backlog > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(DRAIN_WITHIN, empty).await.is_err() {
        tracing::warn!(node.id = %row.node, "not all that the node had sent was taken in before its link ended");
    }
}

/// Tells the members, once; of a follower they were told nothing.
async fn tell_of_end(works: &Links, row: &LinkRow) -> Result<(), BorderError> {
    let mut transaction = works.border().pool.begin().await?;
    let link = links::lock(&mut transaction, &row.node, &row.initiative).await?;
    let Some(link) = link.filter(|link| link.ended_at.is_none()) else { return Ok(()) };
    if !link.follower
        && let Some(initiative) = nodes::initiative(&mut transaction, &row.initiative).await?
    {
        let fact = governance::ended(&row.initiative, &row.node, &link.ending.unwrap_or_default());
        enrol::tell(works.border(), &mut transaction, &initiative, &fact).await?;
    }
    links::end(&mut transaction, &row.node, &row.initiative, clock::now()).await?;
    Ok(transaction.commit().await?)
}
