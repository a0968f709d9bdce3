//! The database of a node, as commands beside a running node find it: by the configured address, behind the node that
//! runs, or started for as long as the command takes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use chassis::config::Config;
use chassis::embedded::{Postgres, PostgresOptions};

use crate::error::NodeError;

/// Name of the database in a Postgres that the node starts itself.
pub const DATABASE: &str = "commonweal";

/// How to start the Postgres of a node.
pub fn postgres(data_dir: &Path) -> PostgresOptions {
    PostgresOptions { data_dir: data_dir.join("postgres"), port: None, durable: true }
}

/// Where this machine itself reaches an address that is listened on.
pub fn nearby(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

/// A database that can be reached now.
pub struct Ground {
    /// Its address, as a login that may become each service's role.
    pub url: String,
    started: Option<Postgres>,
}

impl Ground {
    /// Finds the database of a node.
    ///
    /// # Errors
    /// Where the node never had one, or its Postgres cannot be started.
    pub async fn open(config: &Config) -> Result<Self, NodeError> {
        if let Some(url) = &config.database.url {
            return Ok(Self { url: url.reveal().to_owned(), started: None });
        }
        let data_dir = std::path::absolute(&config.node.data_dir)
            .map_err(|source| NodeError::DataDir { path: config.node.data_dir.clone(), source })?;
        let folder = data_dir.join("postgres");
        if !folder.join("data").exists() {
            return Err(NodeError::Usage(format!(
                "there is no database under {}: was this node ever started with this configuration?",
                data_dir.display()
            )));
        }
        if let Some(url) = Postgres::running(&folder, DATABASE).await {
            return Ok(Self { url, started: None });
        }
        let started = Postgres::start(postgres(&data_dir)).await?;
        Ok(Self { url: started.url(DATABASE), started: Some(started) })
    }

    /// Ends what was started for the command.
    pub async fn close(self) {
        if let Some(postgres) = self.started
            && let Err(error) = postgres.stop().await
        {
            tracing::warn!(what = "postgres", %error, "did not stop by itself");
        }
    }
}
