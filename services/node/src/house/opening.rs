//! Opening a service: its schema, its ledger, and what runs behind it.

use std::sync::Arc;

use chassis::config::Config;
use chassis::database;
use chassis::desk::Desk;
use chassis::gate::Gate;
use chassis::ledger::Ledger;
use chassis::room::Room;
use chassis::serve::{Answers, Running};
use chassis::server::Server;
use federation::belonging::Belongings;
use federation::border::Border;
use federation::restored::Restored;
use federation::service::Federation;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rooms::ROOMS;
use super::{Keys, Road};
use crate::error::NodeError;

/// What runs behind the services of this process.
pub struct Services {
    running: Vec<Running>,
    border: TaskTracker,
}

/// The services being opened.
pub struct Opening<'a> {
    pub(super) config: &'a Config,
    keys: &'a Keys,
    road: &'a Road,
    stop: &'a CancellationToken,
    gate: Gate,
    running: Vec<Running>,
}

impl Services {
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
        let gate = Gate::not_known_yet();
        let mut opening = Opening { config, keys, road, stop, gate: gate.clone(), running: Vec::new() };
        for room in ROOMS.iter().filter(|room| config.node.runs(room.name)) {
            server = (room.open)(&mut opening, server).await?;
        }
        let border = TaskTracker::new();
        let (client, until) = (road.client.clone(), stop.clone());
        if config.node.runs(federation::NAME) {
            server = opening.border(server, &border).await?;
            border.spawn(gate.tell(client, until));
        } else {
            border.spawn(gate.ask(client, until));
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
    pub(super) async fn room<R: Answers>(&mut self, server: Server) -> Result<Server, NodeError> {
        let (ledger, _) = self.ledger::<R>().await?;
        self.running.push(Running::start(&ledger, &self.road.client, self.stop).await?);
        Ok(server.add_service(R::answers(Desk::new(ledger), self.config.limits.message_bytes)))
    }

    async fn ledger<R: Room>(&self) -> Result<(Ledger<R>, Arc<Notify>), NodeError> {
        let connections = self.config.database.connections;
        let pool = database::open(&self.road.database, R::NAME, R::migrations(), connections).await?;
        let wake = Arc::new(Notify::new());
        let ledger = Ledger::new(pool, self.keys.node.id().clone(), wake.clone()).behind(self.gate.clone());
        Ok((ledger, wake))
    }

    async fn border(&self, server: Server, tasks: &TaskTracker) -> Result<Server, NodeError> {
        let (ledger, relay) = self.ledger::<Federation>().await?;
        let border = Border {
            pool: ledger.pool.clone(),
            keys: self.keys.node.clone(),
            root: self.keys.root.clone(),
            relay,
            restored: Restored::new(self.config.node.markers(), self.gate.clone()),
            moved: Arc::new(watch::Sender::new(0)),
            trace: Arc::default(),
            belongings: Belongings::default(),
            backbone_keys: Default::default(),
        };
        let client = self.road.client.clone();
        let links =
            federation::run::start(border, client.clone(), self.road.hub.clone(), tasks, self.stop.clone()).await?;
        let name = self.config.node.name.clone();
        let rooms = ROOMS.iter().map(|room| room.name).collect();
        let api = federation::api::service(Desk::new(ledger), links, client, rooms, name);
        let most = self.config.limits.message_bytes;
        Ok(server.add_service(api.max_decoding_message_size(most).max_encoding_message_size(most)))
    }
}
