//! The outcome as one JSON object.

use chassis::database::{DatabaseError, without_password};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Check;
use crate::error::NodeError;
use crate::fleet::{Coalition, Node};
use crate::house::ROOMS;
use crate::words::thousands;

/// The outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Everything holds.
    pub ok: bool,
    /// How many nodes there are.
    pub nodes: usize,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
    /// Events that the services of all nodes told.
    pub events: u64,
    /// Entries that crossed a border: each counts once for every node that holds it and did not make it.
    pub entries_federated: u64,
    /// From the start of the program until everything was looked at.
    pub seconds: f64,
}

impl Report {
    /// Whether everything holds, in one sentence.
    pub fn words(&self) -> String {
        let all = self.checks.len();
        let wrong = self.checks.iter().filter(|check| !check.ok).count();
        let (events, entries) = (thousands(self.events), thousands(self.entries_federated));
        let told = format!("{events} events were told, and {entries} entries crossed to another node");
        match wrong {
            0 => format!("All {all} checks hold. {told}."),
            _ => format!("{wrong} of {all} checks do not hold. {told}."),
        }
    }

    /// The object on one line.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn line(&self) -> Result<String, NodeError> {
        serde_json::to_string(self).map_err(|error| NodeError::Usage(error.to_string()))
    }
}

pub(super) async fn of(coalition: &Coalition, checks: Vec<Check>, seconds: f64) -> Result<Report, NodeError> {
    let (mut events, mut entries_federated) = (0, 0);
    for node in &coalition.nodes {
        let (told, federated) = counted(node)
            .await
            .map_err(|source| DatabaseError::Unreachable { address: without_password(node.database()), source })?;
        events += told;
        entries_federated += federated;
    }
    let seconds = (seconds * 10.0).round() / 10.0;
    Ok(Report {
        ok: checks.iter().all(|check| check.ok),
        nodes: coalition.nodes.len(),
        checks,
        events,
        entries_federated,
        seconds,
    })
}

/// What a node's services told, and what it holds of others.
async fn counted(node: &Node) -> Result<(u64, u64), sqlx::Error> {
    let mut connection = PgConnection::connect(node.database()).await?;
    let mut told = 0_i64;
    for room in ROOMS {
        let query = format!("select count(*) from {}.log where source = $1", room.name);
        told += sqlx::query_scalar::<_, i64>(AssertSqlSafe(query)).bind(room.name).fetch_one(&mut connection).await?;
    }
    let federated: i64 = sqlx::query_scalar("select count(*) from federation.entries where origin <> $1")
        .bind(node.id.as_str())
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok((told.unsigned_abs(), federated.unsigned_abs()))
}
