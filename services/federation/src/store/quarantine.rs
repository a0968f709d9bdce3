//! Quarantine: what was refused or held at the border, kept to be looked at, bounded for each node.

use chassis::names::NodeId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{signed, unsigned};
use crate::meters::{link_meters, peer};

/// At most so many lines for each node: a flood from one cannot push out another's.
const LINES_PER_NODE: i64 = 200;
/// Of what came, the beginning.
const BYTES_KEPT: usize = 4096;

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

/// Adds a line, and drops the node's oldest over the bound. What came before, byte for byte, and is wrong in the same
/// way only shows its latest arrival: a sender that tries again for ever fills nothing.
///
/// # Errors
/// Where the database fails.
pub async fn add(connection: &mut PgConnection, finding: &Finding<'_>) -> Result<(), sqlx::Error> {
    // Postgres keeps no NUL in a text, and a refusal must never fail for what it quotes.
    let reason = finding.reason.replace('\0', "\u{fffd}");
    let bytes = finding.bytes.get(..BYTES_KEPT).unwrap_or(finding.bytes);
    let again = sqlx::query!(
        "update federation.quarantine set at = clock_timestamp()
          where node = $1 and space = $2 and origin = $3 and sequence = $4 and code = $5 and bytes = $6",
        finding.node.as_str(),
        finding.space,
        finding.origin,
        signed(finding.sequence),
        finding.code,
        bytes,
    )
    .execute(&mut *connection)
    .await?;
    if again.rows_affected() > 0 {
        return Ok(());
    }
    tracing::warn!(
        node.id = %finding.node, space = finding.space, origin = finding.origin, sequence = finding.sequence,
        code = finding.code, reason, "quarantined"
    );
    link_meters().quarantined.add(1, &peer(finding.node));
    sqlx::query!(
        "with line as (
             insert into federation.quarantine (node, space, origin, sequence, code, reason, bytes)
             values ($1, $2, $3, $4, $5, $6, $7)
         )
         delete from federation.quarantine where node = $1 and id <=
                (select id from federation.quarantine where node = $1 order by id desc offset $8 limit 1)",
        finding.node.as_str(),
        finding.space,
        finding.origin,
        signed(finding.sequence),
        finding.code,
        reason,
        bytes,
        LINES_PER_NODE - 1,
    )
    .execute(connection)
    .await?;
    Ok(())
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
    sqlx::query_as!(
        Quarantined,
        "select id, node, space, origin, sequence, code, reason, at from federation.quarantine
          where ($1::text is null or node = $1) and ($2::bigint is null or id < $2) order by id desc limit $3",
        node,
        before,
        limit,
    )
    .fetch_all(connection)
    .await
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
            where node = $1 and code in ('DISAGREEMENT', 'NO_EVIDENCE', 'WITHHELD')"#,
        node,
    )
    .fetch_one(connection)
    .await?;
    Ok((unsigned(alarms.count), alarms.newest.unwrap_or_default()))
}
