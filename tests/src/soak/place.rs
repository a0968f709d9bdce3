//! One node with all that it stands on: Postgres and broker of its own, and a proxy on its link to the hub. Each can be
//! taken away from under it, and comes back at the same address.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chassis::embedded::{EmbeddedError, Nats, NatsConfig, NatsOptions, Postgres, PostgresOptions};
use chassis::strongbox;
use node::error::NodeError;
use node::fleet::{Footing, HubFooting, Node, Sketch};
use tokio::process::Command;
use tokio::sync::{Mutex, RwLock};
use tokio::time::{Instant, sleep};

use super::log::Log;
use super::wrong;
use crate::proxy::Proxy;

/// How long a server may take to come back.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(120);
/// Smaller than a segment of the log that Postgres writes ahead.
const SMALL_FILE: u64 = 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(250);

/// What one node stands on.
pub struct Ground {
    /// On its link to the hub.
    pub proxy: Proxy,
    /// Its broker.
    pub broker: Broker,
    /// Its Postgres.
    pub postgres: Cluster,
}

impl Ground {
    /// Prepares the ground of a node under a folder, with a hub that is to be there, and the node; it does not run yet.
    pub async fn prepare(folder: &Path, sketch: Sketch, hub: SocketAddr) -> Result<(Self, Node), NodeError> {
        let home = folder.join(sketch.name);
        strongbox::folder(&home)?;
        let proxy = Proxy::before(hub).await.map_err(wrong)?;
        let postgres = Cluster::start(home.join("postgres")).await?;
        let broker = Broker::start(home.join("broker"), NatsConfig::Local { port: None }).await?;
        let footing = Footing {
            database: postgres.make(sketch.name).await?,
            broker: Some(broker.url.clone()),
            hub: Some(HubFooting { listen: hub, server: proxy.address }),
        };
        let node = Node::settle(folder, sketch, &footing)?;
        Ok((Self { proxy, broker, postgres }, node))
    }
}

/// A node and its ground.
pub struct Place {
    /// The ground.
    pub ground: Ground,
    /// The node; locked for writing while it starts or ends.
    pub node: RwLock<Node>,
    /// Its clock is behind: by that, roles that were given a short time ago are not held yet, and it says so.
    pub behind: AtomicBool,
}

impl Place {
    /// A node on its ground.
    pub fn of(ground: Ground, node: Node) -> Self {
        Self { ground, node: RwLock::new(node), behind: AtomicBool::new(false) }
    }

    /// Starts the node, again and again as a service manager would: what it stands on may be away.
    pub async fn start(&self, program: &Path) -> Result<(), NodeError> {
        let mut node = self.node.write().await;
        let started = Instant::now();
        loop {
            match node.start(program).await {
                Err(error) if started.elapsed() > COMES_BACK_WITHIN => return Err(error),
                Err(_) => node.kill().await,
                Ok(()) => return Ok(()),
            }
            sleep(PAUSE).await;
        }
    }
}

/// A Postgres that can crash.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    running: Mutex<Option<Postgres>>,
}

impl Cluster {
    async fn start(folder: PathBuf) -> Result<Self, NodeError> {
        let options = PostgresOptions { data_dir: folder.clone(), port: None, durable: true };
        let postgres = Postgres::start(options).await?;
        Ok(Self { folder, port: postgres.port(), running: Mutex::new(Some(postgres)) })
    }

    /// Makes a database: its address.
    async fn make(&self, name: &str) -> Result<String, NodeError> {
        let running = self.running.lock().await;
        let postgres = running.as_ref().ok_or_else(|| wrong("Postgres is away"))?;
        postgres.create_database(name).await?;
        Ok(postgres.url(name))
    }

    /// Ends it at once, without a checkpoint.
    pub async fn crash(&self) -> Result<(), NodeError> {
        let postgres = self.running.lock().await.take();
        tokio::task::spawn_blocking(move || drop(postgres)).await.map_err(wrong)
    }

