//! `commonweal demo`: three nodes, a story, and every figure checked on each of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chassis::clock;
use clap::Args;

use super::stop::{self, Told};
use crate::demo::{self, Report, SKETCHES, Voice};
use crate::error::NodeError;
use crate::fleet::Coalition;

const EXAMPLES: &str = "\
Examples:
  commonweal demo             tell the story, print where everything listens, stay up until Ctrl-C
  commonweal demo --check     tell the story on throw-away data and end: exit code 0 if every figure holds, else 4
  commonweal demo --fresh     forget what an earlier demo left, and begin again";

/// Start three organisations with a node each on this machine, play a story on Connecticut's school figures, and check
/// every figure on every node.
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
            (false, None) => demo::usual_folder(),
        };
        let folder = std::path::absolute(&folder).map_err(|source| NodeError::DataDir { path: folder, source })?;
        let ended = self.in_folder(&folder, &files, &voice, &mut told).await;
        if self.check {
            // Of no use to anybody now; what cannot be removed the system clears away in time.
            let _ = std::fs::remove_dir_all(&folder);
        }
        ended
    }

    async fn in_folder(
        &self,
        folder: &Path,
        files: &Path,
        voice: &Voice,
        told: &mut Told,
    ) -> Result<ExitCode, NodeError> {
        let program = std::env::current_exe().map_err(|error| NodeError::Usage(error.to_string()))?;
        voice.line("Commonweal: three organisations, three nodes, one initiative, on Connecticut's school figures.");
        voice.line(&format!("Data in {}{}.", folder.display(), if self.check { ", removed at the end" } else { "" }));
        voice.line("");
        if self.fresh || demo::interrupted(folder) {
            demo::clear(folder)?;
        }
        let mut coalition = Coalition::settle(folder, &program, &SKETCHES, !self.check).await?;
        let ended = tokio::select! {
            played = self.play(&mut coalition, folder, files, voice, &program) => played.map(Some),
            () = told.stop() => Ok(None),
        };
        let ended = match ended {
            Ok(Some(report)) if !self.check => {
                told.stop().await;
                Ok(Some(report))
            }
            ended => ended,
        };
        if !self.check || ended.is_err() {
            voice.line("\nStopping the nodes.");
        }
        let stopped = coalition.stop().await;
        let Some(report) = ended? else { return Ok(ExitCode::from(130)) };
        stopped?;
        if self.check {
            println!("{}", report.line()?);
        }
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(4) })
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
                println!("{}", report.line()?);
            }
            voice.line("Everything stays up until Ctrl-C.");
        }
        Ok(report)
    }
}
