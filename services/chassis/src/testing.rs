//! What every room's tests stand on: the room alone on a throw-away database of a real Postgres, and calls by whomever
//! a test needs. Only with the feature `testing`.
#![expect(clippy::unwrap_used, reason = "tests end where their scaffolding breaks")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use prost::Message;
use proto::common::Role;
use proto::membership::RoleGranted;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::{Mutex, Notify};
use tonic::Request;

use crate::authn::{Call, Caller};
use crate::desk::Desk;
use crate::embedded::{Postgres, PostgresOptions};
use crate::event::{Actor, Event, Fact, Place, timestamp};
use crate::ledger::Ledger;
use crate::names::{NodeId, Reference, Space};
use crate::room::Room;
use crate::{clock, database, digest, fold};

/// Where set, tests make their databases on this server and start none: the address of a superuser, with a database.
pub const SERVER: &str = "COMMONWEAL_TEST_DATABASE_URL";

/// The Postgres of this process; ends with the last database on it.
enum Cluster {
    Given(String),
    Own { postgres: Postgres, _folder: TempDir },
}

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

impl Cluster {
    async fn shared() -> Arc<Self> {
        let mut shared = CLUSTER.lock().await;
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    async fn start() -> Self {
        if let Ok(url) = std::env::var(SERVER) {
            return Self::Given(url);
        }
        let folder = TempDir::new().unwrap();
        let data_dir = folder.path().join("postgres");
        let postgres = Postgres::start(PostgresOptions { data_dir, port: None, durable: false }).await.unwrap();
        Self::Own { postgres, _folder: folder }
    }

    fn url(&self, database: &str) -> String {
        match self {
            Self::Given(url) => format!("{}/{database}", url.rsplit_once('/').unwrap().0),
            Self::Own { postgres, .. } => postgres.url(database),
        }
    }

    async fn new_database(&self) -> String {
        let name = format!("test_{}", clock::new_id().simple());
        let server = match self {
            Self::Given(url) => url.clone(),
            Self::Own { postgres, .. } => postgres.url("postgres"),
        };
        let mut connection = PgConnection::connect(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }
}

/// One room of one node, alone: what it tells is kept in its log, and what others tell it is put in by the test.
pub struct Stage<R> {
    /// Where calls come in: `room::service(stage.desk.clone())` answers them.
    pub desk: Desk<R>,
    /// This node.
    pub node: NodeId,
    /// Connections as the room has them.
    pub pool: PgPool,
    heard: AtomicI64,
    _cluster: Arc<Cluster>,
}

impl<R: Room> Stage<R> {
    /// Sets up the room on an empty database.
    pub async fn set() -> Self {
        let cluster = Cluster::shared().await;
        let url = cluster.new_database().await;
        let pool = database::open(&url, R::NAME, R::migrations(), 4).await.unwrap();
        let node = some_node();
        let ledger = Ledger::new(pool.clone(), node.clone(), Arc::new(Notify::new()));
        Self { desk: Desk::new(ledger), node, pool, heard: AtomicI64::new(0), _cluster: cluster }
    }

    /// Takes in a fact as `teller` told it and the backbone accepted it.
    pub async fn hear(&self, teller: &NodeId, fact: &Fact) {
        let position = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
        let mut event = Event::told(fact, teller, &Actor::default());
        event.accepted = Some(Place { position, at: event.made_at });
        let mut transaction = self.pool.begin().await.unwrap();
        fold::take::<R>(&mut transaction, digest::BORDER, &event, event.encode()).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Lets the backbone grant an organization a role with an open term.
    pub async fn grant(&self, initiative: &Reference, organization: &Reference, role: Role) {
        let membership = Reference::born_on(&initiative.node);
        let granted = RoleGranted {
            initiative: initiative.to_string(),
            membership: membership.to_string(),
            organization: organization.to_string(),
            node: organization.node.to_string(),
            role: role.into(),
            from: Some(timestamp(OffsetDateTime::UNIX_EPOCH)),
            until: None,
        };
        self.hear(&initiative.node, &Fact::of(&membership, &Space::members(initiative), &granted)).await;
    }

    /// Every row of the room's tables and of the roles, as JSON, by table.
    pub async fn rows(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut rows = BTreeMap::new();
        for table in R::TABLES.iter().map(|table| table.name).chain(["roles"]) {
            rows.insert(table, self.rows_of(table).await);
        }
        rows
    }

    /// As [`Stage::rows`], with the log and the answered requests: equal before and after a call that wrote nothing.
    pub async fn everything(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut rows = self.rows().await;
        for table in ["log", "unsequenced", "requests"] {
            rows.insert(table, self.rows_of(table).await);
        }
        rows
    }

    async fn rows_of(&self, table: &str) -> Vec<String> {
        let select = format!("select to_jsonb(t)::text from {table} t order by 1");
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&self.pool).await.unwrap()
    }

    /// Types of the events in the log, in local order.
    pub async fn told(&self) -> Vec<String> {
        sqlx::query_scalar("select type from log order by position").fetch_all(&self.pool).await.unwrap()
    }

    /// Empties the room's tables and folds its log again.
    pub async fn replay(&self) {
        let mut transaction = self.pool.begin().await.unwrap();
        fold::replay::<R>(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The canonical states of an initiative's members space.
    pub async fn states(&self, initiative: &Reference) -> Vec<(Reference, bytes::Bytes)> {
        let mut connection = self.pool.acquire().await.unwrap();
        R::states(&mut connection, &Space::members(initiative)).await.unwrap()
    }
}

/// A node of which nothing is known but its name.
pub fn some_node() -> NodeId {
    NodeId::of_key(&clock::random().unwrap())
}

/// Somebody with a token who speaks for these organizations; may be none.
pub fn speaking_for(organizations: &[&Reference]) -> Caller {
    let person = format!("p-{}", clock::new_id().simple());
    let organizations = organizations.iter().copied().cloned().collect();
    Caller { subject: person.clone(), organizations, operator: false, person }
}

/// The operator of the node.
pub fn operator() -> Caller {
    Caller { operator: true, ..speaking_for(&[]) }
}

/// A call as the server hands it to a room, with its caller made up. `method` is its path.
pub fn call<M: Message>(method: &str, caller: Option<&Caller>, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Call::of(method, caller.cloned()).unwrap());
    request
}
