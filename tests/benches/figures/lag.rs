//! How long an event is under way from one node to another, at a modest rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chassis::clock;
use proto::measurement::SubmissionDefinition;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::figure::{Figure, Outcome, in_turns, median, quantile};
use crate::nodes::{Coalition, PATIENCE};
use crate::road::Road;
use crate::told::{self, Rows};

const EVENTS: usize = 600;
const EVERY: Duration = Duration::from_micros(1_000_000 / 300);
/// How often a reader looks.
const LOOK: Duration = Duration::from_millis(1);
const UNIT: &str = "ms";

/// Milliseconds under way, of the one in the middle and of the slowest hundredth.
pub async fn figures(coalition: &Coalition, rounds: usize) -> Outcome<[Figure; 2]> {
    let alpha = coalition.node(1)?;
    let definition = told::definition(alpha, &coalition.measure).await?;
    let event = Rows::last(&mut alpha.tables("measurement").await?).await?.told.event;
    let road = Road::open(&coalition.hub_folder(), coalition.node(0)?.config.hub.listen).await?;
    let limit = async || {
        coalition.rest().await?;
        messages(&road, &event).await
    };
    let ours = async || {
        coalition.rest().await?;
        calls(coalition, &definition).await
    };
    let (ours, limit) = in_turns(rounds, ours, limit).await?;
    road.close().await;
    let of = |turns: &[Vec<f64>], part| median(&turns.iter().map(|lags| quantile(lags, part)).collect::<Vec<_>>());
    let figure = |name, part| Figure { name, ours: of(&ours, part), limit: of(&limit, part), unit: UNIT };
    Ok([figure("federation_lag_p50", 0.5), figure("federation_lag_p99", 0.99)])
}

async fn calls(coalition: &Coalition, definition: &SubmissionDefinition) -> Outcome<Vec<f64>> {
    let (alpha, beta) = (coalition.node(1)?, coalition.node(2)?);
    let mut room = beta.tables("measurement").await?;
    let before: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from log").fetch_one(&mut room).await?;
    let arriving = tokio::spawn(watch(room, before));
    let mut under_way = JoinSet::new();
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..EVENTS {
        pace.tick().await;
        let (mut client, request) = (alpha.client.measurement(), told::open(definition));
        under_way.spawn(async move { client.open_submission(request).await });
    }
    while let Some(answer) = under_way.join_next().await {
        answer??;
    }
    let arrived = tokio::time::timeout(PATIENCE, arriving).await.map_err(|_| "events did not arrive")???;
    let resources: Vec<&String> = arrived.keys().collect();
    let written: Vec<(String, OffsetDateTime)> =
        sqlx::query_as("select resource, recorded_at from log where resource = any($1)")
            .bind(&resources)
            .fetch_all(&mut alpha.tables("measurement").await?)
            .await?;
    let lag =
        |(resource, at): &(String, OffsetDateTime)| Some((*arrived.get(resource)? - *at).as_seconds_f64() * 1000.0);
    Ok(written.iter().filter_map(lag).collect())
}

/// When a reader sees each event in a room.
async fn watch(mut room: sqlx::PgConnection, mut after: i64) -> Outcome<BTreeMap<String, OffsetDateTime>> {
    let mut arrived = BTreeMap::new();
    while arrived.len() < EVENTS {
        let new: Vec<(i64, String)> =
            sqlx::query_as("select position, resource from log where position > $1 order by 1")
                .bind(after)
                .fetch_all(&mut room)
                .await?;
        let now = clock::now();
        for (position, resource) in new {
            after = after.max(position);
            arrived.insert(resource, now);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(arrived)
}

/// Each message carries when it was sent, in the place of so many of its bytes.
pub async fn messages(road: &Road, event: &[u8]) -> Outcome<Vec<f64>> {
    let begun = Instant::now();
    let now = move || begun.elapsed().as_secs_f64() * 1000.0;
    let (from, padding) = (road.from(), event.get(8..).unwrap_or_default().to_vec());
    let sending = tokio::spawn(async move {
        let mut pace = interval(EVERY);
        let mut sent = Vec::new();
        for _ in 0..EVENTS {
            pace.tick().await;
            let message: Bytes = [now().to_le_bytes().as_slice(), &padding].concat().into();
            sent.push(from.send_up(message).await?);
        }
        for sent in sent {
            sent.await?;
        }
        Outcome::Ok(())
    });
    let arriving = async {
        let mut lags = Vec::new();
        while lags.len() < EVENTS {
            for message in road.take().await? {
                let sent_at = message.first_chunk::<8>().copied().map(f64::from_le_bytes).unwrap_or_default();
                lags.push(now() - sent_at);
            }
        }
        Outcome::Ok(lags)
    };
    let lags = tokio::time::timeout(PATIENCE, arriving).await.map_err(|_| "messages were lost on the bare road")??;
    sending.await??;
    Ok(lags)
}
