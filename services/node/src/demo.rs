//! The demo: three organisations, each with a node of its own on this machine, tell a story on Connecticut's school
//! figures, and everything in it is checked on every node. The same story runs among the tests.

mod activities;
mod agenda;
mod calls;
pub mod checks;
mod circle;
mod crew;
mod crowd;
pub mod figures;
pub mod folder;
pub mod impostors;
mod memory;
mod practice;
mod proposal;
mod report;
mod schools;
pub mod search;
mod story;
mod tale;
mod talk;
mod voice;

pub use checks::Check;
pub use folder::Folder;
pub use memory::Memory;
pub use report::Report;
pub use schools::{find, read};
pub use story::{SKETCHES, tell};
pub use voice::Voice;

use std::path::Path;

use crate::error::NodeError;
use crate::fleet::Coalition;

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
    voice.line("");
    voice.say(report.words());
    Ok((memory, report))
}

/// The lines that say where everything listens and how it is called.
///
/// # Errors
/// Where a node does not run.
pub fn directions(coalition: &Coalition, memory: &Memory, program: &Path) -> Result<String, NodeError> {
    calls::directions(coalition, memory, program)
}
