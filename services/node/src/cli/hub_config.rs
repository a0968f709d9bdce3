//! `commonweal hub-config`: the configuration of a hub's server that something else runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;

use crate::error::NodeError;
use crate::house;

const EXAMPLE: &str = "\
Example:
  commonweal hub-config --config commonweal.toml --store-dir /data /run/hub/hub.conf
  nats-server --config /run/hub/hub.conf";

/// Write the configuration with which something else runs the hub's server.
///
/// A backbone runs the hub's server itself unless hub.server names another. The file holds no secret, names no partner,
/// and comes out the same each time; it belongs to the hub's keys in the data directory.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct HubConfig {
    /// Where the configuration is written.
    file: PathBuf,
    /// Folder where the server keeps accounts and mailboxes, as the server sees it.
    #[arg(long, value_name = "FOLDER")]
    store_dir: PathBuf,
}

impl HubConfig {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        if !config.hub.enabled {
            return Err(NodeError::Usage("this node has no hub: set hub.enabled".to_owned()));
        }
        let store = absolute(&self.store_dir)?;
        house::write_hub_config(config, &store, &self.file)?;
        super::out(&format!("Wrote {}", self.file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, NodeError> {
    std::path::absolute(path).map_err(|source| NodeError::DataDir { path: path.to_owned(), source })
}
