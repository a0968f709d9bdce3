//! The acceptance order of each space.

use std::collections::BTreeSet;

use bytes::Bytes;
use chassis::names::Space;
use prost::Message;
use proto::federation::{Acceptance, Accepted, Seal};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::entries::NewEntry;
use super::{key_chains, signed, unsigned};
use crate::domain::Holder;
use crate::wire::{GENESIS, Head, Step, head};

/// How far the order of a space is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Highest position committed.
    pub position: u64,
    /// Digest of the acceptance there.
    pub digest: Head,
    /// Its instant.
    pub accepted_at: OffsetDateTime,
    /// Position of the members space by which it was judged.
    pub governed_by: u64,
    /// The step that changed last what nodes are judged by, in the members space.
    pub changed: (u64, Head),
}

impl Default for Order {
    /// One of which nothing is held yet.
    fn default() -> Self {
        Self {
            position: 0,
            digest: GENESIS,
            accepted_at: OffsetDateTime::UNIX_EPOCH,
            governed_by: 0,
            changed: (0, GENESIS),
        }
    }
}

struct OrderRow {
    space: String,
    position: i64,
    digest: Vec<u8>,
    accepted_at: Option<OffsetDateTime>,
    governance_position: i64,
    changed_position: i64,
    changed_digest: Vec<u8>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            position: unsigned(row.position),
            digest: head(&row.digest).unwrap_or(GENESIS),
            accepted_at: row.accepted_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            governed_by: unsigned(row.governance_position),
            changed: (unsigned(row.changed_position), head(&row.changed_digest).unwrap_or(GENESIS)),
        }
    }
}

/// Reads a space's order and locks it for this transaction; starts it where there is none.
///
/// # Errors
/// Where the database fails, or this node does not take part in the initiative.
pub async fn lock(connection: &mut PgConnection, space: &Space) -> Result<Order, sqlx::Error> {
    let row = sqlx::query_as!(
        OrderRow,
        r#"insert into federation.spaces (space, initiative) values ($1, $2)
           on conflict (space) do update set position = spaces.position
           returning space, position, digest, nullif(accepted_at, '-infinity') as accepted_at, governance_position,
                     changed_position, changed_digest"#,
        space.to_string(),
        // Null, and refused by the table, for what never leaves the node.
        space.initiative().map(ToString::to_string) as Option<String>,
    )
    .fetch_one(connection)
    .await?;
    Ok(row.into())
}

/// How far a space's order is held, without a lock; at 0 where it has none.
///
/// # Errors
/// Where the database fails.
pub async fn read(connection: &mut PgConnection, space: &Space) -> Result<Order, sqlx::Error> {
    let row = sqlx::query_as!(
        OrderRow,
        r#"select space, position, digest, nullif(accepted_at, '-infinity') as accepted_at, governance_position,
                  changed_position, changed_digest
             from federation.spaces where space = $1"#,
        space.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or_else(Order::default, Order::from))
}

/// Every space of an initiative that has an order here.
///
/// # Errors
/// Where the database fails.
pub async fn spaces(connection: &mut PgConnection, initiative: &str) -> Result<Vec<(Space, Order)>, sqlx::Error> {
    // The members space comes first: other spaces are judged by it.
    let rows = sqlx::query_as!(
        OrderRow,
        r#"select space, position, digest, nullif(accepted_at, '-infinity') as accepted_at, governance_position,
                  changed_position, changed_digest
             from federation.spaces where initiative = $1 order by space <> $1 || '/members', space"#,
        initiative,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.space.parse().ok()?, row.into()))).collect())
}

/// Which of these heads (space, position, digest) stand in an order here; at position 0 nothing stands, and all agree.
///
/// # Errors
/// Where the database fails.
pub async fn agreed(
    connection: &mut PgConnection,
    heads: &[(Space, u64, Bytes)],
) -> Result<BTreeSet<Space>, sqlx::Error> {
    let spaces: Vec<String> = heads.iter().map(|(space, ..)| space.to_string()).collect();
    let positions: Vec<i64> = heads.iter().map(|(_, position, _)| signed(*position)).collect();
    let digests: Vec<Vec<u8>> = heads.iter().map(|(.., digest)| digest.to_vec()).collect();
    let agreed = sqlx::query_scalar!(
        r#"select space as "space!" from unnest($1::text[], $2::bigint[], $3::bytea[]) as head(space, position, digest)
            where position = 0 or exists (select from federation.acceptances a
                   where a.space = head.space and a.position = head.position and a.digest = head.digest)"#,
        &spaces,
        &positions,
        &digests,
    )
    .fetch_all(connection)
    .await?;
    Ok(agreed.into_iter().filter_map(|space| space.parse().ok()).collect())
}

