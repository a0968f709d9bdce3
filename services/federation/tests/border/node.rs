//! One border on a real Postgres and a real broker.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::authn::Caller;
use chassis::clock;
use chassis::desk::Desk;
use chassis::embedded::{NatsConfig, NatsOptions, PostgresOptions};
use chassis::event::{Actor, Event, Fact};
use chassis::gate::Gate;
use chassis::identity::{NodeKeys, root::RootKey};
use chassis::ledger::Ledger;
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::{CalledBy, Nats, Postgres, operator};
use federation::api::{self, Api};
use federation::belonging::Belongings;
use federation::border::Border;
use federation::domain::Holder;
use federation::link::Link;
use federation::links::{HubSide, Links};
use federation::restored::Restored;
use federation::service::Federation;
use federation::store::quarantine::{self, Quarantined};
use federation::store::{nodes, order};
use federation::{own, run, tell};
use prost::Name;
use proto::common::Judged;
use proto::federation::federation_service_client::FederationServiceClient;
use proto::federation::federation_service_server::FederationServiceServer;
use proto::federation::{
    CreateInvitationRequest, DropReissueRequest, GetStatusRequest, GetStatusResponse, JoinInitiativeRequest,
    RevokeNodeRequest, SendReissueRequest,
};
use sqlx::Connection;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

pub type Calls = FederationServiceClient<CalledBy<FederationServiceServer<Api>>>;

pub const PATIENCE: Duration = Duration::from_secs(60);
/// A type that no version knows yet.
pub const SAID: &str = "commonweal.future.v1.Said";

/// What of a node outlives its process.
pub struct Home {
    url: String,
    folder: TempDir,
    hub: Option<HubSide>,
    patience: Duration,
}

/// One node without rooms.
pub struct Node {
    pub border: Border,
    pub links: Links,
    api: FederationServiceServer<Api>,
    home: Home,
    stop: CancellationToken,
    tasks: TaskTracker,
    broker: Nats,
}

impl Home {
    pub async fn new(postgres: &Postgres, name: &str, hub: Option<HubSide>) -> Self {
        // With RUST_LOG set, a failing test tells what the nodes logged.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        postgres.create_database(name).await.unwrap();
        let folder = TempDir::new().unwrap();
        RootKey::create(&folder.path().join("root.key")).unwrap();
        Self { url: postgres.url(name), folder, hub, patience: PATIENCE }
    }

    /// Waits no longer than this after a restore for those who do not answer.
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Copies the database of a stopped node.
    pub async fn back_up(&self, postgres: &Postgres) {
        let name = self.database();
        administer(postgres, &format!("create database {name}_copy template {name}")).await;
    }

    /// Puts the copy in the place of the database, as another one of the same name.
    pub async fn put_back(&self, postgres: &Postgres) {
        let name = self.database();
        administer(postgres, &format!("drop database {name}")).await;
        administer(postgres, &format!("create database {name} template {name}_copy")).await;
    }

    /// As if the marker had been copied with the database.
    pub async fn forget_marker(&self) {
        std::fs::remove_file(self.folder.path().join("marker")).unwrap();
        let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
        sqlx::query("update federation.restored set marked = false").execute(&mut connection).await.unwrap();
    }

    fn database(&self) -> &str {
        self.url.rsplit('/').next().unwrap().split('?').next().unwrap()
    }

