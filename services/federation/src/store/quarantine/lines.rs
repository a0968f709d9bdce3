//! The lines of quarantine, read and taken away.

use chassis::names::NodeId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::Standing;
use crate::store::unsigned;

/// One line.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// Order of arrival.
    pub id: i64,
    /// Through whose link it came.
    pub node: String,
    /// The space it claimed.
    pub space: String,
    /// The origin it claimed.
    pub origin: String,
    /// The sequence it claimed; 0 where it did not get that far.
    pub sequence: i64,
    /// Stable code.
    pub code: String,
    /// In words.
    pub reason: String,
    /// What may be done about it.
    pub standing: Standing,
    /// When.
    pub at: OffsetDateTime,
}

struct Row {
    id: i64,
    node: String,
    space: String,
    origin: String,
    sequence: i64,
    code: String,
    reason: String,
    standing: String,
    at: OffsetDateTime,
}

impl From<Row> for Quarantined {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            node: row.node,
            space: row.space,
            origin: row.origin,
            sequence: row.sequence,
            code: row.code,
            reason: row.reason,
            standing: Standing::read(&row.standing),
            at: row.at,
        }
    }
}

/// The newest lines, newest first, before a line if one is given; of one node, or of all.
///
/// # Errors
/// Where the database fails.
pub async fn newest(
    connection: &mut PgConnection,
    node: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Quarantined>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, node, space, origin, sequence, code, reason, standing, at from federation.quarantine
          where ($1::text is null or node = $1) and ($2::bigint is null or id < $2) order by id desc limit $3",
        node,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Quarantined::from).collect())
}

/// How many lines a node has.
///
/// # Errors
/// Where the database fails.
pub async fn count(connection: &mut PgConnection, node: &str) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from federation.quarantine where node = $1"#, node)
        .fetch_one(connection)
        .await?;
    Ok(unsigned(count))
}

/// How many alarms there are about what the other node accepted, and what was found of the newest.
///
/// # Errors
/// Where the database fails.
pub async fn alarms(connection: &mut PgConnection, node: &str) -> Result<(u64, String), sqlx::Error> {
    let alarms = sqlx::query!(
        r#"select count(*) as "count!", (array_agg(reason order by id desc))[1] as newest from federation.quarantine
            where node = $1 and standing = 'alarm'"#,
        node,
    )
    .fetch_one(connection)
    .await?;
    Ok((unsigned(alarms.count), alarms.newest.unwrap_or_default()))
}

/// What is held, of all nodes.
///
/// # Errors
/// Where the database fails.
pub async fn held(connection: &mut PgConnection) -> Result<Vec<Quarantined>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, node, space, origin, sequence, code, reason, standing, at from federation.quarantine
          where standing = 'held' order by id",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Quarantined::from).collect())
}

/// How much of what a node sent is held.
///
/// # Errors
/// Where the database fails.
pub async fn held_of(connection: &mut PgConnection, node: &str) -> Result<u64, sqlx::Error> {
    let held = sqlx::query_scalar!(
        r#"select count(*) as "held!" from federation.quarantine where node = $1 and standing = 'held'"#,
        node,
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(held))
}

/// These lines, locked for this transaction; those that are not there are left out.
///
/// # Errors
/// Where the database fails.
pub async fn lock(connection: &mut PgConnection, ids: &[i64]) -> Result<Vec<Quarantined>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, node, space, origin, sequence, code, reason, standing, at from federation.quarantine
          where id = any($1) order by id for update",
        ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Quarantined::from).collect())
}

/// Takes lines away.
///
/// # Errors
/// Where the database fails.
pub async fn drop_lines(connection: &mut PgConnection, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from federation.quarantine where id = any($1)", ids).execute(connection).await?;
    Ok(())
}

/// Takes back the lines that say that the histories of a node have parted: they are one again.
///
/// # Errors
/// Where the database fails.
pub async fn joined_again(connection: &mut PgConnection, origin: &NodeId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from federation.quarantine where code = 'FORK' and origin = $1", origin.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
