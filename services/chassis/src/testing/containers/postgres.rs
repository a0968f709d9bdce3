//! Postgres in a container, which holds its data.

use data_encoding::HEXLOWER;
use testcontainers::ImageExt;

use super::{Container, image};
use crate::clock;
use crate::embedded::{Address, EmbeddedError, PostgresOptions, settings};

/// As [`crate::embedded::Postgres`]; its data is in the container and goes with it.
pub struct Postgres {
    container: Container,
    address: Address,
}

impl Postgres {
    /// Starts Postgres. Serves when this returns.
    ///
    /// # Errors
    /// No such image, or what Postgres itself says.
    pub async fn start(options: PostgresOptions) -> Result<Self, EmbeddedError> {
        let address = Address::take(options.port, &HEXLOWER.encode(&clock::random::<24>()?))?;
        let port = format!("port={}", address.port);
        let told = settings(options.durable).map(|setting| (*setting).to_owned()).chain([port]);
        let words = told.flat_map(|setting| ["-c".to_owned(), setting]);
        let image = image("POSTGRES_IMAGE").with_env_var("POSTGRES_PASSWORD", &address.password).with_cmd(words);
        let container = Container::start("Postgres", image).await?;
        container.ready(async || address.connect().await.ok()).await?;
        Ok(Self { container, address })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// The address of a database, as its superuser: who makes each service's own role.
    pub fn url(&self, database: &str) -> String {
        self.address.url(database)
    }

    /// Makes a database; well if it is there.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn create_database(&self, name: &str) -> Result<(), EmbeddedError> {
        self.address.create_database(name).await
    }

    /// Stops in good order.
    ///
    /// # Errors
    /// None.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.container.stop().await;
        Ok(())
    }

    /// Kills the server as a crash would.
    pub async fn kill(self) {
        self.container.kill().await;
    }
}
