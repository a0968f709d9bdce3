//! The rooms of a node: which there are, opened over one database and one broker. A new room is one line here.

use std::sync::Arc;

use chassis::config::Config;
use chassis::database;
use chassis::desk::Desk;
use chassis::ledger::Ledger;
use chassis::room::Room;
use chassis::serve::Running;
use chassis::server::Server;
use federation::border::Border;
use federation::service::Federation;
use measurement::Measurement;
use membership::Membership;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Keys, Road};
use crate::error::NodeError;

/// The names of the rooms: what a state digest is put together from.
pub const ROOMS: &[&str] = &[Membership::NAME, Measurement::NAME];

/// What runs behind the services of this process.
pub struct Rooms {
    running: Vec<Running>,
    border: TaskTracker,
}

struct Opening<'a> {
    config: &'a Config,
    keys: &'a Keys,
    road: &'a Road,
    stop: &'a CancellationToken,
    running: Vec<Running>,
}

impl Rooms {
    /// Opens the services that belong to this process and adds their calls to the server.
    ///
    /// # Errors
    /// Where a service's schema cannot be made ready.
    pub async fn open(
        config: &Config,
        keys: &Keys,
        road: &Road,
        mut server: Server,
        stop: &CancellationToken,
    ) -> Result<(Self, Server), NodeError> {
        let mut opening = Opening { config, keys, road, stop, running: Vec::new() };
        let most = config.limits.message_bytes;
        if let Some(desk) = opening.room::<Membership>().await? {
            server = server
                .add_service(membership::service(desk).max_decoding_message_size(most).max_encoding_message_size(most));
        }
        if let Some(desk) = opening.room::<Measurement>().await? {
            server = server.add_service(
                measurement::service(desk).max_decoding_message_size(most).max_encoding_message_size(most),
            );
        }
        let border = TaskTracker::new();
        if opening.is_here(federation::NAME) {
            server = opening.border(server, &border).await?;
        }
        border.close();
        Ok((Self { running: opening.running, border }, server))
    }

    /// Waits until everything behind the services has stopped.
    pub async fn stopped(self) {
        for running in self.running {
            running.stopped().await;
        }
        self.border.wait().await;
    }
}

impl Opening<'_> {
    fn is_here(&self, name: &str) -> bool {
        self.config.node.only.is_empty() || self.config.node.only.iter().any(|only| only == name)
    }

    async fn room<R: Room>(&mut self) -> Result<Option<Desk<R>>, NodeError> {
        if !self.is_here(R::NAME) {
            return Ok(None);
        }
        let (ledger, _) = self.ledger::<R>().await?;
        self.running.push(Running::start(&ledger, &self.road.client, self.stop).await?);
        Ok(Some(Desk::new(ledger)))
    }

    async fn ledger<R: Room>(&self) -> Result<(Ledger<R>, Arc<Notify>), NodeError> {
        let connections = self.config.database.connections;
        let pool = database::open(&self.road.database, R::NAME, R::migrations(), connections).await?;
        let wake = Arc::new(Notify::new());
        Ok((Ledger::new(pool, self.keys.node.id().clone(), wake.clone()), wake))
    }

    async fn border(&self, server: Server, tasks: &TaskTracker) -> Result<Server, NodeError> {
        let (ledger, relay) = self.ledger::<Federation>().await?;
        let border = Border {
            pool: ledger.pool.clone(),
            keys: self.keys.node.clone(),
            root: self.keys.root.clone(),
            relay,
            moved: Arc::new(watch::Sender::new(0)),
            trace: Arc::default(),
        };
        let client = self.road.client.clone();
        let links =
            federation::run::start(border, client.clone(), self.road.hub.clone(), tasks, self.stop.clone()).await?;
        let name = self.config.node.name.clone();
        let api = federation::api::service(Desk::new(ledger), links, client, ROOMS.to_vec(), name);
        let most = self.config.limits.message_bytes;
        Ok(server.add_service(api.max_decoding_message_size(most).max_encoding_message_size(most)))
    }
}
