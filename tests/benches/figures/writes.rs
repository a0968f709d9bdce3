//! Single durable writes.

use std::time::{Duration, Instant};

use proto::measurement::SubmissionDefinition;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::figure::{Figure, Outcome, in_turns, median};
use crate::nodes::{Coalition, Node};
use crate::told::Rows;
use crate::{raw, told};

const TURN: Duration = Duration::from_secs(2);

/// Calls a second of so many callers at once, beside commits a second on as many connections.
pub async fn figure(alone: &Coalition, name: &'static str, callers: u32, rounds: usize) -> Outcome<Figure> {
    let node = alone.node(0)?;
    let definition = told::definition(node, &alone.measure).await?;
    let rows = Rows::last(&mut node.tables("measurement").await?).await?;
    let bare = raw::tables(alone, callers).await?;
    let limit = async || {
        alone.rest().await?;
        commits(&bare, &rows, callers).await
    };
    let (ours, limit) = in_turns(rounds, async || calls(node, &definition, callers).await, limit).await?;
    bare.close().await;
    Ok(Figure { name, ours: median(&ours), limit: median(&limit), unit: "writes/s" })
}

async fn calls(node: &Node, definition: &SubmissionDefinition, callers: u32) -> Outcome<f64> {
    let mut at_once = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..callers {
        let (mut client, definition) = (node.client.measurement(), definition.clone());
        at_once.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TURN {
                client.open_submission(told::open(&definition)).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    rate(at_once, begun).await
}

async fn commits(bare: &PgPool, rows: &Rows, callers: u32) -> Outcome<f64> {
    let mut connections = Vec::new();
    for _ in 0..callers {
        connections.push(bare.acquire().await?);
    }
    let mut at_once = JoinSet::new();
    let begun = Instant::now();
    for mut connection in connections {
        let rows = rows.clone();
        at_once.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TURN {
                raw::command(&mut connection, &rows).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    rate(at_once, begun).await
}

/// How many a second all of them made together.
pub async fn rate(mut at_once: JoinSet<Outcome<u32>>, begun: Instant) -> Outcome<f64> {
    let mut all = 0;
    while let Some(count) = at_once.join_next().await {
        all += count??;
    }
    Ok(f64::from(all) / begun.elapsed().as_secs_f64())
}
