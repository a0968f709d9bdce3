//! The relay: numbers committed events without gaps, publishes them, and sends any range again on request.
//!
//! One relay per schema works at a time, guarded by a session's advisory lock. A crash anywhere means a resend, never
//! a loss: what counts is in Postgres, and receivers see the gap and ask.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, message::PublishMessage};
use futures_util::StreamExt;
use futures_util::future::join_all;
use prost::Message;
use proto::common::{AskRange, Delivery, Range};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::broker;
use crate::crash;
use crate::event::timestamp;
use crate::telemetry::{SERVICE, TRACEPARENT, meters, of};

/// Header with the relay's sequence.
pub(crate) const SEQUENCE: &str = "Commonweal-Sequence";
/// Header with the place in the acceptance order.
pub(crate) const POSITION: &str = "Commonweal-Position";
/// Header with the instant of acceptance, microseconds since the epoch.
pub(crate) const ACCEPTED_AT: &str = "Commonweal-Accepted-At";

const POLL: Duration = Duration::from_millis(500);
const BATCH: i64 = 500;
/// A range answer stays below the broker's 1 MiB with room for one more event.
const RANGE_BYTES: usize = 512 * 1024;

/// The relay of one service.
pub struct Relay {
    source: &'static str,
    pool: PgPool,
    client: async_nats::Client,
    wake: Arc<Notify>,
}

#[derive(sqlx::FromRow)]
struct Row {
    sequence: i64,
    event_id: uuid::Uuid,
    r#type: String,
    resource: String,
    bytes: Option<Vec<u8>>,
    accepted_position: Option<i64>,
    accepted_at: Option<OffsetDateTime>,
    traceparent: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("broker: {0}")]
    Broker(String),
}

