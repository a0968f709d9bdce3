//! What is left to do of a change of this node's key is done again and again until nothing is.

use std::time::Duration;

use bytes::Bytes;
use chassis::event::{Actor, Event};
use chassis::names::Space;

use super::{Standing, standing};
use crate::border::{Border, BorderError};
use crate::domain::succession;
use crate::own::{self, By};
use crate::store::key_changes;
use crate::store::links;
use crate::store::nodes::{self, Initiative};

const EVERY: Duration = Duration::from_secs(5);

/// Follows the file of this node's keys, for as long as it runs.
pub async fn tend(border: Border) {
    let mut said = None;
    loop {
        let trouble = carry_on(&border).await.err().map(|error| error.to_string());
        // Once, and not at every turn.
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != said) {
            tracing::error!(error = trouble, "this node's key; tried again");
        }
        said = trouble;
        tokio::time::sleep(EVERY).await;
    }
}

/// Does what is left to do: takes over a new key, tells the initiatives of it, and forgets the former one once all of
/// them know it.
///
/// # Errors
/// Where the file, the database, or one of the initiatives stands in the way.
pub async fn carry_on(border: &Border) -> Result<(), BorderError> {
    let failed = |error: chassis::identity::KeyError| BorderError::Key(error.to_string());
    if border.keys.follow().map_err(failed)? {
        tracing::info!(keys = border.keys.chain().len(), "this node has a new key");
    }
    let initiatives = nodes::initiatives(&mut *border.pool.acquire().await?).await?;
    let (mut known, mut trouble) = (true, None);
    for initiative in initiatives {
        match look_after(border, &initiative).await? {
            None | Some(Standing::Known) => {}
            Some(standing @ (Standing::Lost(_) | Standing::Refused(_))) => {
                known = false;
                trouble = Some(format!("initiative {}: {}", initiative.initiative, standing.words()));
            }
            Some(_) => known = false,
        }
    }
    if known && border.keys.is_changing() {
        border.keys.forget_former().map_err(|error| {
            BorderError::Key(format!("every initiative knows the new key; the former one cannot be forgotten: {error}"))
        })?;
        tracing::info!("every initiative knows this node's key; the former one is forgotten");
    }
    trouble.map_or(Ok(()), |trouble| Err(BorderError::Key(trouble)))
}

/// Tells an initiative of the newest key, where that is left to do. `None` where this node has nothing to seal there.
async fn look_after(border: &Border, initiative: &Initiative) -> Result<Option<Standing>, BorderError> {
    let mut transaction = border.pool.begin().await?;
    let link = links::read(&mut transaction, &initiative.backbone, &initiative.initiative).await?;
    if initiative.follows || link.is_some_and(|link| link.ended_at.is_some()) {
        return Ok(None);
    }
    if standing(&mut transaction, border, initiative).await? == Standing::Untold {
        // Somebody else may be at it: nothing is told twice.
        key_changes::take_turns(&mut transaction).await?;
    }
    let standing = standing(&mut transaction, border, initiative).await?;
    if standing != Standing::Untold {
        return Ok(Some(standing));
    }
    let fact = succession::changed(&initiative.initiative, border.node(), border.keys.chain());
    let event = Event::told(&fact, border.node(), &Actor::default());
    let (id, bytes, members) = (event.id, Bytes::from(event.encode()), Space::members(&initiative.initiative));
    own::tell(border, &mut transaction, initiative, &members, &[(event, bytes)], By::Border).await?;
    key_changes::tell(&mut transaction, &initiative.initiative, &border.keys.public(), id).await?;
    transaction.commit().await?;
    border.committed();
    tracing::info!(initiative = %initiative.initiative, "told of this node's new key");
    // A backbone's own word is accepted at once; a partner's is looked at again.
    Ok(Some(Standing::Told))
}