    /// Starts the node, or starts it again.
    pub async fn start(self) -> Node {
        let folder = self.folder.path();
        let keys = NodeKeys::open(folder).unwrap();
        let migrations = <Federation as chassis::room::Room>::migrations();
        let pool = chassis::database::open(&self.url, federation::NAME, migrations, 8).await.unwrap();
        let root = RootKey::load(&folder.join("root.key")).unwrap();
        let appointment = root.appoint(1, keys.id(), clock::now());
        let gate = Gate::default();
        let border = Border {
            pool,
            root: Arc::new((root.public(), appointment)),
            keys: Arc::new(keys),
            relay: Arc::new(Notify::new()),
            restored: Restored::new(folder, gate.clone()).patient_for(self.patience, PATIENCE),
            moved: Arc::new(watch::Sender::new(0)),
            trace: Arc::default(),
            belongings: Belongings::default(),
            backbone_keys: Default::default(),
        };
        let config = NatsConfig::Local { port: None };
        let broker = Nats::start(NatsOptions { dir: folder.join("broker"), config }).await.unwrap();
        let client = chassis::broker::connect(broker.url()).await.unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let links = run::start(border.clone(), client.clone(), self.hub.clone(), &tasks, stop.clone()).await.unwrap();
        let ledger = Ledger::new(border.pool.clone(), border.node().clone(), border.relay.clone()).behind(gate);
        let api = api::service(Desk::new(ledger), links.clone(), client, Vec::new(), "a partner".to_owned());
        Node { border, links, api, home: self, stop, tasks, broker }
    }
}

impl Node {
    pub async fn stop(self) -> Home {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.border.pool.close().await;
        self.broker.stop().await.unwrap();
        self.home
    }

    pub fn id(&self) -> &NodeId {
        self.border.node()
    }

    /// Where its keys are.
    pub fn folder(&self) -> &Path {
        self.home.folder.path()
    }

