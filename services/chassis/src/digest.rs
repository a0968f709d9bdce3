//! State digests: one number that is equal on two nodes exactly when their canonical states of a space are.

use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::StreamExt;
use prost::Message;
use proto::common::{AskDigest, SpaceDigest};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::broker;
use crate::names::{Reference, Space};
use crate::room::Room;

/// Name of the service at the border, whose sequence tells how far a room has followed the other nodes.
pub const BORDER: &str = "federation";

/// The digest of a service's canonical states, which are sorted by reference.
pub fn digest(states: &[(Reference, Bytes)]) -> [u8; 32] {
    let mut whole = Sha256::new();
    for (resource, state) in states {
        whole.update(resource.to_string().as_bytes());
        whole.update(Sha256::digest(state));
    }
    whole.finalize().into()
}

/// Answers `AskDigest` for one room.
pub struct Digests<R> {
    pool: PgPool,
    client: async_nats::Client,
    room: PhantomData<R>,
}

impl<R: Room> Digests<R> {
    /// Answers from `pool`, on `client`.
    pub fn new(pool: PgPool, client: async_nats::Client) -> Self {
        Self { pool, client, room: PhantomData }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Ok(mut asked) = self.client.subscribe(broker::digest_subject(R::NAME)).await else { return };
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return,
                message = asked.next() => message,
            };
            let Some(message) = message else { return };
            if let Err(error) = self.answer(message).await {
                tracing::warn!(service = R::NAME, %error, "digest not answered");
            }
        }
    }

    async fn answer(&self, message: async_nats::Message) -> Result<(), sqlx::Error> {
        let Some(reply) = message.reply else { return Ok(()) };
        let Some(space) = AskDigest::decode(message.payload).ok().and_then(|ask| ask.space.parse().ok()) else {
            return Ok(());
        };
        let answer = self.of(&space).await?;
        if let Err(error) = self.client.publish(reply, answer.encode_to_vec().into()).await {
            tracing::warn!(service = R::NAME, %error, "digest not answered");
        }
        Ok(())
    }

    /// The digest of a space as of one snapshot of the tables.
    async fn of(&self, space: &Space) -> Result<SpaceDigest, sqlx::Error> {
        let mut snapshot = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let applied: Option<i64> = sqlx::query_scalar("select sequence from heard where source = $1")
            .bind(BORDER)
            .fetch_optional(&mut *snapshot)
            .await?;
        let states = R::states(&mut snapshot, space).await?;
        Ok(SpaceDigest {
            applied: applied.and_then(|applied| u64::try_from(applied).ok()).unwrap_or(0),
            resources: u64::try_from(states.len()).unwrap_or(0),
            digest: digest(&states).to_vec(),
        })
    }
}
