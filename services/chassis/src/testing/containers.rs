//! Postgres and nats-server as containers of the images that `deploy/compose.yaml` names, with what a test may do with
//! those that are children of its process.
//!
//! Their network is this machine's: they listen on 127.0.0.1 alone, and a hub where its configuration says.

mod nats;
mod postgres;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use crate::embedded::{EmbeddedError, last_words};

pub use nats::Nats;
pub use postgres::Postgres;

const COMPOSE: &str = include_str!("../../../../deploy/compose.yaml");
const READY_WITHIN: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);
/// How long an engine may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds that a server may take to end after it was asked to.
const GRACE: i32 = 30;

/// A running container; dropped, it is killed and removed.
struct Container {
    what: &'static str,
    running: ContainerAsync<GenericImage>,
}

/// The image that this variable of the compose file names, on this machine's network.
fn image(variable: &str) -> ContainerRequest<GenericImage> {
    let name = std::env::var(variable).unwrap_or_else(|_| default_image(variable).to_owned());
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name.as_str(), "latest"),
    };
    GenericImage::new(name, tag).with_network("host")
}

fn default_image(variable: &str) -> &'static str {
    let (_, rest) = COMPOSE.split_once(&format!("${{{variable}:-")).unwrap();
    rest.split_once('}').unwrap().0
}

impl Container {
    async fn start(what: &'static str, request: ContainerRequest<GenericImage>) -> Result<Self, EmbeddedError> {
        skip_without_engine().await;
        match request.start().await {
            Ok(running) => Ok(Self { what, running }),
            Err(error) => {
                Err(failed(what, format!("{error}; where no registry can be reached: deploy/image --servers-only")))
            }
        }
    }

    /// Asks until there is an answer.
    async fn ready<T>(&self, ask: impl AsyncFn() -> Option<T>) -> Result<T, EmbeddedError> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return Ok(answer);
            }
            if !self.running.is_running().await.unwrap() {
                let said = self.running.stderr_to_vec().await.unwrap();
                return Err(failed(self.what, last_words(&String::from_utf8_lossy(&said))));
            }
            if started.elapsed() > READY_WITHIN {
                return Err(failed(self.what, format!("it did not serve within {READY_WITHIN:?}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn stop(self) {
        self.running.stop_with_timeout(Some(GRACE)).await.unwrap();
        self.kill().await;
    }

    async fn kill(self) {
        self.running.rm().await.unwrap();
    }
}

fn failed(what: &'static str, said: String) -> EmbeddedError {
    EmbeddedError::Exited { what, said, log: Path::new("docker logs").to_owned() }
}

/// Where no engine answers there is nothing to test and nothing that failed: the process says so and ends well. What
/// the runner captures would be lost with it, so it is said past the runner.
async fn skip_without_engine() {
    let asking = async { docker_client_instance().await.ok()?.ping().await.ok() };
    if !matches!(tokio::time::timeout(PATIENCE, asking).await, Ok(Some(_))) {
        let _ = writeln!(std::io::stderr(), "skipped: no Docker engine answers here");
        std::process::exit(0);
    }
}
