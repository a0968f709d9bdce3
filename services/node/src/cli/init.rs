//! `commonweal init`: a configuration file and keys.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use serde::Serialize;

use super::print;
use crate::error::NodeError;
use crate::house::{Keys, make_shared};

const EXAMPLES: &str = "\
Examples:
  commonweal init --name \"Hartford Public Schools\" --data-dir hartford
  commonweal init --name \"Connecticut backbone\" --backbone --hub-address tls://hub.example.org:7421";

/// Make a configuration file and the keys of a new node.
///
/// Nothing that is there already is changed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Init {
    /// How people call this node.
    #[arg(long)]
    name: String,
    /// Folder for keys and, where embedded, for Postgres and NATS.
    #[arg(long, default_value = "commonweal-data", value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Run a hub beside this node, through which partners are linked.
    #[arg(long)]
    backbone: bool,
    /// Where partners find the hub: tls://host:port, or wss://host:port.
    #[arg(long, requires = "backbone", value_name = "ADDRESS")]
    hub_address: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made {
    node: String,
    config: PathBuf,
    data_dir: PathBuf,
    root_key: PathBuf,
}

impl Init {
    pub(super) fn run(self, file: Option<&Path>) -> Result<ExitCode, NodeError> {
        let file = file.unwrap_or(Path::new("commonweal.toml"));
        if file.exists() {
            return Err(NodeError::Usage(format!(
                "{} is there already: give another with --config, or change it by hand",
                file.display()
            )));
        }
        // The file may be used from anywhere, and must mean the same data everywhere.
        let data_dir = std::path::absolute(&self.data_dir)
            .map_err(|source| NodeError::DataDir { path: self.data_dir.clone(), source })?;
        std::fs::write(file, self.text(&data_dir))
            .map_err(|error| NodeError::Usage(format!("cannot write {}: {error}", file.display())))?;
        let config = Config::load(Some(file))?;
        let keys = Keys::open(&config.node.data_dir)?;
        make_shared(&config, keys.node.id())?;
        let made = Made {
            node: keys.node.id().to_string(),
            config: file.to_owned(),
            root_key: config.node.data_dir.join("root.key"),
            data_dir: config.node.data_dir,
        };
        let backbone = self.backbone;
        print(self.json, &made, |made| words(made, backbone))
    }

    fn text(&self, data_dir: &Path) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text = format!(
            "# The configuration of this node. `commonweal serve --print-config` shows every setting with its default.\n\n\
             [node]\nname = {}\ndata_dir = {}\n",
            quoted(&self.name),
            quoted(&data_dir.to_string_lossy()),
        );
        if self.backbone {
            text.push_str("\n[hub]\nenabled = true\n");
        }
        if let Some(address) = &self.hub_address {
            text.push_str(&format!("public_address = {}\n", quoted(address)));
        }
        text
    }
}

fn words(made: &Made, backbone: bool) -> String {
    let root = match backbone {
        true => format!(
            "\nThe root key of your initiative is {}. Move it to a safe place away from this machine:\n\
             whoever has it can say who the backbone is. The node does not need it to run.\n",
            made.root_key.display()
        ),
        false => String::new(),
    };
    format!(
        "Made node {}\n  configuration  {}\n  data           {}\n{root}\nNext: commonweal serve --config {}",
        made.node,
        made.config.display(),
        made.data_dir.display(),
        made.config.display()
    )
}