    /// This node, as one that belongs to an initiative.
    pub fn holder(&self) -> Holder<'_> {
        Holder { node: self.id(), follower: false }
    }

    /// The calls, by somebody or nobody.
    pub fn calls_by(&self, caller: Option<&Caller>) -> Calls {
        FederationServiceClient::new(CalledBy::new(self.api.clone(), caller))
    }

    /// The calls, by the node's operator.
    pub fn calls(&self) -> Calls {
        self.calls_by(Some(&operator()))
    }

    /// An initiative that is born here, as the border knows it once its rooms told something in it.
    pub async fn found(&self) -> Reference {
        let initiative = Reference::born_on(self.id());
        let mut connection = self.border.pool.acquire().await.unwrap();
        tell::initiative(&self.border, &mut connection, &initiative).await.unwrap().unwrap();
        initiative
    }

    /// An invitation to an initiative that was born here.
    pub async fn invite(&self, initiative: &Reference) -> String {
        self.invite_as(initiative, false).await
    }

    /// An invitation to belong to an initiative, or only to follow it.
    pub async fn invite_as(&self, initiative: &Reference, follower: bool) -> String {
        let request = CreateInvitationRequest {
            request_id: clock::new_id().to_string(),
            initiative: initiative.to_string(),
            initiative_name: "Every child".to_owned(),
            display_name: "a partner".to_owned(),
            valid_seconds: 3600,
            follower,
        };
        self.calls().create_invitation(request).await.unwrap().into_inner().invitation
    }

    pub async fn join(&self, invitation: &str) -> Result<(), Status> {
        let (request_id, invitation) = (clock::new_id().to_string(), invitation.to_owned());
        let request = JoinInitiativeRequest { request_id, invitation };
        self.calls().join_initiative(request).await.map(|_| ())
    }

    pub async fn revoke(&self, initiative: &Reference, node: &NodeId) {
        let request = RevokeNodeRequest {
            request_id: clock::new_id().to_string(),
            initiative: initiative.to_string(),
            node: node.to_string(),
            reason: "laptop stolen".to_owned(),
        };
        self.calls().revoke_node(request).await.unwrap();
    }

    pub async fn status(&self) -> GetStatusResponse {
        self.calls().get_status(GetStatusRequest {}).await.unwrap().into_inner()
    }

    /// The link to another node.
    pub fn link(&self, to: &Node, initiative: &Reference) -> Arc<Link> {
        self.links.get(to.id(), initiative).unwrap()
    }

    /// An event as this node would tell it, for the organization it is about.
    pub fn event(&self, space: &Space, about: &Reference, type_name: &str, data: impl Into<Bytes>) -> (Event, Bytes) {
        let fact =
            Fact { type_name: type_name.to_owned(), resource: about.clone(), space: space.clone(), data: data.into() };
        let event = Event::told(&fact, self.id(), &Actor { organization: Some(about.clone()), person: None });
        let bytes = Bytes::from(event.encode());
        (event, bytes)
    }

    /// Tells events in one transaction, whatever they are.
    pub async fn tell(&self, space: &Space, events: &[(Event, Bytes)]) {
        let mut transaction = self.border.pool.begin().await.unwrap();
        let reference = space.initiative().unwrap();
        let initiative = tell::initiative(&self.border, &mut transaction, reference).await.unwrap().unwrap();
        own::tell(&self.border, &mut transaction, &initiative, space, events, own::By::Room("a_room", 1))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.border.committed();
    }

    /// Tells something about a resource of its own.
    pub async fn say(&self, space: &Space, words: &[&str]) {
        let about = Reference::born_on(self.id());
        let events: Vec<_> = words.iter().map(|words| self.event(space, &about, SAID, (*words).to_owned())).collect();
        self.tell(space, &events).await;
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
        let said = events.filter(|event| event.type_name == SAID);
        said.map(|event| String::from_utf8(event.data.to_vec()).unwrap()).collect()
    }

    /// Waits until exactly this was said in a space.
    pub async fn hears(&self, space: &Space, words: &[&str]) {
        soon(async || (self.heard(space).await == words).then_some(())).await;
    }

    pub async fn order(&self, space: &Space) -> order::Order {
        order::read(&mut self.border.pool.acquire().await.unwrap(), space).await.unwrap()
    }

    /// What the border told the rooms of the backbone's word on what they told, oldest first.
    pub async fn judged(&self) -> Vec<Judged> {
        let select = "select bytes from log where type = $1 order by position";
        let lines: Vec<Vec<u8>> =
            sqlx::query_scalar(select).bind(Judged::full_name()).fetch_all(&self.border.pool).await.unwrap();
        lines.iter().map(|bytes| Event::decode(bytes).unwrap().message().unwrap()).collect()
    }

    /// Tells again what was put aside.
    pub async fn reissue(&self, number: i64) {
        let request = SendReissueRequest { request_id: clock::new_id().to_string(), number };
        self.calls().send_reissue(request).await.unwrap();
    }

    /// Drops what was put aside.
    pub async fn drop_reissue(&self, number: i64) {
        let request = DropReissueRequest { request_id: clock::new_id().to_string(), number };
        self.calls().drop_reissue(request).await.unwrap();
    }

    /// Lines in quarantine, oldest first.
    pub async fn lines(&self) -> Vec<Quarantined> {
        let mut connection = self.border.pool.acquire().await.unwrap();
        let mut lines = quarantine::newest(&mut connection, None, None, 1000).await.unwrap();
        lines.reverse();
        lines
    }

    /// Their codes.
    pub async fn codes(&self) -> Vec<String> {
        self.lines().await.into_iter().map(|line| line.code).collect()
    }

    /// Waits until exactly these codes stand in quarantine.
    pub async fn refuses(&self, codes: &[&str]) {
        if within_patience(async || (self.codes().await == codes).then_some(())).await.is_none() {
            assert_eq!(self.codes().await, codes);
        }
    }

    /// The nodes of an initiative, each with where it ended.
    pub async fn members(&self, initiative: &Reference) -> Vec<(NodeId, Option<i64>)> {
        let mut connection = self.border.pool.acquire().await.unwrap();
        let nodes = nodes::nodes(&mut connection, initiative).await.unwrap();
        nodes.into_iter().map(|node| (node.node, node.ended_position)).collect()
    }

    /// How many rows a query finds.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.border.pool).await.unwrap()
    }
}

async fn administer(postgres: &Postgres, statement: &str) {
    let mut connection = sqlx::PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}

pub async fn postgres() -> (Postgres, TempDir) {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("postgres");
    (Postgres::start(PostgresOptions { data_dir, port: None, durable: false }).await.unwrap(), folder)
}

/// Asks until there is an answer.
pub async fn soon<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    within_patience(ask).await.expect("it did not come to hold in time")
}

async fn within_patience<T>(ask: impl AsyncFn() -> Option<T>) -> Option<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.ok()
}
