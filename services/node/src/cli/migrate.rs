//! `commonweal migrate`: the tables of every service, brought up to date before the services start.

use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use serde::Serialize;

use super::print;
use crate::error::NodeError;
use crate::house;

/// Bring the tables of every service up to date.
///
/// A service does the same for itself when it starts. Where several processes run a node, this does it for all of them
/// before the first one starts. Tables only go forward: an older program refuses them afterwards.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal migrate --config commonweal.toml")]
pub(super) struct Migrate {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Migrated {
    services: Vec<&'static str>,
}

impl Migrate {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let services = house::migrate(config).await?;
        let words = |migrated: &Migrated| format!("Up to date: {}", migrated.services.join(", "));
        print(self.json, &Migrated { services }, words)
    }
}