    /// Lets it write no file any further than where a small one ends, for a while. Postgres takes that limit for a full
    /// disk: it fails what cannot be written, and ends where it cannot write its log. Afterwards it is started again, as
    /// by whoever made room.
    pub async fn without_room(&self, log: &Log, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
        let postmaster = fs::read_to_string(self.folder.join("data/postmaster.pid")).map_err(wrong)?;
        let postmaster = postmaster.lines().next().unwrap_or_default().to_owned();
        let squeezed = limit(&postmaster, SMALL_FILE).await;
        if let Err(error) = squeezed {
            log.note(&format!("its disk was not filled: {error}"));
            return Ok(());
        }
        lasts.await;
        self.crash().await?;
        self.restart().await
    }

    /// Starts it again; it replays what was committed.
    pub async fn restart(&self) -> Result<(), NodeError> {
        let mut running = self.running.lock().await;
        let started = Instant::now();
        while running.is_none() {
            let options = PostgresOptions { data_dir: self.folder.clone(), port: Some(self.port), durable: true };
            match Postgres::start(options).await {
                Ok(postgres) => *running = Some(postgres),
                Err(EmbeddedError::PortInUse { .. }) if started.elapsed() < COMES_BACK_WITHIN => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Stops it in good order.
    pub async fn stop(&self) -> Result<(), NodeError> {
        match self.running.lock().await.take() {
            Some(postgres) => Ok(postgres.stop().await?),
            None => Ok(()),
        }
    }
}

/// Limits the files that a process and its children write, in bytes.
async fn limit(process: &str, bytes: u64) -> Result<(), NodeError> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).map_err(wrong)?;
    for process in children.split_whitespace().chain([process]) {
        // Whoever is not the process's own user may not limit it, not even root in a container.
        let Ok(owner) = fs::metadata(format!("/proc/{process}")) else { continue };
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", process, &format!("--fsize={bytes}")]).uid(owner.uid()).gid(owner.gid());
        let said = prlimit.output().await.map_err(wrong)?;
        // A child may have ended meanwhile.
        if !said.status.success() && Path::new("/proc").join(process).exists() {
            return Err(wrong(String::from_utf8_lossy(&said.stderr)));
        }
    }
    Ok(())
}

/// A nats-server that can be killed and lose what it stored: a node's broker, or the hub.
pub struct Broker {
    /// Its address, with user and password where it has them.
    pub url: String,
    folder: PathBuf,
    config: NatsConfig,
    running: Mutex<Option<Nats>>,
}

impl Broker {
    /// Starts it; from then on it keeps its port.
    pub async fn start(folder: PathBuf, config: NatsConfig) -> Result<Self, NodeError> {
        let nats = Nats::start(NatsOptions { dir: folder.clone(), config: config.clone() }).await?;
        let config = match config {
            NatsConfig::Local { .. } => NatsConfig::Local { port: Some(nats.port()) },
            file @ NatsConfig::File(_) => file,
        };
        Ok(Self { url: nats.url().to_owned(), folder, config, running: Mutex::new(Some(nats)) })
    }

    /// Kills it.
    pub async fn kill(&self) {
        if let Some(nats) = self.running.lock().await.take() {
            nats.kill().await;
        }
    }

    /// Takes away what it stored, while it does not run.
    pub async fn wipe(&self) -> Result<(), NodeError> {
        let running = self.running.lock().await;
        if running.is_some() {
            return Err(wrong("what a running broker stores is not taken away"));
        }
        for stored in ["jetstream", "accounts"].map(|stored| self.folder.join(stored)) {
            if stored.exists() {
                fs::remove_dir_all(stored).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Starts it again.
    pub async fn restart(&self) -> Result<(), NodeError> {
        let mut running = self.running.lock().await;
        let started = Instant::now();
        while running.is_none() {
            let options = NatsOptions { dir: self.folder.clone(), config: self.config.clone() };
            match Nats::start(options).await {
                Ok(nats) => *running = Some(nats),
                Err(_) if started.elapsed() < COMES_BACK_WITHIN => sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Stops it in good order.
    pub async fn stop(&self) -> Result<(), NodeError> {
        match self.running.lock().await.take() {
            Some(nats) => Ok(nats.stop().await?),
            None => Ok(()),
        }
    }
}
