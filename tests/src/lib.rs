//! The stage on which whole nodes play: each a process with its own key, data, database and broker, from the fleet that
//! the demo shows.

pub mod proxy;
pub mod soak;

use std::path::{Path, PathBuf};

use node::demo::Voice;
use node::error::NodeError;
use node::fleet::{Coalition, Sketch};
use tempfile::TempDir;

/// A coalition on throw-away data.
pub struct Stage {
    /// Its nodes.
    pub coalition: Coalition,
    _folder: TempDir,
}

impl Stage {
    /// Starts nodes; they end with the stage at the latest.
    ///
    /// # Errors
    /// What does not start.
    pub async fn set(program: &str, sketches: &[Sketch]) -> Result<Self, NodeError> {
        let folder = TempDir::new().map_err(|error| NodeError::Usage(error.to_string()))?;
        let mut coalition = Coalition::settle(folder.path(), Path::new(program), sketches, false).await?;
        coalition.start().await?;
        Ok(Self { coalition, _folder: folder })
    }

    /// A stage with nodes that run already.
    pub fn of(coalition: Coalition, folder: TempDir) -> Self {
        Self { coalition, _folder: folder }
    }

    /// Ends everything in good order.
    ///
    /// # Errors
    /// Where a node had to be killed, or ended with a failure.
    pub async fn end(self) -> Result<(), NodeError> {
        self.coalition.stop().await
    }
}

/// A voice for stories that nobody watches.
pub fn voice() -> Voice {
    Voice::new(true)
}

/// Where the school files are.
pub fn school_files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/ct-education-districts")
}
