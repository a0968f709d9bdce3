//! Whether this node was restored, and what its database is known by.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::marker::Fingerprint;

/// How far the log of a Postgres cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Which run of it: another one after every failover, and after every recovery to an earlier point.
    pub timeline: i64,
    /// Up to which byte it is on disk.
    pub written: i64,
}

/// How this node stands to a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A marker was laid for this database.
    pub marked: bool,
    /// Which run of its feeds this node writes.
    pub epoch: u32,
    /// Since when it is known to be restored; `None` while it is not.
    pub since: Option<OffsetDateTime>,
    /// How that was found.
    pub reason: String,
    /// What its rooms told earlier and nobody holds is not to go out by itself.
    pub review_before: Option<OffsetDateTime>,
    /// How far its Postgres is.
    pub place: Place,
}

/// Reads how this node stands. Until the transaction ends nobody declares it restored, or found again.
///
/// # Errors
/// Where the database fails.
pub async fn read(connection: &mut PgConnection) -> Result<Standing, sqlx::Error> {
    let row = sqlx::query!(
        r#"select marked, epoch, since, reason, review_before,
                  ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint as "timeline!",
                  (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint as "written!",
                  pg_advisory_xact_lock_shared(hashtext('commonweal restored'), hashtext(current_database()))::text as lock
             from federation.restored"#,
    )
    .fetch_one(connection)
    .await?;
    Ok(Standing {
        marked: row.marked,
        epoch: u32::try_from(row.epoch).unwrap_or(1),
        since: row.since,
        reason: row.reason,
        review_before: row.review_before,
        place: Place { timeline: row.timeline, written: row.written },
    })
}

/// Waits for those who read how this node stands and are not done, and keeps others from reading it until the transaction
/// ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtext('commonweal restored'), hashtext(current_database()))::text as lock"
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// What this database is known by.
///
/// # Errors
/// Where the database fails.
pub async fn fingerprint(connection: &mut PgConnection) -> Result<Fingerprint, sqlx::Error> {
    let row = sqlx::query!(
        r#"select (select system_identifier from pg_control_system()) as "system!",
                  (select oid from pg_database where datname = current_database())::bigint as "database!",
                  'federation.feeds'::regclass::oid::bigint as "feeds!",
                  ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint as "timeline!",
                  (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint as "written!""#,
    )
    .fetch_one(connection)
    .await?;
    let place = Place { timeline: row.timeline, written: row.written };
    Ok(Fingerprint { system: row.system, database: row.database, feeds: row.feeds, place })
}

/// Notes that a marker is laid for this database.
///
/// # Errors
/// Where the database fails.
pub async fn marked(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("update federation.restored set marked = true where not marked").execute(connection).await?;
    Ok(())
}

/// Notes that this node was restored, unless that is known; the first reason stays. `wrote_since`: it may have written
/// before that was found.
///
/// # Errors
/// Where the database fails.
pub async fn begin(
    connection: &mut PgConnection,
    at: OffsetDateTime,
    reason: &str,
    wrote_since: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.restored set since = $1::timestamptz, reason = $2, review_before = case when $3 then $1::timestamptz end
          where since is null",
        at,
        reason,
        wrote_since,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that this node has found its place again and writes this run of its feeds.
///
/// # Errors
/// Where the database fails.
pub async fn end(
    connection: &mut PgConnection,
    epoch: u32,
    review_before: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.restored
            set since = null, reason = '', marked = true, epoch = $1, review_before = $2",
        i32::try_from(epoch).unwrap_or(i32::MAX),
        review_before,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest run of any feed of a node.
///
/// # Errors
/// Where the database fails.
pub async fn newest_epoch(connection: &mut PgConnection, node: &str) -> Result<u32, sqlx::Error> {
    let newest = sqlx::query_scalar!(
        r#"select coalesce(max(epoch), 0) as "newest!" from federation.feeds where origin = $1"#,
        node
    )
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(newest).unwrap_or(0))
}
