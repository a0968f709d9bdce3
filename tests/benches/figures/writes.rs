//! Single durable writes: a command called at a node, beside the rows that it leaves behind.

use std::time::{Duration, Instant};

use chassis::room::Room;
use node::client::Client;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use crate::figure::{Figure, Outcome, in_turns, median};
use crate::nodes::Coalition;
use crate::raw;

const TURN: Duration = Duration::from_secs(2);

/// A command, and the rows that it leaves behind.
pub trait Command: Clone + Send + Sync + 'static {
    /// The room it belongs to.
    type Room: Room;

    /// Calls it once.
    fn call(&self, client: &Client) -> impl Future<Output = Outcome<()>> + Send;

    /// Writes its rows to the bare tables, in one statement and one commit.
    fn write(&self, bare: &mut PgConnection) -> impl Future<Output = Outcome<()>> + Send;
}

/// Calls a second of so many callers at once, beside commits a second on as many connections.
pub async fn figure<C: Command>(
    alone: &Coalition,
    command: &C,
    (name, unit): (&'static str, &'static str),
    callers: u32,
    rounds: usize,
) -> Outcome<Figure> {
    let client = &alone.node(0)?.client;
    let bare = raw::tables::<C::Room>(alone, callers).await?;
    let limit = async || {
        alone.rest().await?;
        commits(&bare, command, callers).await
    };
    let (ours, limit) = in_turns(rounds, async || calls(client, command, callers).await, limit).await?;
    bare.close().await;
    Ok(Figure { name, ours: median(&ours), limit: median(&limit), unit })
}

async fn calls<C: Command>(client: &Client, command: &C, callers: u32) -> Outcome<f64> {
    let mut at_once = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..callers {
        let (client, command) = (client.clone(), command.clone());
        at_once.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TURN {
                command.call(&client).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    rate(at_once, begun).await
}

async fn commits<C: Command>(bare: &PgPool, command: &C, callers: u32) -> Outcome<f64> {
    let mut connections = Vec::new();
    for _ in 0..callers {
        connections.push(bare.acquire().await?);
    }
    let mut at_once = JoinSet::new();
    let begun = Instant::now();
    for mut connection in connections {
        let command = command.clone();
        at_once.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TURN {
                command.write(&mut connection).await?;
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
