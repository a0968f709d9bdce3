//! Events that are held are tried again by themselves: soon after something new was folded, and now and then besides,
//! less and less often while nothing comes of it; and at once when somebody asks, who may just have mended what was wrong.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, LONGEST};
use crate::broker;
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
    client: Client,
    room: PhantomData<R>,
}

impl<R: Room> Retry<R> {
    /// Tries again in `pool`; `wake` tells that something new was folded or held, and `client` what others ask.
    pub fn new(pool: PgPool, wake: Arc<Notify>, client: Client) -> Self {
        Self { pool, wake, client, room: PhantomData }
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
        let mut asked = self.client.subscribe(broker::retry_subject(R::NAME)).await.ok();
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
            tokio::select! {
                () = self.rest(failing, before, tried, wait) => {}
                () = next(&mut asked) => patience.reset(),
            }
        }
    }

    /// Where nothing is held there is nothing to try until something new came.
    async fn rest(&self, failing: bool, left: usize, tried: Instant, wait: Duration) {
        match (failing, left) {
            (true, _) => {}
            (false, 0) => self.wake.notified().await,
            (false, _) => drop(tokio::time::timeout(wait, self.wake.notified()).await),
        }
        tokio::time::sleep_until(tried + wait).await;
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

/// The next word that it is to be tried at once; never, where the broker brings none any more.
async fn next(asked: &mut Option<Subscriber>) {
    let came = match asked {
        Some(subscriber) => subscriber.next().await.is_some(),
        None => false,
    };
    if !came {
        std::future::pending::<()>().await;
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
