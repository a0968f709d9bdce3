//! What this node told before it knew that it was restored, and nobody else holds.

use bytes::Bytes;
use chassis::event::Event;
use chassis::names::{NodeId, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{signed, unsigned};

/// An entry that was taken out of a feed of this node.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// Run of the feed.
    pub epoch: u32,
    /// Its place there.
    pub sequence: u64,
    /// Digest of its header.
    pub digest: Vec<u8>,
    /// Its event; `None` where it was without body.
    pub event: Option<Bytes>,
}

/// One that waits for a person.
#[derive(Clone, Debug)]
pub struct Reissue {
    /// The number by which it is named.
    pub id: i64,
    /// In which space it was told.
    pub space: String,
    /// The event as it was told.
    pub event: Vec<u8>,
    /// Its type.
    pub type_name: String,
    /// What it is about.
    pub resource: String,
    /// When it was taken out of the feed.
    pub withdrawn_at: OffsetDateTime,
}

/// Takes everything out of the feeds of a node in a space that the backbone has not judged, in every run.
///
/// # Errors
/// Where the database fails.
pub async fn withdraw(
    connection: &mut PgConnection,
    space: &Space,
    node: &NodeId,
) -> Result<Vec<Withdrawn>, sqlx::Error> {
    let mut rows = sqlx::query!(
        "delete from federation.entries e using federation.feeds f
          where e.space = $1 and e.origin = $2 and f.space = $1 and f.origin = $2 and f.epoch = e.epoch
            and e.sequence > f.judged
         returning e.epoch, e.sequence, e.digest, e.event",
        space.to_string(),
        node.as_str(),
    )
    .fetch_all(&mut *connection)
    .await?;
    rows.sort_by_key(|row| (row.epoch, row.sequence));
    sqlx::query!(
        "with empty as (delete from federation.feeds where space = $1 and origin = $2 and judged = 0)
         update federation.feeds f set sequence = f.judged, digest = e.digest
           from federation.entries e
          where f.space = $1 and f.origin = $2 and f.sequence > f.judged
            and (e.space, e.origin, e.epoch, e.sequence) = (f.space, f.origin, f.epoch, f.judged)",
        space.to_string(),
        node.as_str(),
    )
    .execute(connection)
    .await?;
    let withdrawn = rows.into_iter().map(|row| Withdrawn {
        epoch: u32::try_from(row.epoch).unwrap_or(0),
        sequence: unsigned(row.sequence),
        digest: row.digest,
        event: row.event.map(Bytes::from),
    });
    Ok(withdrawn.collect())
}

/// Keeps events to be looked at, each with its place in the feed in which it stood (0 for none).
///
/// # Errors
/// Where the database fails.
pub async fn keep(
    connection: &mut PgConnection,
    space: &Space,
    events: &[(u32, u64, Event, Bytes)],
) -> Result<(), sqlx::Error> {
    for (epoch, sequence, event, bytes) in events {
        sqlx::query!(
            "insert into federation.reissues (space, epoch, sequence, event_id, type, resource, event)
             values ($1, $2, $3, $4, $5, $6, $7)",
            space.to_string(),
            i32::try_from(*epoch).unwrap_or(i32::MAX),
            signed(*sequence),
            event.id,
            event.type_name,
            event.resource.to_string(),
            bytes.as_ref(),
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Which of these events stand in an entry that is held, whatever was said of it.
///
/// # Errors
/// Where the database fails.
pub async fn known(connection: &mut PgConnection, events: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(r#"select event_id as "event_id!" from federation.entries where event_id = any($1)"#, events,)
        .fetch_all(connection)
        .await
}

/// Those that wait after a number, in order, at most `limit`.
///
/// # Errors
/// Where the database fails.
pub async fn list(connection: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<Reissue>, sqlx::Error> {
    sqlx::query_as!(
        Reissue,
        "select id, space, event, type as type_name, resource, withdrawn_at from federation.reissues
          where id > $1 order by id limit $2",
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// How many wait.
///
/// # Errors
/// Where the database fails.
pub async fn count(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from federation.reissues"#).fetch_one(connection);
    Ok(unsigned(count.await?))
}

/// Takes one off the list; `None` where there is none of this number.
///
/// # Errors
/// Where the database fails.
pub async fn take(connection: &mut PgConnection, id: i64) -> Result<Option<Reissue>, sqlx::Error> {
    sqlx::query_as!(
        Reissue,
        "delete from federation.reissues where id = $1
         returning id, space, event, type as type_name, resource, withdrawn_at",
        id,
    )
    .fetch_optional(connection)
    .await
}
