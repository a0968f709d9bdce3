//! The hub of one test, which may be killed, wiped and started again at the same address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chassis::clock;
use chassis::embedded::{NatsConfig, NatsOptions};
use chassis::testing::Nats;
use federation::hub::{HubAddress, HubConfig, HubKeys, HubReach, HubTls, MailboxSize};
use federation::links::HubSide;
use tempfile::TempDir;

pub struct Hub {
    pub side: HubSide,
    file: PathBuf,
    store: PathBuf,
    server: Option<Nats>,
    _folder: TempDir,
}

impl Hub {
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let listen: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let keys = HubKeys::load_or_create(&folder.path().join("hub.json"), clock::now()).unwrap();
        let tls = HubTls::load_or_create(&folder.path().join("tls"), &[], clock::now()).unwrap();
        let (store, file) = (folder.path().join("store"), folder.path().join("hub.conf"));
        let config = HubConfig {
            server_name: "hub",
            listen,
            websocket: None,
            store_dir: &store,
            max_disk_bytes: 4 << 30,
            tls: &tls,
            keys: &keys,
        };
        config.write(&file).unwrap();
        let address: HubAddress = format!("tls://{listen}").parse().unwrap();
        let side = HubSide {
            reach: HubReach { address: address.clone(), ca_der: tls.ca_der.clone() },
            public: address,
            size: MailboxSize::default(),
            keys: Arc::new(keys),
            admin: Arc::default(),
        };
        let mut hub = Self { side, file, store, server: None, _folder: folder };
        hub.start_again().await;
        hub
    }

    /// Ends the server as a power cut does.
    pub async fn kill(&mut self) {
        self.server.take().unwrap().kill().await;
    }

    /// Loses its disk, with every account, mailbox and message.
    pub fn wipe(&self) {
        std::fs::remove_dir_all(&self.store).unwrap();
    }

    /// Loses every stream, and keeps the accounts.
    pub fn lose_messages(&self) {
        std::fs::remove_dir_all(self.store.join("jetstream")).unwrap();
    }

    pub async fn start_again(&mut self) {
        let config = NatsConfig::File(self.file.clone());
        self.server = Some(Nats::start(NatsOptions { dir: self.store.clone(), config }).await.unwrap());
    }
}
