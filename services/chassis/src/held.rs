//! Events that are held are tried again by themselves: soon after something new was folded, and now and then besides,
//! less and less often while nothing comes of it.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, LONGEST};
use crate::fold;
use crate::room::{FoldError, Room};

/// How long between two tries at the least.
const WAIT: Duration = Duration::from_secs(1);
/// Resources that are tried again in one go.
const RESOURCES: i64 = 200;

/// Tries the held events of one room again.
pub struct Retry<R> {
    pool: PgPool,
    wake: Arc<Notify>,
    room: PhantomData<R>,
}

impl<R: Room> Retry<R> {
    /// Tries again in `pool`; `wake` tells that something new was folded or held.
    pub fn new(pool: PgPool, wake: Arc<Notify>) -> Self {
        Self { pool, wake, room: PhantomData }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.try_for_ever() => {}
        }
    }

    async fn try_for_ever(&self) {
        let (mut patience, mut before) = (Backoff::between(WAIT, LONGEST), 0);
        let mut failing = false;
        loop {
            let tried = Instant::now();
            match self.once().await {
                Ok(left) => {
                    failing = false;
                    if left == 0 || left != before {
                        patience.reset();
                    }
                    before = left;
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(service = R::NAME, %error, "held events not tried again yet");
                    }
                    failing = true;
                }
            }
            let wait = patience.step();
            // Where nothing is held there is nothing to try until something new came.
            match (failing, before) {
                (true, _) => {}
                (false, 0) => self.wake.notified().await,
                (false, _) => drop(tokio::time::timeout(wait, self.wake.notified()).await),
            }
            tokio::time::sleep_until(tried + wait).await;
        }
    }

    /// Folds each resource of which an event is held again, in a transaction of its own. Tells how many are left.
    async fn once(&self) -> Result<usize, FoldError> {
        let resources = resources(&mut *self.pool.acquire().await?).await?;
        let mut left = 0;
        for resource in resources {
            let mut transaction = self.pool.begin().await?;
            // Meanwhile nothing is taken in: what comes for the resource comes behind it.
            sqlx::query("select from heard for update").execute(&mut *transaction).await?;
            fold::refold::<R>(&mut transaction, &resource).await?;
            let held: bool =
                sqlx::query_scalar("select exists (select from log where standing = 'held' and resource = $1)")
                    .bind(&resource)
                    .fetch_one(&mut *transaction)
                    .await?;
            transaction.commit().await?;
            if held {
                left += 1;
            } else {
                tracing::info!(service = R::NAME, resource, "what was held is folded");
            }
        }
        Ok(left)
    }
}

async fn resources(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select resource from log where standing = 'held' group by resource order by min(position) limit $1",
    )
    .bind(RESOURCES)
    .fetch_all(connection)
    .await
}
