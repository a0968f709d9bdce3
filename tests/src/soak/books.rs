//! What the nodes have in their databases: orders, entries, and the log of each room.

use std::collections::BTreeMap;

use node::error::NodeError;
use node::house;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::cheat::FORGED;
use super::command::Mark;
use super::field::Field;
use super::wrong;

/// A feed: space, origin, epoch.
pub type Feed = (String, String, i32);

/// One step of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// About which feed.
    pub feed: Feed,
    /// First and last sequence.
    pub range: (i64, i64),
    /// Digest of the acceptance.
    pub digest: Vec<u8>,
}

/// One entry of a feed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Place in the feed.
    pub sequence: i64,
    /// Digest of its header.
    pub digest: Vec<u8>,
    /// The event in it, where it came along.
    pub event: Option<Uuid>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// Whether a later entry of its feed took it back.
    pub erased: bool,
    /// The mark in it.
    pub mark: Option<Mark>,
    /// Whether it holds what was forged.
    pub forged: bool,
}

/// One line of a room's log, of an event that is the room's own kind.
#[derive(Clone, Debug)]
pub struct Line {
    /// The service.
    pub room: &'static str,
    /// The event.
    pub event: Uuid,
    /// Full name of its type.
    pub type_name: String,
    /// Its space.
    pub space: String,
    /// The resource it is about.
    pub resource: String,
    /// Whether the tables follow it.
    pub folded: bool,
    /// Its place in the order.
    pub accepted: Option<i64>,
    /// The mark in it.
    pub mark: Option<Mark>,
    /// Whether it holds what was forged.
    pub forged: bool,
}

/// The books of one node.
pub struct Books {
    /// The node's short name.
    pub name: &'static str,
    /// Its id.
    pub id: String,
    /// Steps by space and position.
    pub orders: BTreeMap<String, BTreeMap<i64, Step>>,
    /// Entries by feed, in order.
    pub feeds: BTreeMap<Feed, Vec<Entry>>,
    /// The logs of its rooms, each in local order.
    pub lines: Vec<Line>,
}

impl Books {
    /// Reads the books of every node.
    pub async fn of_all(field: &Field) -> Result<Vec<Self>, NodeError> {
        let mut all = Vec::new();
        for place in &field.places {
            let node = place.node.read().await;
            let (name, id, url) = (node.sketch.name, node.id.to_string(), node.database().to_owned());
            drop(node);
            let mut connection = PgConnection::connect(&url).await.map_err(NodeError::Unreadable)?;
            all.push(read(&mut connection, name, id).await.map_err(NodeError::Unreadable)?);
            connection.close().await.map_err(wrong)?;
        }
        Ok(all)
    }

    /// The step in which an entry was judged.
    pub fn step_of(&self, feed: &Feed, sequence: i64) -> Option<i64> {
        let order = self.orders.get(&feed.0)?;
        let judged = |step: &Step| step.feed == *feed && (step.range.0..=step.range.1).contains(&sequence);
        order.iter().find(|(_, step)| judged(step)).map(|(position, _)| *position)
    }
}

async fn read(connection: &mut PgConnection, name: &'static str, id: String) -> Result<Books, sqlx::Error> {
    let mut lines = Vec::new();
    for (room, _) in house::services() {
        lines.extend(log(connection, room).await?);
    }
    Ok(Books { name, id, orders: orders(connection).await?, feeds: feeds(connection).await?, lines })
}

type StepRow = (String, i64, String, i32, i64, i64, Vec<u8>);

async fn orders(connection: &mut PgConnection) -> Result<BTreeMap<String, BTreeMap<i64, Step>>, sqlx::Error> {
    let rows: Vec<StepRow> =
        sqlx::query_as("select space, position, origin, epoch, first, last, digest from federation.acceptances")
            .fetch_all(connection)
            .await?;
    let mut orders = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (space, position, origin, epoch, first, last, digest) in rows {
        let step = Step { feed: (space.clone(), origin, epoch), range: (first, last), digest };
        orders.entry(space).or_default().insert(position, step);
    }
    Ok(orders)
}

type EntryRow = (String, String, i32, i64, Vec<u8>, Option<Uuid>, bool, bool, Option<Vec<u8>>);

async fn feeds(connection: &mut PgConnection) -> Result<BTreeMap<Feed, Vec<Entry>>, sqlx::Error> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "select space, origin, epoch, sequence, digest, event_id, refused is null, erased_by is not null, event
           from federation.entries order by space, origin, epoch, sequence",
    )
    .fetch_all(connection)
    .await?;
    let mut feeds = BTreeMap::<Feed, Vec<Entry>>::new();
    for (space, origin, epoch, sequence, digest, event, accepted, erased, bytes) in rows {
        let bytes = bytes.unwrap_or_default();
        let (mark, forged) = (Mark::find(&bytes), is_forged(&bytes));
        let entry = Entry { sequence, digest, event, accepted, erased, mark, forged };
        feeds.entry((space, origin, epoch)).or_default().push(entry);
    }
    Ok(feeds)
}

fn is_forged(bytes: &[u8]) -> bool {
    bytes.windows(FORGED.len()).any(|window| window == FORGED.as_bytes())
}

type LogRow = (Uuid, String, String, String, String, Option<i64>, Option<Vec<u8>>);

async fn log(connection: &mut PgConnection, room: &'static str) -> Result<Vec<Line>, sqlx::Error> {
    let statement = format!(
        "select event_id, type, space, resource, standing, accepted_position, bytes from {room}.log
          where type like 'commonweal.{room}.v1.%' order by position"
    );
    let rows: Vec<LogRow> = sqlx::query_as(AssertSqlSafe(statement)).fetch_all(connection).await?;
    let line = |(event, type_name, space, resource, standing, accepted, bytes): LogRow| {
        let bytes = bytes.unwrap_or_default();
        let forged = is_forged(&bytes);
        let folded = standing == "folded";
        Line { room, event, type_name, space, resource, folded, accepted, mark: Mark::find(&bytes), forged }
    };
    Ok(rows.into_iter().map(line).collect())
}
