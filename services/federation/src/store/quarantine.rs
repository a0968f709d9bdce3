//! Quarantine: what was refused or held at the border, kept to be looked at, bounded for each node.

use chassis::names::NodeId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::signed;
use crate::meters::{link_meters, peer};

/// At most so many lines for each node: a flood from one cannot push out another's.
const LINES_PER_NODE: i64 = 200;
/// Of what came, the beginning.
const BYTES_KEPT: usize = 4096;

/// One line.
#[derive(Clone, Debug, sqlx::FromRow)]
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
    /// When.
    pub at: OffsetDateTime,
}

/// What came, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// Through whose link it came.
    pub node: &'a NodeId,
    /// The space it claimed.
    pub space: String,
    /// The origin it claimed.
    pub origin: String,
    /// The sequence it claimed.
    pub sequence: u64,
    /// Stable code.
    pub code: &'a str,
    /// In words.
    pub reason: String,
    /// What came.
    pub bytes: &'a [u8],
}

/// Adds a line, and drops the node's oldest over the bound.
///
/// # Errors
/// Where the database fails.
pub async fn add(connection: &mut PgConnection, finding: &Finding<'_>) -> Result<(), sqlx::Error> {
    tracing::warn!(
        node.id = %finding.node, space = finding.space, origin = finding.origin, sequence = finding.sequence,
        code = finding.code, reason = finding.reason, "quarantined"
    );
    link_meters().quarantined.add(1, &peer(finding.node));
    sqlx::query(
        "with line as (
             insert into federation.quarantine (node, space, origin, sequence, code, reason, bytes)
             values ($1, $2, $3, $4, $5, $6, $7)
         )
         delete from federation.quarantine where node = $1 and id <=
                (select id from federation.quarantine where node = $1 order by id desc offset $8 limit 1)",
    )
    .bind(finding.node.as_str())
    .bind(&finding.space)
    .bind(&finding.origin)
    .bind(signed(finding.sequence))
    .bind(finding.code)
    .bind(&finding.reason)
    .bind(finding.bytes.get(..BYTES_KEPT).unwrap_or(finding.bytes))
    .bind(LINES_PER_NODE - 1)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest lines, newest first; of one node, or of all.
///
/// # Errors
/// Where the database fails.
pub async fn newest(
    connection: &mut PgConnection,
    node: Option<&str>,
    limit: i64,
) -> Result<Vec<Quarantined>, sqlx::Error> {
    sqlx::query_as(
        "select id, node, space, origin, sequence, code, reason, at from federation.quarantine
          where $1::text is null or node = $1 order by id desc limit $2",
    )
    .bind(node)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// How many lines a node has.
///
/// # Errors
/// Where the database fails.
pub async fn count(connection: &mut PgConnection, node: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select count(*) from federation.quarantine where node = $1")
        .bind(node)
        .fetch_one(connection)
        .await
}
