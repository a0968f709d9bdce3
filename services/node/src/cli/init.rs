//! `commonweal init`: a configuration file and keys.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chassis::config::{Config, environment};
use chassis::identity::NodeKeys;
use clap::Args;
use federation::hub::HubAddress;
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
    /// Where partners find the hub: tls://host:port, or wss://host:port. Without it only this machine's own find it.
    #[arg(long, requires = "backbone", value_name = "ADDRESS", value_parser = hub_address)]
    hub_address: Option<HubAddress>,
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
    /// Whether the keys were there before.
    taken_up: bool,
}

fn hub_address(text: &str) -> Result<HubAddress, String> {
    text.parse().map_err(|_| "it must be of the form tls://host:port or wss://host[:port]".to_owned())
}

impl Init {
    pub(super) fn run(self, file: Option<&Path>) -> Result<ExitCode, NodeError> {
        let file = file.unwrap_or(Path::new("commonweal.toml"));
        if file.exists() {
            return Err(NodeError::Usage(format!(
                "{} is there already{}: give another with --config, or change it by hand",
                file.display(),
                whose(file)
            )));
        }
        // The file may be used from anywhere, and must mean the same data everywhere.
        let data_dir = std::path::absolute(&self.data_dir)
            .map_err(|source| NodeError::DataDir { path: self.data_dir.clone(), source })?;
        let text = self.text(&data_dir);
        let config = Config::of(file, &text, environment())?;
        let folder = &config.node.data_dir;
        let taken_up = matches!(NodeKeys::load(folder), Ok(Some(_)));
        let folder_before = folder.exists();
        let node = make(&config, file, &text).inspect_err(|_| {
            // Only what this command made, and the first failure counts.
            if !folder_before {
                let _ = std::fs::remove_dir_all(folder);
            }
        })?;
        let made = Made {
            node,
            config: file.to_owned(),
            root_key: config.node.data_dir.join("root.key"),
            data_dir: config.node.data_dir,
            taken_up,
        };
        print(self.json, &made, |made| self.words(made))
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
            text.push_str(&format!("public_address = {}\n", quoted(address.as_str())));
        }
        text
    }

    fn words(&self, made: &Made) -> String {
        let begun = if made.taken_up { "Took up the keys that were there: node" } else { "Made node" };
        let mut text = format!(
            "{begun} {}\n  configuration  {}\n  data           {}\n",
            made.node,
            made.config.display(),
            made.data_dir.display()
        );
        if self.backbone && !made.taken_up {
            text.push_str(&format!(
                "\nThe root key of your initiative is {}. Move it to a safe place away from this machine:\n\
                 whoever has it can say who the backbone is. The node does not need it to run.\n",
                made.root_key.display()
            ));
        }
        if self.backbone && self.hub_address.is_none() {
            text.push_str(
                "\nOnly nodes on this machine can find its hub. For others set hub.public_address to where they reach it.\n",
            );
        }
        text.push_str(&format!("\nNext: commonweal serve --config {}", made.config.display()));
        text
    }
}

/// Makes the keys and then the file, and gives the node's id.
fn make(config: &Config, file: &Path, text: &str) -> Result<String, NodeError> {
    let keys = Keys::open(&config.node.data_dir)?;
    make_shared(config, keys.node.id())?;
    write_new(file, text)?;
    Ok(keys.node.id().as_str().to_owned())
}

/// Whose configuration a file is, as far as it can be read.
fn whose(file: &Path) -> String {
    let Ok(config) = Config::load(Some(file)) else { return String::new() };
    match NodeKeys::load(&config.node.data_dir) {
        Ok(Some(keys)) => format!(", of \"{}\" (node {})", config.node.name, keys.id().as_str()),
        _ => format!(", of \"{}\"", config.node.name),
    }
}

/// Writes a file that was not there.
fn write_new(file: &Path, text: &str) -> Result<(), NodeError> {
    let written = File::create_new(file).and_then(|mut new| {
        new.write_all(text.as_bytes()).inspect_err(|_| {
            let _ = std::fs::remove_file(file);
        })
    });
    written.map_err(|error| NodeError::Usage(format!("cannot write {}: {error}", file.display())))
}
