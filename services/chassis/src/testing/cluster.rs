//! The Postgres that the tests of a process share.

use std::sync::{Arc, Weak};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::Postgres;
use crate::clock;
use crate::embedded::PostgresOptions;

/// Where set, tests make their databases on this server and start none: the address of a superuser, with a database.
pub const SERVER: &str = "COMMONWEAL_TEST_DATABASE_URL";

/// The Postgres of this process; ends with the last database on it.
pub(super) enum Cluster {
    Given(String),
    Own { postgres: Box<Postgres>, _folder: TempDir },
}

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

impl Cluster {
    pub(super) async fn shared() -> Arc<Self> {
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
        Self::Own { postgres: Box::new(postgres), _folder: folder }
    }

    fn url(&self, database: &str) -> String {
        match self {
            Self::Given(url) => format!("{}/{database}", url.rsplit_once('/').unwrap().0),
            Self::Own { postgres, .. } => postgres.url(database),
        }
    }

    pub(super) async fn new_database(&self) -> String {
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