/// When a step of a space's order was made; `None` where it is not held.
///
/// # Errors
/// Where the database fails.
pub async fn accepted_at(
    connection: &mut PgConnection,
    space: &Space,
    position: u64,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select accepted_at from federation.acceptances where space = $1 and position = $2",
        space.to_string(),
        signed(position),
    )
    .fetch_optional(connection)
    .await
}

/// Appends a step to a space's order.
///
/// # Errors
/// Where the database fails.
pub async fn append(
    connection: &mut PgConnection,
    step: &Step,
    seal: &Seal,
    frame_seal: &Seal,
) -> Result<(), sqlx::Error> {
    let acceptance = &step.acceptance;
    sqlx::query!(
        "with step as (
             insert into federation.acceptances
                    (space, position, origin, epoch, first, last, acceptance, digest, seal_key, seal_signature,
                     frame_key, frame_signature, accepted_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         )
         update federation.spaces
            set position = $2, digest = $8, accepted_at = $13, governance_position = $14 where space = $1",
        step.feed.space.to_string(),
        signed(acceptance.position),
        step.feed.origin.as_str(),
        i32::try_from(step.feed.epoch).unwrap_or(i32::MAX),
        signed(acceptance.from),
        signed(acceptance.to),
        step.bytes.as_ref(),
        step.digest.as_slice(),
        seal.key.as_ref(),
        seal.signature.as_ref(),
        frame_seal.key.as_ref(),
        frame_seal.signature.as_ref(),
        step.at,
        signed(acceptance.governance_position),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the step which was appended last changed what nodes are judged by.
///
/// # Errors
/// Where the database fails.
pub async fn changed(connection: &mut PgConnection, space: &Space) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.spaces set changed_position = position, changed_digest = digest where space = $1",
        space.to_string(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    origin: String,
    acceptance: Vec<u8>,
    digest: Vec<u8>,
    seal_key: Vec<u8>,
    seal_signature: Vec<u8>,
    frame_key: Vec<u8>,
    frame_signature: Vec<u8>,
}

/// The steps after a position, at most `limit`, each with its entries; those of `reader`'s own feeds without. For a
/// follower with the keys of their origins.
///
/// # Errors
/// Where the database fails.
pub async fn steps(
    connection: &mut PgConnection,
    space: &Space,
    after: u64,
    limit: i64,
    reader: Option<Holder<'_>>,
) -> Result<Vec<Accepted>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select origin, acceptance, digest, seal_key, seal_signature, frame_key, frame_signature
           from federation.acceptances where space = $1 and position > $2 order by position limit $3",
        space.to_string(),
        signed(after),
        limit,
    )
    .fetch_all(&mut *connection)
    .await?;
    let last = after + u64::try_from(rows.len()).unwrap_or(0);
    let mut entries =
        super::entries::of_steps(connection, space, (after, last), reader.map(|reader| reader.node)).await?;
    let backbone_keys = match reader.is_some_and(|reader| reader.follower) {
        true => key_chains::of_backbone(connection, space).await?,
        false => Vec::new(),
    };
    let mut steps = Vec::with_capacity(rows.len());
    for (position, row) in (after + 1..).zip(rows) {
        let entries = entries.remove(&position).unwrap_or_default();
        let step = step(connection, row, entries, reader).await?;
        steps.push(Accepted { backbone_keys: backbone_keys.clone(), ..step });
    }
    Ok(steps)
}

async fn step(
    connection: &mut PgConnection,
    row: Row,
    entries: Vec<NewEntry>,
    reader: Option<Holder<'_>>,
) -> Result<Accepted, sqlx::Error> {
    let acceptance = Acceptance::decode(row.acceptance.as_slice()).unwrap_or_default();
    let frame_seal = Seal { head: acceptance.head, key: row.frame_key.into(), signature: row.frame_signature.into() };
    let mut origin_keys = Vec::new();
    let frame = match row.origin.parse() {
        Ok(origin) if reader.is_none_or(|reader| *reader.node != origin) => {
            if reader.is_some_and(|reader| reader.follower) {
                origin_keys = key_chains::read(connection, &origin).await?;
            }
            let links: Vec<_> = entries.into_iter().map(without_refused_body).collect();
            Some(crate::wire::frame(&links, frame_seal))
        }
        _ => None,
    };
    let seal = Seal { head: row.digest.into(), key: row.seal_key.into(), signature: row.seal_signature.into() };
    Ok(Accepted { acceptance: row.acceptance.into(), seal: Some(seal), frame, origin_keys, ..Accepted::default() })
}

/// What was refused is nobody's to read: its header goes on, its body does not.
fn without_refused_body(entry: NewEntry) -> crate::wire::Link {
    let body = if entry.refused.is_some() { None } else { entry.link.body };
    crate::wire::Link { body, ..entry.link }
}
