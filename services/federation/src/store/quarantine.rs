//! Quarantine: what was refused or held at the border, kept to be looked at, bounded for each node.

mod lines;

use chassis::names::NodeId;
use sqlx::PgConnection;

use super::signed;
use crate::meters::{link_meters, peer, refused};

pub use lines::{Quarantined, alarms, count, drop_lines, held, held_of, joined_again, lock, newest};

/// At most so many lines for each node, of alarms as of all others: a flood from one cannot push out another's, nor hide
/// what was found of itself. No more are added in a minute, so that a flood costs little disk and a short log.
const LINES_PER_NODE: i64 = 200;
/// Of what came, the beginning.
const BYTES_KEPT: usize = 4096;
/// Of the reason, too: it may quote what came.
const REASON_BYTES: usize = 1024;

/// What a line is about, and so what may be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An entry that the order refuses: final.
    Refused,
    /// What was not taken in, and is no verdict: the right one may still come.
    Open,
    /// What this node itself could not keep: it is taken in once its fault is mended.
    Held,
    /// What the backbone accepted, and this node finds wrong or misses.
    Alarm,
}

impl Standing {
    /// As the table has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Held => "held",
            Self::Alarm => "alarm",
        }
    }

    fn read(text: &str) -> Self {
        let all = [Self::Refused, Self::Held, Self::Alarm];
        all.into_iter().find(|standing| standing.as_str() == text).unwrap_or(Self::Open)
    }
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
    /// What may be done about it.
    pub standing: Standing,
    /// What came.
    pub bytes: &'a [u8],
}

/// Adds a line, and drops the node's oldest over the bound. What came before, byte for byte, and is wrong in the same
/// way only shows its latest arrival: a sender that tries again for ever fills nothing.
///
/// # Errors
/// Where the database fails.
pub async fn add(connection: &mut PgConnection, finding: &Finding<'_>) -> Result<(), sqlx::Error> {
    link_meters().refused.add(1, &refused(finding.node, finding.code));
    let bytes = finding.bytes.get(..BYTES_KEPT).unwrap_or(finding.bytes);
    if again(connection, finding, bytes).await? {
        return Ok(());
    }
    let reason = line(&finding.reason);
    let added = sqlx::query_scalar!(
        r#"with line as (
               insert into federation.quarantine (node, space, origin, sequence, code, reason, standing, bytes)
               select $1, $2, $3, $4, $5, $6, $7, $8
                where $9 > (select count(*) from federation.quarantine
                             where node = $1 and (standing = 'alarm') = ($7 = 'alarm')
                               and at > clock_timestamp() - interval '1 minute')
               returning id
           ), gone as (
               delete from federation.quarantine
                where node = $1 and (standing = 'alarm') = ($7 = 'alarm') and exists (select from line)
                  and id <= (select id from federation.quarantine
                              where node = $1 and (standing = 'alarm') = ($7 = 'alarm')
                              order by id desc offset $9 - 1 limit 1)
           )
           select exists (select from line) as "added!""#,
        finding.node.as_str(),
        finding.space,
        finding.origin,
        signed(finding.sequence),
        finding.code,
        reason,
        finding.standing.as_str(),
        bytes,
        LINES_PER_NODE,
    )
    .fetch_one(connection)
    .await?;
    if added {
        tracing::warn!(
            node.id = %finding.node, space = finding.space, origin = finding.origin, sequence = finding.sequence,
            code = finding.code, reason, "quarantined"
        );
        link_meters().quarantined.add(1, &peer(finding.node));
    }
    Ok(())
}

/// Whether the same came before; then that is known to have come just now.
async fn again(connection: &mut PgConnection, finding: &Finding<'_>, bytes: &[u8]) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with same as (
               select id, at from federation.quarantine
                where node = $1 and space = $2 and origin = $3 and sequence = $4 and code = $5 and bytes = $6
           ), latest as (
               update federation.quarantine set at = clock_timestamp()
                where id in (select id from same where at < clock_timestamp() - interval '1 second')
           )
           select exists (select from same) as "again!""#,
        finding.node.as_str(),
        finding.space,
        finding.origin,
        signed(finding.sequence),
        finding.code,
        bytes,
    )
    .fetch_one(connection)
    .await
}

/// A reason as one line of bounded length, whatever it quotes: it is shown on terminals, and a refusal must never fail for
/// what stands in it.
fn line(reason: &str) -> String {
    let mut line = reason.replace(char::is_control, " ");
    line.truncate(line.floor_char_boundary(REASON_BYTES));
    line
}
