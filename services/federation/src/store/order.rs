//! The acceptance order of each space.

use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::{Acceptance, Accepted, Seal};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{signed, unsigned};
use crate::wire::{FeedName, GENESIS, Head, head};

/// How far the order of a space is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Highest position committed.
    pub position: u64,
    /// Digest of the acceptance there.
    pub digest: Head,
    /// Its instant.
    pub accepted_at: OffsetDateTime,
}

/// One step of the order, as stored: everything of an [`Accepted`] but the entries.
#[derive(Clone, Debug)]
pub struct Accepting {
    /// The acceptance's bytes.
    pub acceptance: Vec<u8>,
    /// Its digest.
    pub digest: Head,
    /// The backbone's seal over it.
    pub seal: Seal,
    /// The origin's seal over the frame.
    pub frame_seal: Seal,
}

/// Reads a space's order and locks it for this transaction; starts it where there is none.
///
/// # Errors
/// Where the database fails, or this node does not take part in the initiative.
pub async fn lock(connection: &mut PgConnection, space: &Space) -> Result<Order, sqlx::Error> {
    let row: (i64, Vec<u8>, Option<OffsetDateTime>) = sqlx::query_as(
        "insert into federation.spaces (space, initiative) values ($1, $2)
         on conflict (space) do update set position = spaces.position
         returning position, digest, nullif(accepted_at, '-infinity')",
    )
    .bind(space.to_string())
    .bind(space.initiative().map(ToString::to_string))
    .fetch_one(connection)
    .await?;
    Ok(order(row))
}

/// How far a space's order is held, without a lock; at 0 where it has none.
///
/// # Errors
/// Where the database fails.
pub async fn read(connection: &mut PgConnection, space: &Space) -> Result<Order, sqlx::Error> {
    let row = sqlx::query_as(
        "select position, digest, nullif(accepted_at, '-infinity') from federation.spaces where space = $1",
    )
    .bind(space.to_string())
    .fetch_optional(connection)
    .await?;
    Ok(order(row.unwrap_or((0, GENESIS.to_vec(), None))))
}

fn order(row: (i64, Vec<u8>, Option<OffsetDateTime>)) -> Order {
    Order {
        position: unsigned(row.0),
        digest: head(&row.1).unwrap_or(GENESIS),
        accepted_at: row.2.unwrap_or(OffsetDateTime::UNIX_EPOCH),
    }
}

/// Every space of an initiative that has an order here.
///
/// # Errors
/// Where the database fails.
pub async fn spaces(connection: &mut PgConnection, initiative: &str) -> Result<Vec<(Space, Order)>, sqlx::Error> {
    // The members space comes first: other spaces are judged by it.
    let rows: Vec<(String, i64, Vec<u8>, Option<OffsetDateTime>)> = sqlx::query_as(
        "select space, position, digest, nullif(accepted_at, '-infinity') from federation.spaces
          where initiative = $1 order by space <> $1 || '/members', space",
    )
    .bind(initiative)
    .fetch_all(connection)
    .await?;
    let spaces = rows
        .into_iter()
        .filter_map(|(space, position, digest, at)| Some((space.parse().ok()?, order((position, digest, at)))));
    Ok(spaces.collect())
}

/// Appends a step to a space's order.
///
/// # Errors
/// Where the database fails.
pub async fn append(
    connection: &mut PgConnection,
    feed: &FeedName,
    acceptance: &Acceptance,
    accepting: &Accepting,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with step as (
             insert into federation.acceptances
                    (space, position, origin, epoch, first, last, acceptance, digest, seal_key, seal_signature,
                     frame_key, frame_signature, accepted_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         )
         update federation.spaces set position = $2, digest = $8, accepted_at = $13 where space = $1",
    )
    .bind(feed.space.to_string())
    .bind(signed(acceptance.position))
    .bind(feed.origin.as_str())
    .bind(i32::try_from(feed.epoch).unwrap_or(i32::MAX))
    .bind(signed(acceptance.from))
    .bind(signed(acceptance.to))
    .bind(&accepting.acceptance)
    .bind(accepting.digest.as_slice())
    .bind(accepting.seal.key.as_ref())
    .bind(accepting.seal.signature.as_ref())
    .bind(accepting.frame_seal.key.as_ref())
    .bind(accepting.frame_seal.signature.as_ref())
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    origin: String,
    epoch: i32,
    first: i64,
    last: i64,
    acceptance: Vec<u8>,
    digest: Vec<u8>,
    seal_key: Vec<u8>,
    seal_signature: Vec<u8>,
    frame_key: Vec<u8>,
    frame_signature: Vec<u8>,
}

/// The steps after a position, at most `limit`, each with its entries; those of `reader`'s own feeds without.
///
/// # Errors
/// Where the database fails.
pub async fn steps(
    connection: &mut PgConnection,
    space: &Space,
    after: u64,
    limit: i64,
    reader: Option<&NodeId>,
) -> Result<Vec<Accepted>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "select origin, epoch, first, last, acceptance, digest, seal_key, seal_signature, frame_key, frame_signature
           from federation.acceptances where space = $1 and position > $2 order by position limit $3",
    )
    .bind(space.to_string())
    .bind(signed(after))
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let mut steps = Vec::with_capacity(rows.len());
    for row in rows {
        steps.push(step(connection, space, row, reader).await?);
    }
    Ok(steps)
}

async fn step(
    connection: &mut PgConnection,
    space: &Space,
    row: Row,
    reader: Option<&NodeId>,
) -> Result<Accepted, sqlx::Error> {
    let acceptance = Acceptance::decode(row.acceptance.as_slice()).unwrap_or_default();
    let frame_seal = Seal { head: acceptance.head, key: row.frame_key.into(), signature: row.frame_signature.into() };
    let frame = match row.origin.parse() {
        Ok(origin) if reader != Some(&origin) => {
            let feed = FeedName { space: space.clone(), origin, epoch: u32::try_from(row.epoch).unwrap_or(0) };
            let entries = super::feeds::entries(connection, &feed, unsigned(row.first), unsigned(row.last)).await?;
            let links: Vec<_> = entries.into_iter().map(without_refused_body).collect();
            Some(crate::wire::frame(&links, frame_seal))
        }
        _ => None,
    };
    let seal = Seal { head: row.digest.into(), key: row.seal_key.into(), signature: row.seal_signature.into() };
    Ok(Accepted { acceptance: row.acceptance.into(), seal: Some(seal), frame })
}

/// What was refused is nobody's to read: its header goes on, its body does not.
fn without_refused_body(entry: super::feeds::NewEntry) -> crate::wire::Link {
    let body = if entry.refused.is_some() { None } else { entry.link.body };
    crate::wire::Link { body, ..entry.link }
}
