//! Bodies that were erased, and bodies that are missing.

use chassis::names::{NodeId, Reference, Space};
use sqlx::PgConnection;

use super::feeds::epoch;
use super::{signed, unsigned};
use crate::wire::{ERASED_AT_MOST, FeedName};

/// Entries of a feed, up to this run of it, whose bodies are held and are about a resource: run and sequence, ascending; the
/// newest, if there are more than one entry can erase.
///
/// # Errors
/// Where the database fails.
pub async fn about(
    connection: &mut PgConnection,
    name: &FeedName,
    resource: &Reference,
) -> Result<Vec<(u32, u64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select epoch, sequence from federation.entries
          where space = $1 and origin = $2 and epoch <= $3 and resource = $4 and resource <> '' and event is not null
          order by epoch desc, sequence desc limit $5",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        resource.to_string(),
        i64::from(ERASED_AT_MOST),
    )
    .fetch_all(connection)
    .await?;
    let named = rows.into_iter().rev().map(|row| (u32::try_from(row.epoch).unwrap_or(0), unsigned(row.sequence)));
    Ok(named.collect())
}

/// Erases those of these entries of a feed that are about a resource, and notes for them, and for those that are without
/// body already, which entry says so.
///
/// # Errors
/// Where the database fails.
pub async fn erase(
    connection: &mut PgConnection,
    name: &FeedName,
    entries: &[u64],
    resource: Option<&Reference>,
    by: u64,
) -> Result<u64, sqlx::Error> {
    let entries: Vec<i64> = entries.iter().map(|sequence| signed(*sequence)).collect();
    let erased = sqlx::query!(
        "update federation.entries set event = null, salt = null, erased_by = $6
          where space = $1 and origin = $2 and epoch = $3 and sequence = any($4) and erased_by is null
            and (event is null or (resource = $5 and resource <> ''))",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        &entries,
        resource.map(ToString::to_string) as Option<String>,
        signed(by),
    )
    .execute(connection)
    .await?;
    Ok(erased.rows_affected())
}

/// Accepted entries of one node in a space whose bodies are missing, without an entry that erased them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose.
    pub origin: String,
    /// The first of them.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// What is missing in a space, by origin.
///
/// # Errors
/// Where the database fails.
pub async fn missing(connection: &mut PgConnection, space: &Space) -> Result<Vec<Missing>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select origin, min(sequence) as "first!", count(*) as "count!" from federation.entries
            where space = $1 and event is null and refused is null and erased_by is null
            group by origin order by origin"#,
        space.to_string(),
    )
    .fetch_all(connection)
    .await?;
    let missing = |(origin, first, count)| Missing { origin, first: unsigned(first), count: unsigned(count) };
    Ok(rows.into_iter().map(|row| missing((row.origin, row.first, row.count))).collect())
}

/// Whether a line stands in quarantine that says so.
///
/// # Errors
/// Where the database fails.
pub async fn is_shown(
    connection: &mut PgConnection,
    node: &NodeId,
    space: &Space,
    missing: &Missing,
    code: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from federation.quarantine
            where node = $1 and space = $2 and origin = $3 and sequence = $4 and code = $5) as "shown!""#,
        node.as_str(),
        space.to_string(),
        missing.origin,
        signed(missing.first),
        code,
    )
    .fetch_one(connection)
    .await
}

/// Takes back the lines about bodies in a space that are no longer missing.
///
/// # Errors
/// Where the database fails.
pub async fn settle(connection: &mut PgConnection, space: &Space, code: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from federation.quarantine q where q.space = $1 and q.code = $2 and not exists (
             select from federation.entries e
              where e.space = q.space and e.origin = q.origin and e.sequence = q.sequence
                and e.event is null and e.refused is null and e.erased_by is null)",
        space.to_string(),
        code,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Empties what was kept of messages in which words of a node in a space may stand: those that say they are of that feed,
/// and those that say nothing that can be read.
///
/// # Errors
/// Where the database fails.
pub async fn empty_quarantine(connection: &mut PgConnection, name: &FeedName) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.quarantine set bytes = ''
          where bytes <> '' and ((space = $1 and origin = $2) or space = '')",
        name.space.to_string(),
        name.origin.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
