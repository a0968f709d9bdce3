//! `commonweal import`: files of others into what this node's organisations say.

mod connecticut;
mod files;
mod grants;
mod outcome;

use std::process::ExitCode;

use chassis::config::Config;
use clap::{Args, Subcommand};

use crate::error::NodeError;

const HELP: &str = "\
Examples:
  commonweal import connecticut --dry-run downloads/         school figures into submissions
  commonweal import grants --dry-run grants.json             360Giving grants into awards

Exit code 4 when rows are wrong: each is named with its place and what is wrong with it.";

/// Import what others publish.
///
/// Every file is read to its end before anything is sent, and one wrong row is enough for nothing to be sent.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Import {
    #[command(subcommand)]
    source: Source,
}

/// Whose layout the files have.
#[derive(Debug, Subcommand)]
enum Source {
    Connecticut(connecticut::Figures),
    Grants(grants::Grants),
}

impl Import {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        match self.source {
            Source::Connecticut(figures) => figures.run(config).await,
            Source::Grants(grants) => grants.run(config).await,
        }
    }
}
