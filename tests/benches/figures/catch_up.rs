//! How soon a partner that was cut off has what the others told meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::event::{Actor, Fact};
use chassis::ledger::Ledger;
use chassis::names::{Reference, Space};
use chassis::room::Room;
use measurement::Measurement;
use proto::measurement::SubmissionDefinition;
use sqlx::{PgConnection, PgPool};
use tests::proxy::Weather;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::figure::{Figure, Outcome, median};
use crate::nodes::{Distant, PATIENCE, soon};
use crate::road::Road;
use crate::told::{self, Rows};
use crate::transit;

/// How many events are recorded in one commit.
const AT_ONCE: usize = 2000;
/// How many messages are on the bare road at a time.
const AT_A_TIME: usize = 10_000;
const LOOK: Duration = Duration::from_millis(2);

/// Seconds from the moment the partner reaches the hub again to the last entry in its room; beside as many messages
/// through two mailboxes.
pub async fn figure(distant: &mut Distant, name: &'static str, entries: usize, turns: usize) -> Outcome<Figure> {
    let definition = told::definition(distant.coalition.node(0)?, &distant.coalition.measure).await?;
    let mut backbone = distant.coalition.node(0)?.tables("measurement").await?;
    let event = Bytes::from(Rows::last(&mut backbone).await?.told.event);
    let database = &distant.coalition.node(0)?.database;
    let pool = chassis::database::open(database, Measurement::NAME, Measurement::migrations(), 1).await?;
    let listen = distant.coalition.node(0)?.config.hub.listen;
    let road = Road::open(&distant.coalition.hub_folder(), listen).await?;
    let (mut ours, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        distant.coalition.rest().await?;
        ours.push(after_an_outage(distant, &pool, &definition, entries).await?);
        distant.coalition.rest().await?;
        limits.push(messages(&road, &event, entries).await?);
    }
    road.close().await;
    pool.close().await;
    Ok(Figure { name, ours: median(&ours), limit: median(&limits), unit: "s" })
}

async fn after_an_outage(
    distant: &mut Distant,
    pool: &PgPool,
    definition: &SubmissionDefinition,
    entries: usize,
) -> Outcome<f64> {
    let mut room = distant.coalition.node(1)?.tables("measurement").await?;
    let before = count(&mut room).await?;
    distant.proxy.set(Weather { cut: true, ..Weather::default() });
    tell(distant, pool, definition, entries).await?;
    accepted(distant, pool).await?;
    let begun = distant.proxy.clear().await.ok_or("nobody came through")?;
    let deadline = begun + PATIENCE;
    while count(&mut room).await? < before + i64::try_from(entries)? {
        if Instant::now() > deadline {
            return Err(format!("the partner did not catch up within {PATIENCE:?}").into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Records events at the backbone.
async fn tell(distant: &Distant, pool: &PgPool, definition: &SubmissionDefinition, entries: usize) -> Outcome<()> {
    let organization: Reference = distant.coalition.node(0)?.organization.parse()?;
    let (node, space) = (organization.node.clone(), Space::members(&distant.coalition.initiative));
    let event = told::event(definition);
    let ledger = Ledger::<Measurement>::new(pool.clone(), node.clone(), Arc::new(Notify::new()));
    let actor = Actor { organization: Some(organization), person: None };
    let mut left = entries;
    while left > 0 {
        let now = left.min(AT_ONCE);
        let facts: Vec<Fact> = (0..now).map(|_| Fact::of(&Reference::born_on(&node), &space, &event)).collect();
        let mut transaction = pool.begin().await?;
        ledger.record(&mut transaction, &actor, &facts).await?;
        transaction.commit().await?;
        left -= now;
    }
    Ok(())
}

/// Waits until all of them have their place.
async fn accepted(distant: &Distant, pool: &PgPool) -> Outcome<()> {
    distant.coalition.rest().await?;
    soon("the place of every entry", async || {
        let pending: i64 = sqlx::query_scalar(
            "select count(*) from log where accepted_position is null and type like '%.SubmissionOpened'",
        )
        .fetch_one(pool)
        .await?;
        Ok((pending == 0).then_some(()))
    })
    .await
}

async fn count(room: &mut PgConnection) -> Outcome<i64> {
    Ok(sqlx::query_scalar("select count(*) from submissions").fetch_one(room).await?)
}

/// Seconds for so many messages on the bare road, no more at a time than its mailboxes hold.
async fn messages(road: &Road, event: &Bytes, entries: usize) -> Outcome<f64> {
    let (mut left, mut seconds) = (entries, 0.0);
    while left > 0 {
        let now = left.min(AT_A_TIME);
        seconds += now as f64 / transit::messages(road, event, now).await?;
        left -= now;
    }
    Ok(seconds)
}
