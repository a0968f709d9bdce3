//! What is kept of a story that was told, so that a later start finds its way about.

use std::path::Path;

use chassis::strongbox;
use serde::{Deserialize, Serialize};

use super::talk::Thread;
use crate::error::NodeError;

/// The file in the demo's folder.
pub(super) const FILE: &str = "story.json";

/// A story that was told to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    /// Reference of the initiative.
    pub initiative: String,
    /// Reference of the measure of graduation.
    pub graduation: String,
    /// Reference of the measure of enrollment.
    pub enrollment: String,
    /// Words that stand only in what alpha told the backbone alone.
    pub confidence: String,
    /// The common agenda.
    pub agenda: String,
    /// The strategy that activities serve.
    pub strategy: String,
    /// The proposal that was decided.
    pub proposal: String,
    /// How many organisations there are, with the backbone's own.
    pub organizations: usize,
    /// The thread about graduation.
    pub thread: Thread,
    /// The practice card.
    pub practice_card: String,
    /// The circle of the backbone and alpha.
    pub circle: String,
    /// How long alpha took to catch up after it had been away.
    pub catch_up: CatchUp,
}

/// What alpha missed and made up for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CatchUp {
    /// Steps of the members space's order that it had not seen.
    pub missed: u64,
    /// Position it had to reach.
    pub position: u64,
    /// From its start until it held everything, in seconds.
    pub seconds: f64,
}

impl Memory {
    /// What was kept in a folder; `None` where no story was told to its end there.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>, NodeError> {
        let Some(bytes) = strongbox::read(&folder.join(FILE))? else { return Ok(None) };
        let memory = serde_json::from_slice(&bytes);
        memory.map(Some).map_err(|error| NodeError::Usage(format!("{FILE}: {error}; start over with --fresh")))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), NodeError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| NodeError::Usage(error.to_string()))?;
        Ok(strongbox::replace(&folder.join(FILE), &text)?)
    }
}
