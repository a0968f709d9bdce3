//! What the backbone has at its hub, kept whole: what the hub has lost is made again as soon as that is seen.

use std::time::Duration;

use chassis::backoff::Backoff;
use tokio::sync::watch;

use crate::border::BorderError;
use crate::hub::{BackboneMailbox, Dialler, MailboxError, Road};
use crate::link::Link;
use crate::links::Links;
use crate::store::links;

/// How often it is looked whether the hub still has what is behind an open road.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long between two tries to make it again, the first time and at the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Something at the hub that can get lost there.
pub(crate) trait Lossy {
    /// Whether the hub lets us in and has it no more.
    fn is_missing(&self) -> impl Future<Output = bool> + Send;

    /// Makes it again, or whatever of it is missing.
    fn make(&self) -> impl Future<Output = Result<(), BorderError>> + Send;
}

/// The mailbox of a link.
pub(crate) struct MailboxOf<'a> {
    pub(crate) works: &'a Links,
    pub(crate) link: &'a Link,
    pub(crate) mailbox: &'a BackboneMailbox,
}

impl Lossy for MailboxOf<'_> {
    async fn is_missing(&self) -> bool {
        self.mailbox.backlog().await == Err(MailboxError::Missing)
    }

    async fn make(&self) -> Result<(), BorderError> {
        let Self { works, link, .. } = self;
        let mut connection = works.border().pool.acquire().await?;
        let row = links::read(&mut connection, &link.peer, &link.initiative.initiative).await?;
        drop(connection);
        let row = row.filter(|row| row.ending.is_none() && row.ended_at.is_none());
        match row.and_then(|row| serde_json::from_value(row.mailbox).ok()) {
            Some(keys) => works.open_mailbox(&keys).await,
            // It is to end: what is missing stays so until it does.
            None => std::future::pending().await,
        }
    }
}

/// The account where invited parties knock.
pub(crate) struct Desk<'a>(pub(crate) &'a Links);

impl Lossy for Desk<'_> {
    async fn is_missing(&self) -> bool {
        // It is no more than its account.
        false
    }

    async fn make(&self) -> Result<(), BorderError> {
        self.0.open_enrolment().await
    }
}

/// Makes something at the hub again whenever it turns out to be lost, for ever: the hub does not let us in to it any
/// more, or lets us in and has it no more.
pub(crate) async fn tend(what: &str, lossy: impl Lossy, mut road: watch::Receiver<Road>, dialler: &Dialler) {
    let mut patience = Backoff::between(AGAIN.0, AGAIN.1);
    let mut failing = false;
    loop {
        if !is_lost(&lossy, &mut road).await {
            patience.reset();
            continue;
        }
        match lossy.make().await {
            Ok(()) => {
                failing = false;
                tracing::info!(what, "made again at the hub");
                dialler.now();
                let _ = tokio::time::timeout(LOOK_EVERY, road.wait_for(Road::is_open)).await;
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(what, %error, "not made again at the hub yet");
                }
                failing = true;
            }
        }
        patience.wait().await;
    }
}

/// Comes at once where the hub refuses us, never where nobody looks after the road any more, else after a while with
/// whether it has lost something.
async fn is_lost(lossy: &impl Lossy, road: &mut watch::Receiver<Road>) -> bool {
    let refused = road.wait_for(|road| matches!(road, Road::Refused(_)));
    match tokio::time::timeout(LOOK_EVERY, refused).await.map(|road| road.is_ok()) {
        Ok(true) => true,
        Ok(false) => std::future::pending().await,
        Err(_) => lossy.is_missing().await,
    }
}
