//! One node of a fleet: its folder, its configuration, and its process while it runs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use chassis::config::{Config, Secret};
use chassis::identity::NodeKeys;
use chassis::names::{NodeId, Reference};
use chassis::strongbox;
use proto::federation::GetStatusRequest;

use super::process::{self, Process};
use super::waiting::until;
use crate::client::{self, Client};
use crate::error::NodeError;
use crate::house::Keys;

/// What a node of a fleet is to be.
#[derive(Clone, Copy, Debug)]
pub struct Sketch {
    /// Its short name: of its folder and its database.
    pub name: &'static str,
    /// How people call it.
    pub title: &'static str,
    /// Runs the hub.
    pub backbone: bool,
}

/// What a node stands on that something else runs.
#[derive(Clone, Debug)]
pub struct Footing {
    /// Address of its database.
    pub database: String,
    /// Address of its broker; without it the node runs its own.
    pub broker: Option<String>,
    /// Where a backbone's hub is; without it the node runs its own.
    pub hub: Option<HubFooting>,
}

/// Where a hub is that something else runs.
#[derive(Clone, Debug)]
pub struct HubFooting {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its backbone reaches it.
    pub server: SocketAddr,
}

/// One node of a fleet.
pub struct Node {
    /// What it is.
    pub sketch: Sketch,
    /// Its id.
    pub id: NodeId,
    file: PathBuf,
    config: Config,
    process: Option<Process>,
    crashes: bool,
    client: Option<Client>,
}

impl Node {
    /// Makes a node's folder, keys and configuration under `folder`; those that are there stay, but for the addresses
    /// of what it stands on. It does not run yet.
    ///
    /// # Errors
    /// Where something cannot be written.
    pub fn settle(folder: &Path, sketch: Sketch, footing: &Footing) -> Result<Self, NodeError> {
        let home = folder.join(sketch.name);
        let keys = Keys::open(&home)?;
        let file = home.join("commonweal.toml");
        let mut text = format!(
            "[node]\nname = {}\ndata_dir = {}\n\n[listen]\ngrpc = \"127.0.0.1:0\"\n\n[database]\nurl = {}\nconnections = 8\n",
            quoted(sketch.title),
            quoted(&home.to_string_lossy()),
            quoted(&footing.database),
        );
        if let Some(broker) = &footing.broker {
            text.push_str(&format!("\n[broker]\nurl = {}\n", quoted(broker)));
        }
        if sketch.backbone {
            text.push_str(&hub_section(footing.hub.as_ref(), &file)?);
        }
        strongbox::replace(&file, text.as_bytes())?;
        let config = Config::of(&file, &text, [])?;
        Ok(Self { sketch, id: keys.node.id().clone(), file, config, process: None, crashes: false, client: None })
    }

    /// Starts the process and waits until it answers.
    ///
    /// # Errors
    /// Where it ends instead.
    pub async fn start(&mut self, program: &Path) -> Result<(), NodeError> {
        self.launch(program, None).await
    }

    /// The same, and it crashes at some point, as [`chassis::crash`] says: perhaps before it answers.
    ///
    /// # Errors
    /// Where it ends before it answers.
    pub async fn start_to_crash(&mut self, program: &Path, at: &str) -> Result<(), NodeError> {
        self.launch(program, Some((chassis::crash::VARIABLE, at))).await
    }

    /// The same, and its clock is ahead by so many seconds, or behind where they are negative.
    ///
    /// # Errors
    /// Where it ends instead.
    pub async fn start_ahead(&mut self, program: &Path, seconds: i64) -> Result<(), NodeError> {
        self.launch(program, Some((chassis::clock::AHEAD, &seconds.to_string()))).await
    }