impl Relay {
    /// The relay of `source`, woken by `wake` after each commit.
    pub fn new(source: &'static str, pool: PgPool, client: async_nats::Client, wake: Arc<Notify>) -> Self {
        Self { source, pool, client, wake }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.publish_for_ever() => {}
            () = self.answer_for_ever() => {}
        }
    }

    async fn publish_for_ever(&self) {
        let mut failing = false;
        loop {
            match self.publish_while_leading().await {
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(service = self.source, %error, "relay waits; events stay in Postgres");
                }
                Err(_) => {}
                Ok(()) => failing = false,
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Takes the lock, then numbers and publishes; comes back with an error when something fails.
    async fn publish_while_leading(&self) -> Result<(), RelayError> {
        let mut connection = self.pool.acquire().await?;
        if !lead(&mut connection, self.source).await? {
            return Ok(());
        }
        // The lock belongs to the session: a connection that goes back to the pool must not take it along, not even
        // where the relay is told to stop.
        connection.close_on_drop();
        self.publish(&mut connection).await
    }

    async fn publish(&self, connection: &mut PoolConnection<Postgres>) -> Result<(), RelayError> {
        let context = jetstream::new(self.client.clone());
        broker::ensure_stream(&context).await.map_err(|error| RelayError::Broker(error.to_string()))?;
        // Nobody else moves it while this relay leads.
        let mut published: i64 =
            sqlx::query_scalar("select sequence from published").fetch_one(&mut **connection).await?;
        // What was numbered before and not published comes first; after that whatever gets a number goes out at once.
        let mut behind = true;
        let mut noted = published;
        loop {
            let rows = match behind {
                true => rows(connection, published, BATCH).await?,
                false => self.number(connection).await?,
            };
            behind &= i64::try_from(rows.len()) == Ok(BATCH);
            if let Some(last) = rows.last().map(|row| row.sequence) {
                crash::point("relay.numbered");
                self.publish_batch(&context, &rows).await?;
                crash::point("relay.published");
                published = last;
            }
            if published - noted >= BATCH || (rows.is_empty() && published > noted) {
                note_published(connection, published).await?;
                noted = published;
            } else if rows.is_empty() {
                let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
            }
        }
    }

    async fn number(&self, connection: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
        let numbered = number(connection).await?;
        meters().told.add(u64::try_from(numbered.len()).unwrap_or(0), &[of(SERVICE, self.source)]);
        Ok(numbered)
    }

    async fn publish_batch(&self, context: &jetstream::Context, rows: &[Row]) -> Result<(), RelayError> {
        let mut acknowledgements = Vec::with_capacity(rows.len());
        for row in rows {
            let sent = context.send_publish(broker::events_subject(self.source, &row.r#type), publish(row)).await;
            acknowledgements.push(sent.map_err(|error| RelayError::Broker(error.to_string()))?.into_future());
        }
        for acknowledged in join_all(acknowledgements).await {
            acknowledged.map_err(|error| RelayError::Broker(error.to_string()))?;
        }
        Ok(())
    }

    async fn answer_for_ever(&self) {
        loop {
            if let Err(error) = self.answer().await {
                tracing::warn!(service = self.source, %error, "relay cannot answer yet");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn answer(&self) -> Result<(), RelayError> {
        let broker = |error: async_nats::SubscribeError| RelayError::Broker(error.to_string());
        let mut ranges = self.client.subscribe(broker::range_subject(self.source)).await.map_err(broker)?;
        let mut calls = self.client.subscribe(broker::ROLL_CALL).await.map_err(broker)?;
        let mut returns = broker::Returns::of(&self.client);
        self.say_head().await?;
        loop {
            tokio::select! {
                () = returns.next() => self.say_head().await?,
                asked = ranges.next() => match asked {
                    Some(message) => self.answer_range(message).await?,
                    None => return Ok(()),
                },
                called = calls.next() => match called {
                    Some(_) => self.say_head().await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn answer_range(&self, message: async_nats::Message) -> Result<(), RelayError> {
        let (Some(reply), Ok(asked)) = (message.reply, AskRange::decode(message.payload)) else { return Ok(()) };
        let mut connection = self.pool.acquire().await?;
        let limit = match asked.limit {
            0 => BATCH,
            limit => i64::from(limit).min(BATCH),
        };
        let head = head(&mut connection).await?;
        let rows = rows(&mut connection, i64::try_from(asked.after).unwrap_or(i64::MAX), limit).await?;
        let range = Range { head: u64::try_from(head).unwrap_or(0), deliveries: bounded(rows) };
        self.client
            .publish(reply, range.encode_to_vec().into())
            .await
            .map_err(|error| RelayError::Broker(error.to_string()))
    }

    async fn say_head(&self) -> Result<(), RelayError> {
        let head = head(&mut *self.pool.acquire().await?).await?;
        self.client
            .publish(broker::head_subject(self.source), head.to_string().into())
            .await
            .map_err(|error| RelayError::Broker(error.to_string()))
    }
}

/// Takes the schema's lock for this session, if nobody has it.
async fn lead(connection: &mut PgConnection, source: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_lock(hashtext('commonweal relay'), hashtext($1))")
        .bind(source)
        .fetch_one(connection)
        .await
}

/// Gives committed events their sequence, in the order of their identity within this poll, and reads them: the next ones
/// after all that were numbered before.
async fn number(connection: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as(
        "with taken as (
             delete from unsequenced
              where position in (select position from unsequenced order by position limit $1)
          returning position
         ), numbered as (
             insert into relayed (sequence, position)
             select (select coalesce(max(sequence), 0) from relayed) + row_number() over (order by position), position
               from taken
             returning sequence, position
         )
         select r.sequence, l.event_id, l.type, l.resource, l.bytes, l.accepted_position, l.accepted_at, l.traceparent
           from numbered r join log l using (position) order by r.sequence",
    )
    .bind(BATCH)
    .fetch_all(connection)
    .await
}

/// Notes how far the broker confirmed. Not waited for on the disk: what a crash takes back is sent again.
async fn note_published(connection: &mut PgConnection, sequence: i64) -> Result<(), sqlx::Error> {
    sqlx::query("update published set sequence = $1 where set_config('synchronous_commit', 'off', true) is not null")
        .bind(sequence)
        .execute(connection)
        .await?;
    Ok(())
}

async fn head(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(sequence), 0) from relayed").fetch_one(connection).await
}

async fn rows(connection: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as(
        "select r.sequence, l.event_id, l.type, l.resource, l.bytes, l.accepted_position, l.accepted_at, l.traceparent
           from relayed r join log l using (position)
          where r.sequence > $1 order by r.sequence limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await
}

fn publish(row: &Row) -> PublishMessage {
    let mut headers = HeaderMap::new();
    headers.insert("ce-id", row.event_id.to_string());
    headers.insert("ce-type", row.r#type.as_str());
    headers.insert("ce-subject", row.resource.as_str());
    headers.insert(SEQUENCE, row.sequence.to_string());
    if let (Some(position), Some(at)) = (row.accepted_position, row.accepted_at) {
        headers.insert(POSITION, position.to_string());
        headers.insert(ACCEPTED_AT, (at.unix_timestamp_nanos() / 1000).to_string());
    }
    if let Some(traceparent) = &row.traceparent {
        headers.insert(TRACEPARENT, traceparent.as_str());
    }
    PublishMessage::build()
        .headers(headers)
        .message_id(row.event_id.to_string())
        .payload(row.bytes.clone().unwrap_or_default().into())
}

/// As many rows as fit a message; at least one.
fn bounded(rows: Vec<Row>) -> Vec<Delivery> {
    let mut bytes = 0;
    let fits = move |row: &Row| {
        let first = bytes == 0;
        bytes += row.bytes.as_ref().map_or(0, Vec::len) + 64;
        first || bytes <= RANGE_BYTES
    };
    rows.into_iter().take_while(fits).map(delivery).collect()
}

fn delivery(row: Row) -> Delivery {
    Delivery {
        sequence: u64::try_from(row.sequence).unwrap_or(0),
        event: row.bytes.unwrap_or_default().into(),
        position: row.accepted_position.and_then(|position| u64::try_from(position).ok()).unwrap_or(0),
        accepted_at: row.accepted_at.map(timestamp),
        traceparent: row.traceparent.unwrap_or_default(),
    }
}
