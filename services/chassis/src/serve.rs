//! What runs behind a room: its relay, its inbox, the answers about its state, and the pruning of old requests.

use std::convert::Infallible;
use std::sync::Arc;

use axum::response::IntoResponse;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;

use crate::desk::Desk;
use crate::digest::Digests;
use crate::fold;
use crate::hearing::Hearing;
use crate::held::Retry;
use crate::inbox::Inbox;
use crate::ledger::Ledger;
use crate::relay::Relay;
use crate::requests;
use crate::room::{FoldError, Room};
use crate::standing::Standings;

/// A room that answers calls.
pub trait Answers: Room {
    /// The gRPC service.
    type Service: tower::Service<http::Request<Body>, Error = Infallible, Response: IntoResponse, Future: Send + 'static>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static;

    /// Answers at a desk, in messages of at most so many bytes.
    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service
    where
        Self: Sized;
}

/// The tasks of one room, until they are told to stop.
pub struct Running {
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts them. What was held is folded first: this version may know it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn start<R: Room>(
        ledger: &Ledger<R>,
        client: &async_nats::Client,
        stop: &CancellationToken,
    ) -> Result<Self, FoldError> {
        let pool = &ledger.pool;
        let mut transaction = pool.begin().await?;
        fold::retry_held::<R>(&mut transaction).await?;
        transaction.commit().await?;

        let mut tasks = JoinSet::new();
        tasks.spawn(Relay::new(R::NAME, pool.clone(), client.clone(), ledger.wake()).run(stop.clone()));
        let hearing = Hearing::of(ledger);
        tasks.spawn(Retry::<R>::new(pool.clone(), hearing.folded(), client.clone()).run(stop.clone()));
        let inbox = Inbox::new(Arc::new(hearing), pool.clone(), client.clone());
        let (service, troubles) = (R::NAME, inbox.troubles());
        let standings = Standings { service, pool: pool.clone(), client: client.clone(), troubles };
        tasks.spawn(standings.run(stop.clone()));
        tasks.spawn(inbox.run(stop.clone()));
        tasks.spawn(Digests::<R>::new(pool.clone(), client.clone()).run(stop.clone()));
        let (pulse, stopped) = (ledger.pulse().clone(), stop.clone().cancelled_owned());
        tasks.spawn(async move {
            stopped.await;
            pulse.end();
        });
        tasks.spawn(requests::keep_pruned(R::NAME, pool.clone(), stop.clone()));
        Ok(Self { tasks })
    }

    /// Waits until all have stopped.
    pub async fn stopped(self) {
        self.tasks.join_all().await;
    }
}
