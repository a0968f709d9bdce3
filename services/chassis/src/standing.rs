//! How a service stands: how far it has heard the others, what stands in its way, and what it holds. Asked over the
//! local broker, since it may run in another process.

use futures_util::StreamExt;
use prost::Message;
use proto::common::standing::Heard;
use proto::common::{HeldEvent, HeldOf, Standing};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::broker;
use crate::event::timestamp;
use crate::inbox::Troubles;

/// At most so many held events are named.
const FIRST_HELD: i64 = 20;

/// Answers `AskStanding` for one service.
pub struct Standings {
    /// Name of the service.
    pub service: &'static str,
    /// Its connections.
    pub pool: PgPool,
    /// The local broker.
    pub client: async_nats::Client,
    /// What stands in the way of its inbox.
    pub troubles: Troubles,
}

#[derive(sqlx::FromRow)]
struct Held {
    r#type: String,
    resource: String,
    reason: Option<String>,
    recorded_at: OffsetDateTime,
}

impl Standings {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Ok(mut asked) = self.client.subscribe(broker::standing_subject(self.service)).await else { return };
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return,
                message = asked.next() => message,
            };
            let Some(message) = message else { return };
            if let Err(error) = self.answer(message).await {
                tracing::warn!(service = self.service, %error, "standing not answered");
            }
        }
    }

    async fn answer(&self, message: async_nats::Message) -> Result<(), sqlx::Error> {
        let Some(reply) = message.reply else { return Ok(()) };
        let standing = self.now(&mut *self.pool.acquire().await?).await?;
        if let Err(error) = self.client.publish(reply, standing.encode_to_vec().into()).await {
            tracing::warn!(service = self.service, %error, "standing not answered");
        }
        Ok(())
    }

    async fn now(&self, connection: &mut PgConnection) -> Result<Standing, sqlx::Error> {
        let told: i64 =
            sqlx::query_scalar("select coalesce(max(sequence), 0) from relayed").fetch_one(&mut *connection).await?;
        let heard: Vec<(String, i64)> =
            sqlx::query_as("select source, sequence from heard order by source").fetch_all(&mut *connection).await?;
        let held: i64 =
            sqlx::query_scalar("select count(*) from log where standing = 'held'").fetch_one(&mut *connection).await?;
        let first: Vec<Held> = sqlx::query_as(
            "select type, resource, reason, recorded_at from log where standing = 'held' order by position limit $1",
        )
        .bind(FIRST_HELD)
        .fetch_all(&mut *connection)
        .await?;
        let held_of: Vec<(String, String, i64)> = sqlx::query_as(
            "select split_part(resource, '/', 1), coalesce(substring(space from '^[^/]+/[^/]+'), ''), count(*)
               from log where standing = 'held' group by 1, 2 order by 1, 2",
        )
        .fetch_all(&mut *connection)
        .await?;
        let of = |(node, initiative, held)| HeldOf { node, initiative, held: unsigned(held) };
        Ok(Standing {
            held_of: held_of.into_iter().map(of).collect(),
            told: unsigned(told),
            heard: self.heard(heard),
            held: unsigned(held),
            first_held: first.into_iter().map(held_event).collect(),
        })
    }

    /// Every source that was heard, and those that could not be heard at all.
    fn heard(&self, heard: Vec<(String, i64)>) -> Vec<Heard> {
        let mut troubles = self.troubles.now();
        let with = |(source, sequence): (String, i64), trouble: Option<(OffsetDateTime, String)>| {
            let since = trouble.as_ref().map(|(since, _)| timestamp(*since));
            let trouble = trouble.map(|(_, words)| words).unwrap_or_default();
            Heard { source, sequence: unsigned(sequence), trouble, since }
        };
        let mut all: Vec<Heard> = heard
            .into_iter()
            .map(|(source, sequence)| {
                let trouble = troubles.remove(&source);
                with((source, sequence), trouble)
            })
            .collect();
        all.extend(troubles.into_iter().map(|(source, trouble)| with((source, 0), Some(trouble))));
        all
    }
}

fn held_event(held: Held) -> HeldEvent {
    HeldEvent {
        r#type: held.r#type,
        resource: held.resource,
        reason: held.reason.unwrap_or_default(),
        since: Some(timestamp(held.recorded_at)),
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
