//! `commonweal demo`: three nodes, a story, and everything in it checked on each of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chassis::clock;
use clap::Args;

use super::stop::{self, Told};
use crate::demo::{self, Folder, Report, SKETCHES, Voice};
use crate::error::NodeError;
use crate::fleet::Coalition;

/// What a shell says of a program that was stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  commonweal demo             tell the story, print where everything listens, stay up until Ctrl-C
  commonweal demo --check     tell the story on throw-away data and end: exit code 0 if every check holds, else 4
  commonweal demo --fresh     forget what an earlier demo left, and begin again";

/// Start three nodes here and play a story on real school figures.
///
/// Three organisations with a node each, on this machine; everything it tells is checked on every node.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// End after the story; nothing is kept. The last line is one JSON object.
    #[arg(long)]
    check: bool,
    /// Folder for the data of the three nodes, kept between starts [default: commonweal/demo where this user's
    /// programs keep their data].
    #[arg(long, value_name = "FOLDER", conflicts_with = "check")]
    data_dir: Option<PathBuf>,
    /// Forget what an earlier demo left in the folder.
    #[arg(long, conflicts_with = "check")]
    fresh: bool,
    /// Folder with the school files [default: found in the project].
    #[arg(long, value_name = "FOLDER", env = "COMMONWEAL_DEMO_FILES")]
    files: Option<PathBuf>,
    /// Print the outcome as JSON on standard output, and everything else on standard error.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode, NodeError> {
        let mut told = stop::told(false)?;
        let voice = Voice::new(self.json);
        let files = self.files.clone().map_or_else(demo::find, Ok)?;
        let folder = match (self.check, &self.data_dir) {
            (true, _) => std::env::temp_dir().join(format!("commonweal-demo-{}", clock::new_id().simple())),
            (false, Some(folder)) => folder.clone(),
            (false, None) => demo::folder::usual(),
        };
        let folder = Folder::take(&folder).await?;
        voice.line("Commonweal: three organisations, three nodes, one initiative, on Connecticut's school figures.");
        voice.line("The figures are the state's own; what the organisations say and do with them here is made up.");
        voice.line(&format!("Data in {}.\n", folder.path().display()));
        if self.fresh {
            folder.clear()?;
        } else if folder.interrupted() {
            voice.line("An earlier demo did not come to its end here: the story begins again.\n");
            folder.clear()?;
        }
        let ended = self.in_folder(folder.path(), &files, &voice, &mut told).await;
        if self.check {
            match &ended {
                Ok(Some(report)) if report.ok => folder.remove(),
                Ok(None) => folder.remove(),
                _ => voice.line(&format!(
                    "What the nodes left and logged stays in {} to be looked at.",
                    folder.path().display()
                )),
            }
        }
        let Some(report) = ended? else { return Ok(ExitCode::from(INTERRUPTED)) };
        if self.check {
            super::out(&report.line()?)?;
        }
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(super::NOT_HELD) })
    }

    /// `None` where it was told to stop before the story was at its end.
    async fn in_folder(
        &self,
        folder: &Path,
        files: &Path,
        voice: &Voice,
        told: &mut Told,
    ) -> Result<Option<Report>, NodeError> {
        let program = std::env::current_exe().map_err(|error| NodeError::Usage(error.to_string()))?;
        let mut coalition = Coalition::settle(folder, &program, &SKETCHES, !self.check).await?;
        let played = tokio::select! {
            played = self.play(&mut coalition, folder, files, voice, &program) => played.map(Some),
            () = told.stop() => Ok(None),
        };
        if !self.check
            && let Ok(Some(_)) = &played
        {
            told.stop().await;
        }
        voice.line("\nStopping the nodes.");
        // What went wrong first counts more than that a node did not end well.
        let stopped = coalition.stop().await;
        let report = played?;
        stopped?;
        Ok(report)
    }

    async fn play(
        &self,
        coalition: &mut Coalition,
        folder: &Path,
        files: &Path,
        voice: &Voice,
        program: &Path,
    ) -> Result<Report, NodeError> {
        let (memory, report) = demo::play(coalition, folder, files, voice).await?;
        if !self.check {
            voice.line(&format!("\n{}\n", demo::directions(coalition, &memory, program)?));
            if self.json {
                super::out(&report.line()?)?;
            }
            voice.line("Everything stays up until Ctrl-C.");
        }
        Ok(report)
    }
}
