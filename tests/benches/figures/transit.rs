//! Entries a second from one node to another.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chassis::event::{Actor, Fact};
use chassis::ledger::Ledger;
use chassis::names::{Reference, Space};
use chassis::room::Room;
use measurement::Measurement;
use proto::measurement::SubmissionDefinition;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;

use crate::cpu::Spent;
use crate::figure::{Figure, Outcome, in_turns, median};
use crate::nodes::{Coalition, Node, PATIENCE, soon};
use crate::road::Road;
use crate::told::{self, Rows};

const ENTRIES: usize = 4000;
/// How many events there are of the measured kind.
const COUNT: &str = "select count(*) from log where position > $1 and type like '%.SubmissionOpened'";

/// Entries a second, beside messages a second; and what each stage of their way takes of the processors.
pub async fn figures(coalition: &Coalition, rounds: usize) -> Outcome<Vec<Figure>> {
    let alpha = coalition.node(1)?;
    let definition = told::definition(alpha, &coalition.measure).await?;
    let event = Bytes::from(Rows::last(&mut alpha.tables("measurement").await?).await?.told.event);
    let pool = chassis::database::open(&alpha.database, Measurement::NAME, Measurement::migrations(), 1).await?;
    let road = Road::open(&coalition.hub_folder(), coalition.node(0)?.config.hub.listen).await?;
    let limit = async || {
        coalition.rest().await?;
        messages(&road, &event, ENTRIES).await
    };
    let ours = async || {
        coalition.rest().await?;
        let before = Spent::now(coalition).await?;
        let rate = entries(coalition, &pool, &definition).await?;
        Ok((rate, before.until(&Spent::now(coalition).await?, ENTRIES)))
    };
    let (ours, limit) = in_turns(rounds, ours, limit).await?;
    road.close().await;
    pool.close().await;
    let (rates, stages): (Vec<f64>, Vec<Vec<Figure>>) = ours.into_iter().unzip();
    let rate = Figure { name: "federation_entries", ours: median(&rates), limit: median(&limit), unit: "entries/s" };
    let mut figures = vec![rate];
    for (nth, stage) in stages.first().into_iter().flatten().enumerate() {
        let turns = |of: fn(&Figure) -> f64| {
            median(&stages.iter().filter_map(|turn| turn.get(nth)).map(of).collect::<Vec<_>>())
        };
        let (ours, limit) = (turns(|stage| stage.ours), turns(|stage| stage.limit));
        figures.push(Figure { name: stage.name, ours, limit, unit: stage.unit });
    }
    Ok(figures)
}

/// All are committed at once; the last by a call, which wakes the relay as calls do.
async fn entries(coalition: &Coalition, pool: &PgPool, definition: &SubmissionDefinition) -> Outcome<f64> {
    let (alpha, beta) = (coalition.node(1)?, coalition.node(2)?);
    let mut room = beta.tables("measurement").await?;
    let before: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from log").fetch_one(&mut room).await?;
    let begun = commit(alpha, &coalition.initiative, pool, definition).await?;
    alpha.client.measurement().open_submission(told::open(definition)).await?;
    let room = tokio::sync::Mutex::new(room);
    soon("every entry at beta", async || {
        let here = count(&mut *room.lock().await, before).await?;
        Ok((here >= ENTRIES).then_some(()))
    })
    .await?;
    Ok(ENTRIES as f64 / begun.elapsed().as_secs_f64())
}

/// Commits all but one of the events in alpha's room; tells when it began to.
async fn commit(
    alpha: &Node,
    initiative: &Reference,
    pool: &PgPool,
    definition: &SubmissionDefinition,
) -> Outcome<Instant> {
    let organization: Reference = alpha.organization.parse()?;
    let (node, space) = (organization.node.clone(), Space::members(initiative));
    let event = told::event(definition);
    let facts: Vec<Fact> = (1..ENTRIES).map(|_| Fact::of(&Reference::born_on(&node), &space, &event)).collect();
    let ledger = Ledger::<Measurement>::new(pool.clone(), node, Arc::new(Notify::new()));
    let actor = Actor { organization: Some(organization), person: None };
    let mut transaction = pool.begin().await?;
    ledger.record(&mut transaction, &actor, &facts).await?;
    let begun = Instant::now();
    transaction.commit().await?;
    Ok(begun)
}

async fn count(room: &mut PgConnection, after: i64) -> Outcome<usize> {
    let count: i64 = sqlx::query_scalar(COUNT).bind(after).fetch_one(room).await?;
    Ok(usize::try_from(count)?)
}

/// So many messages through two mailboxes: how many a second.
pub async fn messages(road: &Road, event: &Bytes, count: usize) -> Outcome<f64> {
    let begun = Instant::now();
    let arriving = async {
        let mut arrived = 0;
        while arrived < count {
            arrived += road.take().await?.len();
        }
        Ok(())
    };
    let both = async { tokio::try_join!(road.send(std::iter::repeat_n(event.clone(), count)), arriving) };
    tokio::time::timeout(PATIENCE, both).await.map_err(|_| "messages were lost on the bare road")??;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}
