//! The demo: three organisations, each with a node of its own on this machine, tell a story on Connecticut's school
//! figures, and every figure is checked on every node. The same story runs among the tests.

mod calls;
pub mod checks;
mod crew;
mod crowd;
pub mod figures;
pub mod impostors;
mod memory;
mod report;
mod schools;
mod search;
mod story;
mod voice;

pub use checks::Check;
pub use memory::Memory;
pub use report::Report;
pub use schools::{find, read};
pub use story::{SKETCHES, tell};
pub use voice::Voice;

use std::path::{Path, PathBuf};

use crate::error::NodeError;
use crate::fleet::Coalition;

/// What is kept in the demo's folder, and what `--fresh` removes; nothing else is touched.
const KEPT: &[&str] = &["postgres", "backbone", "alpha", "beta", "impostor", memory::FILE];

/// Where the demo keeps its data unless told otherwise: `commonweal/demo` where this user's programs keep data.
pub fn usual_folder() -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|data| data.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    match data.or_else(home) {
        Some(data) => data.join("commonweal/demo"),
        None => PathBuf::from("commonweal-demo"),
    }
}

/// Whether a story was begun in a folder and not told to its end: what is there is of no use.
pub fn interrupted(folder: &Path) -> bool {
    folder.join("postgres").exists() && !folder.join(memory::FILE).exists()
}

/// Removes what the demo keeps in its folder.
///
/// # Errors
/// Where it cannot be removed.
pub fn clear(folder: &Path) -> Result<(), NodeError> {
    for name in KEPT {
        let path = folder.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(NodeError::DataDir { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Brings the nodes up, tells the story where it was not told in this folder before, and checks everything. The
/// nodes run on afterwards, whatever the outcome.
///
/// # Errors
/// What stands in the way of the story; what does not hold stands in the report.
pub async fn play(
    coalition: &mut Coalition,
    folder: &Path,
    files: &Path,
    voice: &Voice,
) -> Result<(Memory, Report), NodeError> {
    coalition.start().await?;
    voice.say("Postgres, the hub and the nodes of three organisations are up: backbone, alpha and beta");
    let memory = match Memory::load(folder)? {
        Some(memory) => {
            voice.say("The story was told here before: everything is taken up as it was left");
            memory
        }
        None => {
            let memory = tell(coalition, read(files)?, voice).await?;
            memory.save(folder)?;
            memory
        }
    };
    let checks = checks::all(coalition, &memory, figures::KNOWN, voice).await?;
    let report = report::of(coalition, checks, voice.seconds()).await?;
    Ok((memory, report))
}

/// The lines that say where everything listens and how it is called.
///
/// # Errors
/// Where a node does not run.
pub fn directions(coalition: &Coalition, memory: &Memory, program: &Path) -> Result<String, NodeError> {
    calls::directions(coalition, memory, program)
}
