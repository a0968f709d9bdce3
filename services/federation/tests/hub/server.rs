//! A real hub for one test: its server as a child process, its keys and its folder.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use chassis::embedded::{EmbeddedError, NatsConfig, NatsOptions};
use chassis::testing::Nats;
use federation::hub::{
    BackboneMailbox, HubAdmin, HubConfig, HubKeys, HubReach, HubTls, MailboxKeys, MailboxSize, NodeCredentials,
    NodeMailbox, Road, new_user_seed,
};
use time::OffsetDateTime;
use tokio::sync::watch;

/// Nothing here takes long; whoever waits longer waits in vain.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Small, so that boxes can be filled.
pub const SIZE: MailboxSize = MailboxSize { stream_bytes: 4 * 1024 * 1024 };

pub fn now() -> OffsetDateTime {
    chassis::clock::now()
}

/// Awaits, but not for ever.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens in time")
}

pub async fn open(mut road: watch::Receiver<Road>) {
    soon(road.wait_for(Road::is_open)).await.unwrap();
}

pub async fn refused(mut road: watch::Receiver<Road>) {
    soon(road.wait_for(|road| matches!(road, Road::Refused(_)))).await.unwrap();
}

/// A node's mailbox with the seeds of both sides.
pub struct Mailbox {
    pub keys: MailboxKeys,
    pub credentials: NodeCredentials,
}

pub struct Hub {
    pub folder: tempfile::TempDir,
    pub keys: HubKeys,
    pub reach: HubReach,
    pub wss: HubReach,
    pub listen: SocketAddr,
    /// `None` while it is dead.
    server: Option<Nats>,
}

impl Hub {
    pub async fn start() -> Self {
        Self::start_with(1024 * 1024 * 1024).await
    }

    /// Starts a hub with this much disk.
    pub async fn start_with(max_disk_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = HubKeys::load_or_create(&folder.path().join("keys.json"), now()).unwrap();
        let tls = HubTls::load_or_create(&folder.path().join("tls"), &[], now()).unwrap();
        // Between choosing a port and listening on it another process may take it.
        loop {
            let [listen, websocket] = free_ports();
            HubConfig {
                server_name: "hub",
                listen,
                websocket: Some(websocket),
                store_dir: &folder.path().join("store"),
                max_disk_bytes,
                tls: &tls,
                keys: &keys,
            }
            .write(&folder.path().join("hub.conf"))
            .unwrap();
            let server = match serve(folder.path()).await {
                Ok(server) => server,
                Err(EmbeddedError::Exited { said, .. }) if said.contains("address already in use") => continue,
                Err(error) => panic!("{error}"),
            };
            let reach = |scheme, at: SocketAddr| HubReach {
                address: format!("{scheme}://{at}").parse().unwrap(),
                ca_der: tls.ca_der.clone(),
            };
            let (reach, wss) = (reach("tls", listen), reach("wss", websocket));
            return Self { folder, keys, reach, wss, listen, server: Some(server) };
        }
    }

    /// Ends the server as a power cut does.
    pub async fn kill(&mut self) {
        self.server.take().unwrap().kill().await;
    }

    pub async fn start_again(&mut self) {
        self.server = Some(serve(self.folder.path()).await.unwrap());
    }

    pub fn wipe_disk(&self) {
        std::fs::remove_dir_all(self.folder.path().join("store")).unwrap();
    }

    pub async fn admin(&self) -> HubAdmin {
        HubAdmin::connect(&self.reach, &self.keys).await.unwrap()
    }

    /// Admits a node.
    pub async fn admit(&self, admin: &HubAdmin, node: &str) -> Mailbox {
        let keys = MailboxKeys::new(node).unwrap();
        admin.open_mailbox(&keys, SIZE, now()).await.unwrap();
        let (user_seed, user) = new_user_seed().unwrap();
        let user_token = keys.node_token(&user, now()).unwrap();
        let credentials = NodeCredentials { hub: self.reach.clone(), user_token, user_seed };
        Mailbox { keys, credentials }
    }

    /// Both ends of a mailbox, connected.
    pub async fn ends(&self, mailbox: &Mailbox) -> (NodeMailbox, BackboneMailbox) {
        let node = NodeMailbox::connect(&mailbox.credentials).await.unwrap();
        let backbone = BackboneMailbox::connect(&self.reach, &mailbox.keys, now()).await.unwrap();
        open(node.road()).await;
        open(backbone.road()).await;
        (node, backbone)
    }
}

async fn serve(folder: &Path) -> Result<Nats, EmbeddedError> {
    let config = NatsConfig::File(folder.join("hub.conf"));
    Nats::start(NatsOptions { dir: folder.join("server"), config }).await
}

fn free_ports() -> [SocketAddr; 2] {
    let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}
