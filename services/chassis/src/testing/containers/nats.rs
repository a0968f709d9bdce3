//! nats-server in a container, over a folder of this machine.

use std::path::Path;

use testcontainers::core::Mount;
use testcontainers::{ContainerRequest, GenericImage, ImageExt};

use super::{Container, image};
use crate::embedded::{EmbeddedError, NatsConfig, NatsOptions, Plan, make_folder};

/// As [`crate::embedded::Nats`]: what it keeps is in the folder, and is there for the next one.
pub struct Nats {
    container: Container,
    port: u16,
    url: String,
}

impl Nats {
    /// Starts nats-server over a folder. Serves when this returns.
    ///
    /// # Errors
    /// No such image, or what nats-server itself says.
    pub async fn start(options: NatsOptions) -> Result<Self, EmbeddedError> {
        let plan = Plan::over(make_folder(&options.dir)?, &options.config)?;
        let words = plan.words().map(|word| word.to_string_lossy().into_owned());
        // Its files are those of whoever runs the tests, who clears them away.
        let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
        let image = image("NATS_IMAGE").with_user(format!("{user}:{group}")).with_cmd(words);
        let mut image = seen(image, &plan.dir);
        if let NatsConfig::File(file) = &options.config
            && let Some(folder) = file.parent()
            && folder != plan.dir
        {
            image = seen(image, folder);
        }
        let container = Container::start("nats-server", image).await?;
        let (port, url) = container.ready(async || plan.found()).await?;
        Ok(Self { container, port, url })
    }

    /// The port of its plain listener.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address to connect to; for a local broker with user and password.
    pub fn url(&self) -> &str {
        &self.url
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

/// With a folder at the same path within the container.
fn seen(image: ContainerRequest<GenericImage>, folder: &Path) -> ContainerRequest<GenericImage> {
    let path = folder.display().to_string();
    image.with_mount(Mount::bind_mount(path.clone(), path))
}
