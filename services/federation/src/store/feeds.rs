//! Feeds and their entries.

use bytes::Bytes;
use chassis::names::{NodeId, Space};
use proto::federation::EntryBody;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{signed, unsigned};
use crate::wire::{FeedName, GENESIS, Head, Link, head};

/// How far a feed is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Highest sequence held.
    pub sequence: u64,
    /// Digest of the header there.
    pub digest: Head,
    /// Highest sequence judged by the backbone.
    pub judged: u64,
}

/// An entry on its way into the table.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The entry.
    pub link: Link,
    /// The event in it, where there is one.
    pub event_id: Option<Uuid>,
    /// Why it was refused.
    pub refused: Option<String>,
}

/// Reads a feed and locks it for this transaction; starts it where there is none.
///
/// # Errors
/// Where the database fails.
pub async fn lock(connection: &mut PgConnection, name: &FeedName) -> Result<Feed, sqlx::Error> {
    let row: (i64, Vec<u8>, i64) = sqlx::query_as(
        "insert into federation.feeds (space, origin, epoch) values ($1, $2, $3)
         on conflict (space, origin, epoch) do update set sequence = feeds.sequence
         returning sequence, digest, judged",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .fetch_one(connection)
    .await?;
    Ok(Feed { sequence: unsigned(row.0), digest: head(&row.1).unwrap_or(GENESIS), judged: unsigned(row.2) })
}

/// Notes how far a feed is held and judged.
///
/// # Errors
/// Where the database fails.
pub async fn advance(connection: &mut PgConnection, name: &FeedName, feed: &Feed) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update federation.feeds set sequence = $4, digest = $5, judged = $6
          where space = $1 and origin = $2 and epoch = $3",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .bind(signed(feed.sequence))
    .bind(feed.digest.as_slice())
    .bind(signed(feed.judged))
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends entries; one statement, whatever the number.
///
/// # Errors
/// Where the database fails.
pub async fn append(connection: &mut PgConnection, name: &FeedName, entries: &[NewEntry]) -> Result<(), sqlx::Error> {
    let body = |entry: &NewEntry| entry.link.body.clone();
    sqlx::query(
        "insert into federation.entries (space, origin, epoch, sequence, event_id, header, digest, event, salt, refused)
         select $1, $2, $3, * from unnest($4::bigint[], $5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[],
                                          $10::text[])",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .bind(entries.iter().map(|entry| signed(entry.link.sequence)).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.event_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.link.header.to_vec()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.link.digest.to_vec()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| body(entry).map(|body| body.event.to_vec())).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| body(entry).map(|body| body.salt.to_vec())).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.refused.clone()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes why entries of a feed of this node were refused.
///
/// # Errors
/// Where the database fails.
pub async fn refuse(
    connection: &mut PgConnection,
    name: &FeedName,
    sequence: u64,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update federation.entries set refused = $5 where space = $1 and origin = $2 and epoch = $3 and sequence = $4",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .bind(signed(sequence))
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    sequence: i64,
    event_id: Option<Uuid>,
    header: Vec<u8>,
    digest: Vec<u8>,
    event: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    refused: Option<String>,
}

impl From<Row> for NewEntry {
    fn from(row: Row) -> Self {
        let body = match (row.event, row.salt) {
            (Some(event), Some(salt)) => Some(EntryBody { event: event.into(), salt: salt.into() }),
            _ => None,
        };
        let link = Link {
            sequence: unsigned(row.sequence),
            // Only the header's reader needs the type; what is stored was read before.
            event_type: String::new(),
            header: Bytes::from(row.header),
            digest: head(&row.digest).unwrap_or(GENESIS),
            body,
        };
        Self { link, event_id: row.event_id, refused: row.refused }
    }
}

/// Entries `from..=to` of a feed, in order; at most 1,000.
///
/// # Errors
/// Where the database fails.
pub async fn entries(
    connection: &mut PgConnection,
    name: &FeedName,
    from: u64,
    to: u64,
) -> Result<Vec<NewEntry>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "select sequence, event_id, header, digest, event, salt, refused from federation.entries
          where space = $1 and origin = $2 and epoch = $3 and sequence between $4 and $5
          order by sequence limit 1000",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .bind(signed(from))
    .bind(signed(to))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(NewEntry::from).collect())
}

/// Digest of one header of a feed; `None` where it is not held.
///
/// # Errors
/// Where the database fails.
pub async fn digest_at(
    connection: &mut PgConnection,
    name: &FeedName,
    sequence: u64,
) -> Result<Option<Head>, sqlx::Error> {
    if sequence == 0 {
        return Ok(Some(GENESIS));
    }
    let digest: Option<Vec<u8>> = sqlx::query_scalar(
        "select digest from federation.entries where space = $1 and origin = $2 and epoch = $3 and sequence = $4",
    )
    .bind(name.space.to_string())
    .bind(name.origin.as_str())
    .bind(epoch(name))
    .bind(signed(sequence))
    .fetch_optional(connection)
    .await?;
    Ok(digest.and_then(|digest| head(&digest)))
}

/// Which of these events stand in an accepted entry already.
///
/// # Errors
/// Where the database fails.
pub async fn told_before(connection: &mut PgConnection, events: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar("select event_id from federation.entries where event_id = any($1) and refused is null")
        .bind(events)
        .fetch_all(connection)
        .await
}

/// The feeds that a node writes, with how far they are held.
///
/// # Errors
/// Where the database fails.
pub async fn of_origin(
    connection: &mut PgConnection,
    initiative: &str,
    origin: &NodeId,
) -> Result<Vec<(FeedName, Feed)>, sqlx::Error> {
    let rows: Vec<(String, i32, i64, Vec<u8>, i64)> = sqlx::query_as(
        "select space, epoch, sequence, digest, judged from federation.feeds
          where origin = $1 and starts_with(space, $2 || '/') order by space, epoch",
    )
    .bind(origin.as_str())
    .bind(initiative)
    .fetch_all(connection)
    .await?;
    let feeds = rows.into_iter().filter_map(|(space, epoch, sequence, digest, judged)| {
        let space: Space = space.parse().ok()?;
        let name = FeedName { space, origin: origin.clone(), epoch: u32::try_from(epoch).ok()? };
        let feed = Feed { sequence: unsigned(sequence), digest: head(&digest)?, judged: unsigned(judged) };
        Some((name, feed))
    });
    Ok(feeds.collect())
}

fn epoch(name: &FeedName) -> i32 {
    i32::try_from(name.epoch).unwrap_or(i32::MAX)
}