    async fn launch(&mut self, program: &Path, amiss: Option<(&str, &str)>) -> Result<(), NodeError> {
        self.crashes = amiss.is_some_and(|(variable, _)| variable == chassis::crash::VARIABLE);
        client::forget(&self.config.node.data_dir)?;
        let log = self.config.node.data_dir.join("node.log");
        let process = self.process.insert(Process::start(program, self.sketch.name, &self.file, log, amiss)?);
        let config = &self.config;
        let client = until(format!("the node {}", self.sketch.name), async || {
            process.still_there()?;
            // A service that has not said so yet would be called for ever where nobody listens.
            if !client::all_announced(&config.node.data_dir) {
                return Ok(None);
            }
            let Ok(client) = Client::own(config).await else { return Ok(None) };
            Ok(client.federation().get_status(GetStatusRequest {}).await.is_ok().then_some(client))
        });
        self.client = Some(client.await?);
        Ok(())
    }

    /// Ends the process in good order, if there is one.
    ///
    /// # Errors
    /// Where it had to be killed, or ended with a failure.
    pub async fn stop(&mut self) -> Result<(), NodeError> {
        self.client = None;
        match self.process.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }

    /// Ends the process as a crash would.
    pub async fn kill(&mut self) {
        self.client = None;
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
    }

    /// The number of its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref()?.number()
    }

    /// Fails where the process has ended by itself, with its last words; not where it was told to crash.
    ///
    /// # Errors
    /// That it has.
    pub fn still_there(&mut self) -> Result<(), NodeError> {
        if self.crashes { Ok(()) } else { self.process.as_mut().map_or(Ok(()), Process::still_there) }
    }

    /// Whether it was told to crash, and has.
    pub fn has_crashed(&mut self) -> bool {
        self.crashes && self.process.as_mut().is_some_and(|process| process.still_there().is_err())
    }

    /// Runs a command of a program with this node's configuration: what it says, and whether it ended well.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub async fn command(&self, program: &Path, words: &[&str]) -> Result<(String, bool), NodeError> {
        process::ask(program, &self.file, words).await
    }

    /// Calls this node as its operator.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn operator(&self) -> Result<Client, NodeError> {
        self.client.clone().ok_or_else(|| NodeError::Usage(format!("the node {} does not run", self.sketch.name)))
    }

    /// Calls this node as somebody who speaks for an organization.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn speaking_for(&self, organization: &Reference) -> Result<Client, NodeError> {
        self.operator()?.speaking(&self.config, "clerk", std::slice::from_ref(organization))
    }

    /// How far it holds the order of a space; 0 where it holds nothing of it.
    ///
    /// # Errors
    /// Where it does not run.
    pub async fn position(&self, space: &str) -> Result<u64, NodeError> {
        let status = self.operator()?.federation().get_status(GetStatusRequest {}).await?.into_inner();
        Ok(status.spaces.iter().find(|held| held.space == space).map_or(0, |held| held.position))
    }

    /// Its configuration, as it was read.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The file with its configuration.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its keys: for those who show what cannot be done with them.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn keys(&self) -> Result<NodeKeys, NodeError> {
        Ok(NodeKeys::open(&self.config.node.data_dir)?)
    }

    /// The address of its database, as a login that may read everything there.
    pub fn database(&self) -> &str {
        self.config.database.url.as_ref().map_or("", Secret::reveal)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn hub_section(elsewhere: Option<&HubFooting>, file: &Path) -> Result<String, NodeError> {
    Ok(match elsewhere {
        Some(HubFooting { listen, server }) => {
            format!("\n[hub]\nenabled = true\nlisten = \"{listen}\"\nserver = \"tls://{server}\"\n")
        }
        None => format!("\n[hub]\nenabled = true\nlisten = \"{}\"\n", hub_address(file)?),
    })
}

/// The hub's address stands in what partners keep: chosen once, it stays.
fn hub_address(file: &Path) -> Result<SocketAddr, NodeError> {
    if file.exists() {
        return Ok(Config::load(Some(file))?.hub.listen);
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.map_err(|error| NodeError::Usage(format!("this machine has no free port: {error}")))
}
