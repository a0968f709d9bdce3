//! `commonweal health`: whether the process beside this command serves, for what watches over containers.

use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;

use crate::client;
use crate::error::NodeError;

/// Say whether the node's process on this machine serves.
///
/// Asks its gRPC health service, with no token. For containers and supervisors; `commonweal doctor` says more.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal health --config commonweal.toml && echo it serves\n\n\
    Exit code 3 where nothing answers, 4 where it answers that it does not serve.")]
pub(super) struct Health {}

impl Health {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let serves = client::serves(config).await?;
        super::out(if serves { "serving" } else { "not serving" })?;
        Ok(if serves { ExitCode::SUCCESS } else { ExitCode::from(super::NOT_HELD) })
    }
}
