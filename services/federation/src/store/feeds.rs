//! Feeds and their entries.

use std::collections::BTreeSet;

use chassis::names::{NodeId, Reference, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{signed, unsigned};
use crate::wire::{FeedName, GENESIS, Head, head};

/// How far a feed is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Highest sequence held.
    pub sequence: u64,
    /// Digest of the header there.
    pub digest: Head,
    /// Highest sequence judged by the backbone.
    pub judged: u64,
    /// A later run of it has begun.
    pub closed: bool,
}

impl Default for Feed {
    /// One of which nothing is held yet.
    fn default() -> Self {
        Self { sequence: 0, digest: GENESIS, judged: 0, closed: false }
    }
}

/// Reads a feed and locks it for this transaction; starts it where there is none, from the head of the run before it.
///
/// # Errors
/// Where the database fails.
pub async fn lock(connection: &mut PgConnection, name: &FeedName) -> Result<Feed, sqlx::Error> {
    let row = sqlx::query!(
        "insert into federation.feeds (space, origin, epoch, digest)
         values ($1, $2, $3, coalesce((select digest from federation.feeds
                                        where space = $1 and origin = $2 and epoch < $3 order by epoch desc limit 1), $4))
         on conflict (space, origin, epoch) do update set sequence = feeds.sequence
         returning sequence, digest, judged",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        GENESIS.as_slice(),
    )
    .fetch_one(connection)
    .await?;
    Ok(feed(row.sequence, &row.digest, row.judged, false))
}

/// Reads a feed, and which of these events stand in an accepted entry already. Starts none: what is still to be verified
/// leaves no trace. One that was not begun follows the head of the run before it.
///
/// # Errors
/// Where the database fails.
pub async fn held(
    connection: &mut PgConnection,
    name: &FeedName,
    events: &[Uuid],
) -> Result<(Feed, BTreeSet<Uuid>), sqlx::Error> {
    let row = sqlx::query!(
        r#"select coalesce(f.sequence, 0) as "sequence!", coalesce(f.judged, 0) as "judged!",
                  coalesce(f.digest, (select digest from federation.feeds
                                       where space = $1 and origin = $2 and epoch < $3
                                       order by epoch desc limit 1)) as "digest?",
                  exists (select from federation.feeds where space = $1 and origin = $2 and epoch > $3) as "closed!",
                  array(select event_id from federation.entries
                         where event_id = any($4) and refused is null) as "told!: Vec<Uuid>"
             from (values (1)) as one
             left join federation.feeds f on f.space = $1 and f.origin = $2 and f.epoch = $3"#,
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        events,
    )
    .fetch_one(connection)
    .await?;
    let digest = row.digest.as_deref().unwrap_or(&GENESIS);
    Ok((feed(row.sequence, digest, row.judged, row.closed), row.told.into_iter().collect()))
}

fn feed(sequence: i64, digest: &[u8], judged: i64, closed: bool) -> Feed {
    Feed { sequence: unsigned(sequence), digest: head(digest).unwrap_or(GENESIS), judged: unsigned(judged), closed }
}

/// Notes how far a feed is judged.
///
/// # Errors
/// Where the database fails.
pub async fn judged_to(connection: &mut PgConnection, name: &FeedName, sequence: u64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.feeds set judged = $4 where space = $1 and origin = $2 and epoch = $3",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(sequence),
    )
    .execute(connection)
    .await?;
    Ok(())
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
    let rows = sqlx::query!(
        r#"select space, epoch, sequence, digest, judged,
                  epoch < max(epoch) over (partition by space) as "closed!"
             from federation.feeds
            where origin = $1 and starts_with(space, $2 || '/') order by space, epoch"#,
        origin.as_str(),
        initiative,
    )
    .fetch_all(connection)
    .await?;
    let feeds = rows.into_iter().filter_map(|row| {
        let space: Space = row.space.parse().ok()?;
        let name = FeedName { space, origin: origin.clone(), epoch: u32::try_from(row.epoch).ok()? };
        Some((name, feed(row.sequence, &row.digest, row.judged, row.closed)))
    });
    Ok(feeds.collect())
}

/// How many entries of a node in a space the backbone has not judged.
///
/// # Errors
/// Where the database fails.
pub async fn pending(connection: &mut PgConnection, space: &Space, origin: &NodeId) -> Result<u64, sqlx::Error> {
    let pending = sqlx::query_scalar!(
        r#"select coalesce(sum(sequence - judged), 0)::bigint as "pending!" from federation.feeds
            where space = $1 and origin = $2"#,
        space.to_string(),
        origin.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(pending))
}

/// How many entries of a node in an initiative the backbone has judged.
///
/// # Errors
/// Where the database fails.
pub async fn judged(
    connection: &mut PgConnection,
    initiative: &Reference,
    origin: &NodeId,
) -> Result<u64, sqlx::Error> {
    let judged = sqlx::query_scalar!(
        r#"select coalesce(sum(judged), 0)::bigint as "judged!" from federation.feeds
            where starts_with(space, $1 || '/') and origin = $2"#,
        initiative.to_string(),
        origin.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(judged))
}

/// How many entries of a node in an initiative the backbone has not judged, and since when the oldest of them waits.
///
/// # Errors
/// Where the database fails.
pub async fn lag(
    connection: &mut PgConnection,
    initiative: &Reference,
    origin: &NodeId,
) -> Result<(u64, Option<OffsetDateTime>), sqlx::Error> {
    let lag = sqlx::query!(
        r#"select coalesce(sum(f.sequence - f.judged), 0)::bigint as "entries!", min(e.written_at) as since
             from federation.feeds f left join federation.entries e
                  on (e.space, e.origin, e.epoch, e.sequence) = (f.space, f.origin, f.epoch, f.judged + 1)
            where starts_with(f.space, $1 || '/') and f.origin = $2"#,
        initiative.to_string(),
        origin.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok((unsigned(lag.entries), lag.since))
}

pub(super) fn epoch(name: &FeedName) -> i32 {
    i32::try_from(name.epoch).unwrap_or(i32::MAX)
}
