//! One border on a real Postgres and a real broker, and the hub beside the first of them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::clock;
use chassis::embedded::{Nats, NatsConfig, NatsOptions, Postgres, PostgresOptions};
use chassis::event::{Actor, Event, Fact};
use chassis::identity::{NodeKeys, root::RootKey};
use chassis::names::{Reference, Space};
use federation::border::Border;
use federation::hub::{HubConfig, HubKeys, HubReach, HubTls};
use federation::links::{HubSide, Links};
use federation::service::Federation;
use federation::store::order;
use federation::{enrol, invitation, own, run, tell};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// One node without rooms.
pub struct Node {
    pub border: Border,
    pub links: Links,
    stop: CancellationToken,
    tasks: TaskTracker,
    _broker: Nats,
    _hub: Option<Nats>,
    _folder: TempDir,
}

impl Node {
    pub async fn start(postgres: &Postgres, name: &str, with_hub: bool) -> Self {
        // With RUST_LOG set, a failing test tells what the nodes logged.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let folder = TempDir::new().unwrap();
        let keys = NodeKeys::open(folder.path()).unwrap();
        postgres.create_database(name).await.unwrap();
        let migrations = <Federation as chassis::room::Room>::migrations();
        let pool = chassis::database::open(&postgres.url(name), federation::NAME, migrations, 8).await.unwrap();
        let root = RootKey::create(&folder.path().join("root.key")).unwrap();
        let appointment = root.appoint(1, keys.id(), clock::now());
        let border = Border {
            pool,
            root: Arc::new((root.public(), appointment)),
            keys: Arc::new(keys),
            relay: Arc::new(Notify::new()),
            moved: Arc::new(watch::Sender::new(0)),
            trace: Arc::default(),
        };
        let config = NatsConfig::Local { port: None };
        let broker = Nats::start(NatsOptions { dir: folder.path().join("broker"), config }).await.unwrap();
        let client = chassis::broker::connect(broker.url()).await.unwrap();
        let (hub, side) = match with_hub {
            true => start_hub(folder.path()).await,
            false => (None, None),
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let links = run::start(border.clone(), client, side, &tasks, stop.clone()).await.unwrap();
        Self { border, links, stop, tasks, _broker: broker, _hub: hub, _folder: folder }
    }

    /// Begins an initiative here, with an invitation to it.
    pub async fn invite(&self, initiative: &Reference) -> String {
        let mut connection = self.border.pool.acquire().await.unwrap();
        tell::initiative(&self.border, &mut connection, initiative).await.unwrap().unwrap();
        let side = self.links.hub().unwrap();
        let expires_at = clock::now() + time::Duration::hours(1);
        let (id, secret) = (clock::new_id().to_string(), [9; 32]);
        let credentials = side.keys.enrolment_credentials(&id, expires_at, clock::now()).unwrap();
        let row = federation::store::invitations::InvitationRow {
            invitation: id.clone(),
            initiative: initiative.to_string(),
            display_name: "a partner".to_owned(),
            secret_digest: federation::wire::digest(&secret).to_vec(),
            expires_at,
            node: None,
        };
        federation::store::invitations::give(&mut connection, &row).await.unwrap();
        invitation::write(&proto::federation::Invitation {
            invitation: id,
            initiative: initiative.to_string(),
            initiative_name: "Every child".to_owned(),
            hub: side.public.as_str().to_owned(),
            authority: side.reach.ca_der.clone().into(),
            root_key: Bytes::copy_from_slice(&self.border.root.0),
            enrolment_jwt: credentials.user_token,
            enrolment_seed: credentials.user_seed,
            secret: Bytes::copy_from_slice(&secret),
            expires_at: Some(chassis::event::timestamp(expires_at)),
        })
    }

    pub async fn join(&self, line: &str) {
        let invitation = invitation::read(line, clock::now()).unwrap();
        let joined = soon(async || enrol::join(&self.border.keys, "partner", &invitation).await.ok()).await;
        let mut connection = self.border.pool.acquire().await.unwrap();
        federation::store::nodes::save_initiative(&mut connection, &joined.initiative).await.unwrap();
        let link = &joined.link;
        federation::store::links::save(&mut connection, &link.node, &link.initiative, &link.mailbox).await.unwrap();
        self.links.start(link, joined.initiative).await.unwrap();
    }

    /// Tells events of a type that no version knows yet, about a resource of `home`.
    pub async fn say(&self, space: &Space, words: &[&str], about: &Reference) {
        let mut transaction = self.border.pool.begin().await.unwrap();
        let reference = space.initiative().unwrap();
        let initiative = tell::initiative(&self.border, &mut transaction, reference).await.unwrap().unwrap();
        let events: Vec<(Event, Bytes)> = words
            .iter()
            .map(|words| {
                let fact = Fact {
                    type_name: "commonweal.future.v1.Said".to_owned(),
                    resource: about.clone(),
                    space: space.clone(),
                    data: Bytes::from((*words).to_owned()),
                };
                let event = Event::told(&fact, self.border.node(), &Actor::default());
                let bytes = Bytes::from(event.encode());
                (event, bytes)
            })
            .collect();
        own::tell(&self.border, &mut transaction, &initiative, space, &events, false).await.unwrap();
        transaction.commit().await.unwrap();
        self.border.committed();
    }

    /// What was said in a space and accepted, in its order, as this node holds it.
    pub async fn heard(&self, space: &Space) -> Vec<String> {
        let events: Vec<Option<Vec<u8>>> = sqlx::query_scalar(
            "select e.event from federation.acceptances a join federation.entries e
                 on e.space = a.space and e.origin = a.origin and e.epoch = a.epoch and e.sequence between a.first and a.last
              where a.space = $1 and e.refused is null order by a.position, e.sequence",
        )
        .bind(space.to_string())
        .fetch_all(&self.border.pool)
        .await
        .unwrap();
        let events = events.into_iter().flatten().map(|bytes| Event::decode(&bytes).unwrap());
        let said = events.filter(|event| event.type_name.ends_with(".Said"));
        said.map(|event| String::from_utf8(event.data.to_vec()).unwrap()).collect()
    }

    pub async fn position(&self, space: &Space) -> (u64, [u8; 32]) {
        let order = order::read(&mut self.border.pool.acquire().await.unwrap(), space).await.unwrap();
        (order.position, order.digest)
    }

    /// Codes in quarantine, oldest first.
    pub async fn quarantined(&self) -> Vec<String> {
        sqlx::query_scalar("select code from federation.quarantine order by id")
            .fetch_all(&self.border.pool)
            .await
            .unwrap()
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn start_hub(folder: &Path) -> (Option<Nats>, Option<HubSide>) {
    let listen: SocketAddr = free_port();
    let keys = HubKeys::load_or_create(&folder.join("hub.json"), clock::now()).unwrap();
    let tls = HubTls::load_or_create(&folder.join("tls"), &[], clock::now()).unwrap();
    let store_dir = folder.join("hub");
    let config = HubConfig {
        server_name: "hub",
        listen,
        websocket: None,
        store_dir: &store_dir,
        max_disk_bytes: 4 << 30,
        tls: &tls,
        keys: &keys,
    };
    let file = folder.join("hub.conf");
    config.write(&file).unwrap();
    let hub = Nats::start(NatsOptions { dir: store_dir.clone(), config: NatsConfig::File(file) }).await.unwrap();
    let address: federation::hub::HubAddress = format!("tls://{listen}").parse().unwrap();
    let reach = HubReach { address: address.clone(), ca_der: tls.ca_der.clone() };
    let side =
        HubSide { reach, public: address, size: Default::default(), keys: Arc::new(keys), admin: Arc::default() };
    (Some(hub), Some(side))
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub async fn postgres() -> (Postgres, TempDir) {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("postgres");
    (Postgres::start(PostgresOptions { data_dir, port: None, durable: false }).await.unwrap(), folder)
}

/// Asks until there is an answer.
pub async fn soon<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it did not come to hold in time")
}
