//! One node with all that it stands on: Postgres and broker of its own, and a proxy on its link to the hub. Each can be
//! taken away from under it, and comes back at the same address.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::embedded::{EmbeddedError, Nats, NatsConfig, NatsOptions, Postgres, PostgresOptions};
use chassis::strongbox;
use node::error::NodeError;
use node::fleet::{Footing, HubFooting, Node, Sketch};
use tokio::sync::{Mutex, RwLock};
use tokio::time::{Instant, sleep};

use super::wrong;
use crate::proxy::Proxy;

/// How long a server may take to come back.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(120);
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
}

impl Place {
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
