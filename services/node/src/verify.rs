//! Proof from a node's own database that nothing in it was altered: the chains of entries, the backbone's order over
//! them, the verdicts at the border, and the tables that follow from the logs are all computed again.
//!
//! Everything is read in one snapshot for each part, and what must be written to compute it again is rolled back.

mod admission;
mod chains;
mod folds;
mod order;
mod rows;
mod tables;

use std::collections::BTreeMap;

use chassis::database::{self, DatabaseError};
use chassis::names::NodeId;
use chassis::room::FoldError;
use serde::Serialize;
use uuid::Uuid;

use crate::error::NodeError;
use crate::house::ROOMS;
use crate::words;

/// What does not hold, and where exactly. Parts of the place that do not apply are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The check that found it.
    pub check: &'static str,
    /// The space of the entry or acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// The node whose entry it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The entry's place in its feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// The acceptance's place in the order of its space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The row, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What is wrong there.
    pub what: String,
}

impl Wrong {
    /// The place and what is wrong there, in one line.
    pub fn words(&self) -> String {
        let number = |name: &str, number: Option<i64>| number.map(|number| format!("{name} {number}"));
        let text = |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name} {text}"));
        let places = [
            text("space", &self.space),
            number("position", self.position),
            text("origin", &self.origin),
            number("sequence", self.sequence),
            text("table", &self.table),
            text("row", &self.row),
        ];
        let places: Vec<String> = places.into_iter().flatten().collect();
        match places.is_empty() {
            true => self.what.clone(),
            false => format!("{}: {}", places.join(", "), self.what),
        }
    }
}

/// Why a check ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something does not hold.
    Wrong(Box<Wrong>),
    /// This node cannot be read.
    Failed(NodeError),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(Box::new(wrong))
    }
}

impl From<Box<Wrong>> for Stop {
    fn from(wrong: Box<Wrong>) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(NodeError::Unreadable(error))
    }
}

impl From<DatabaseError> for Stop {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<FoldError> for Stop {
    fn from(error: FoldError) -> Self {
        Self::Failed(error.into())
    }
}

/// One check that held.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name.
    pub check: &'static str,
    /// What was counted.
    pub counts: BTreeMap<&'static str, u64>,
    /// The same in words.
    pub words: String,
}

/// What was checked, up to the first thing that is wrong.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything holds.
    pub ok: bool,
    /// Id of the node.
    pub node: NodeId,
    /// The checks that held.
    pub checks: Vec<Check>,
    /// The first thing that does not hold.
    pub wrong: Option<Wrong>,
}

/// An event that the border let in, for comparing the rooms' logs with.
pub(crate) struct Told {
    /// Of its bytes; `None` where they were erased.
    digest: Option<[u8; 32]>,
    position: i64,
}

/// What is shown while a check works: its name, and how much of how much is done.
pub trait Watch: Sync {
    /// A check begins over so many items.
    fn begin(&self, check: &'static str, items: u64);
    /// So many more are done.
    fn done(&self, items: u64);
}

/// What to verify.
pub struct Verifier<'a> {
    /// Address of the database.
    pub database: &'a str,
    /// This node.
    pub node: NodeId,
    /// All keys this node ever had.
    pub own_keys: Vec<[u8; 32]>,
    /// Folds the rooms' logs again, too; the rooms of a running node wait meanwhile.
    pub folds: bool,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

impl Verifier<'_> {
    /// Checks everything, up to the first thing that is wrong.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn run(&self) -> Result<Report, NodeError> {
        let mut checks = Vec::new();
        let outcome = self.all(&mut checks).await;
        let wrong = match outcome {
            Ok(()) => None,
            Err(Stop::Wrong(wrong)) => Some(*wrong),
            Err(Stop::Failed(error)) => return Err(error),
        };
        Ok(Report { ok: wrong.is_none(), node: self.node.clone(), checks, wrong })
    }

    async fn all(&self, checks: &mut Vec<Check>) -> Result<(), Stop> {
        let mut told = ToldEvents::new();
        let pool = database::look(self.database, federation::NAME).await?;
        let mut border = pool.begin_with("begin isolation level repeatable read read only").await?;
        checks.push(order::appointments(&mut border).await?);
        checks.push(self.chains(&mut border).await?);
        checks.push(self.order(&mut border).await?);
        border.rollback().await?;
        checks.push(self.admission(&pool, &mut told).await?);
        if self.folds {
            for room in ROOMS {
                checks.push((room.fold)(self, &told).await?);
            }
        }
        Ok(())
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn entries(number: u64) -> String {
    words::count(number, "entry", "entries")
}

/// What the border let in, by the id of the event.
pub(crate) type ToldEvents = BTreeMap<Uuid, Told>;
