//! Requests answered already: the same request id again has one effect and the same answer.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::errors;

const KEPT_DAYS: i32 = 7;
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// A request id in its written form: 8 to 64 visible ASCII characters.
///
/// # Errors
/// `INVALID_ARGUMENT` where it is not.
pub fn id(text: &str) -> Result<&str, Status> {
    if (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(errors::invalid("request_id", "must be 8 to 64 visible ASCII characters, and new for every new request"))
}

/// What makes a request id unique.
pub(crate) struct Claim<'a> {
    /// Pseudonym of the caller.
    pub(crate) caller: &'a str,
    /// Path of the method.
    pub(crate) method: &'a str,
    /// The id the caller gave.
    pub(crate) request_id: &'a str,
}

impl Claim<'_> {
    /// Takes the id for this transaction, or finds the answer given under it. The insert comes first, so that of two
    /// at the same instant one waits until the other has committed.
    pub(crate) async fn take(
        &self,
        connection: &mut PgConnection,
        digest: &[u8; 32],
    ) -> Result<Option<Vec<u8>>, Status> {
        let inserted = sqlx::query(
            "insert into requests (caller, method, request_id, digest) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(self.caller)
        .bind(self.method)
        .bind(self.request_id)
        .bind(digest.as_slice())
        .execute(&mut *connection)
        .await
        .map_err(errors::database)?;
        if inserted.rows_affected() == 1 {
            return Ok(None);
        }
        let (before, reply) = self.before(connection).await.map_err(errors::database)?;
        if before != digest {
            return Err(errors::invalid("request_id", "another request was made under this id: take a new one"));
        }
        reply.map(Some).ok_or_else(errors::collided)
    }

    async fn before(&self, connection: &mut PgConnection) -> Result<(Vec<u8>, Option<Vec<u8>>), sqlx::Error> {
        sqlx::query_as("select digest, reply from requests where caller = $1 and method = $2 and request_id = $3")
            .bind(self.caller)
            .bind(self.method)
            .bind(self.request_id)
            .fetch_one(connection)
            .await
    }

    /// Keeps the answer.
    pub(crate) async fn keep(&self, connection: &mut PgConnection, reply: &[u8]) -> Result<(), sqlx::Error> {
        sqlx::query("update requests set reply = $4 where caller = $1 and method = $2 and request_id = $3")
            .bind(self.caller)
            .bind(self.method)
            .bind(self.request_id)
            .bind(reply)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Forgets requests that are older than 7 days; tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn prune(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query("delete from requests where at < clock_timestamp() - make_interval(days => $1)")
        .bind(KEPT_DAYS)
        .execute(connection)
        .await?;
    Ok(pruned.rows_affected())
}

/// Prunes every hour until `stop`.
pub async fn keep_pruned(service: &'static str, pool: PgPool, stop: CancellationToken) {
    let mut hourly = tokio::time::interval(PRUNE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hourly.tick() => {}
        }
        let pruned = async { prune(&mut *pool.acquire().await?).await };
        if let Err(error) = pruned.await {
            tracing::warn!(service, %error, "answered requests not pruned; tried again in an hour");
        }
    }
}
