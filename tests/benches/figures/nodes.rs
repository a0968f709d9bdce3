//! Nodes to measure: whole ones, over one durable Postgres, with an initiative in which each reports as a member.

mod story;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

use chassis::clock;
use chassis::config::{Config, Secret};
use chassis::embedded::{Postgres, PostgresOptions};
use chassis::names::Reference;
use node::client::Client;
use node::house::{self, House};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tests::proxy::Proxy;

use crate::figure::Outcome;

/// Past this nothing comes any more: a machine that others use as well is slow, and 100,000 entries are many.
pub const PATIENCE: Duration = Duration::from_secs(900);
const PAUSE: Duration = Duration::from_millis(10);

pub use story::RACES;

/// Nodes at work.
pub struct Coalition {
    /// The nodes; the first is the backbone.
    pub nodes: Vec<Node>,
    /// The initiative.
    pub initiative: Reference,
    /// The measure that is reported on.
    pub measure: String,
    postgres: Postgres,
    folder: TempDir,
}

/// One node.
pub struct Node {
    /// How it is set.
    pub config: Config,
    /// Its operator's connection to it.
    pub client: Client,
    /// Address of its database.
    pub database: String,
    /// The organization that lives on it; empty until it is a member.
    pub organization: String,
    /// The node itself.
    pub house: House,
}

/// A request id that was never used.
pub fn new_id() -> String {
    clock::new_id().to_string()
}

/// Asks until there is an answer.
pub async fn soon<T>(what: &str, ask: impl AsyncFn() -> Outcome<Option<T>>) -> Outcome<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.map_err(|_| format!("{what} did not come to be in {PATIENCE:?}"))?
}

/// A backbone without partners.
pub async fn alone() -> Outcome<Coalition> {
    start(&["backbone"], None).await
}

/// A backbone and two partners.
pub async fn coalition() -> Outcome<Coalition> {
    start(&["backbone", "alpha", "beta"], None).await
}

/// A backbone and a partner that reaches it through a proxy.
pub struct Distant {
    /// The two.
    pub coalition: Coalition,
    /// The proxy.
    pub proxy: Proxy,
}

/// A backbone and a partner behind a proxy.
pub async fn distant() -> Outcome<Distant> {
    let hub = free_port()?;
    let proxy = Proxy::before(hub).await?;
    Ok(Distant { coalition: start(&["backbone", "alpha"], Some((hub, proxy.address))).await?, proxy })
}

fn free_port() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// `hub` is where the hub listens and where partners find it.
async fn start(names: &[&str], hub: Option<(SocketAddr, SocketAddr)>) -> Outcome<Coalition> {
    let folder = TempDir::new()?;
    let data_dir = folder.path().join("postgres");
    let postgres = Postgres::start(PostgresOptions { data_dir, port: None, durable: true }).await?;
    let mut nodes = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let mut config = sketch(&postgres, &folder, name).await?;
        if index == 0 {
            let (listen, public) = hub.unwrap_or((free_port()?, config.hub.listen));
            config.hub.enabled = true;
            config.hub.listen = listen;
            config.hub.public_address = hub.map(|_| format!("tls://{public}"));
        }
        nodes.push(Node::start(config).await?);
    }
    let backbone = nodes.first().ok_or("no node")?;
    let initiative = backbone.create_initiative().await?;
    for partner in nodes.iter().skip(1) {
        partner.join(backbone, &initiative).await?;
    }
    let mut organizations = Vec::new();
    for member in &nodes {
        organizations.push(member.become_member(backbone, &initiative).await?);
    }
    let measure = backbone.create_measure(&initiative).await?;
    for member in &nodes {
        member.knows_measure(&measure).await?;
    }
    for (node, organization) in nodes.iter_mut().zip(organizations) {
        node.organization = organization;
    }
    Ok(Coalition { nodes, initiative: initiative.parse()?, measure, postgres, folder })
}

async fn sketch(postgres: &Postgres, folder: &TempDir, name: &str) -> Outcome<Config> {
    postgres.create_database(name).await?;
    let mut config = Config::default();
    config.node.name = name.to_owned();
    config.node.data_dir = folder.path().join(name);
    config.listen.grpc = (Ipv4Addr::LOCALHOST, 0).into();
    config.database.url = Some(Secret::of(postgres.url(name)));
    // One caller stands for many.
    config.limits.calls_per_second = 0;
    Ok(config)
}

impl Coalition {
    /// A node by its place.
    pub fn node(&self, index: usize) -> Outcome<&Node> {
        Ok(self.nodes.get(index).ok_or("no such node")?)
    }

    /// Another database on the same server, with nobody at work on it.
    pub async fn bare_database(&self) -> Outcome<String> {
        let name = format!("bare_{}", clock::new_id().simple());
        self.postgres.create_database(&name).await?;
        Ok(self.postgres.url(&name))
    }

    /// The process of the Postgres server.
    pub fn postgres_process(&self) -> Outcome<u32> {
        let file = std::fs::read_to_string(self.folder.path().join("postgres/data/postmaster.pid"))?;
        Ok(file.lines().next().ok_or("no process of Postgres")?.trim().parse()?)
    }

    /// Where the hub keeps its keys and certificates.
    pub fn hub_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("backbone").join("hub")
    }

    /// Waits until nothing is left to do on any node.
    pub async fn rest(&self) -> Outcome<()> {
        for node in &self.nodes {
            node.rest().await?;
        }
        Ok(())
    }

    /// Ends everything.
    pub async fn close(self) -> Outcome<()> {
        for node in self.nodes {
            node.house.serve(std::future::ready(())).await?;
        }
        self.postgres.stop().await?;
        Ok(())
    }
}

impl Node {
    async fn start(config: Config) -> Outcome<Self> {
        let house = House::start(&config).await?;
        let client = Client::operator(&config).await?;
        let database = config.database.url.as_ref().map(Secret::reveal).unwrap_or_default().to_owned();
        Ok(Self { config, client, database, organization: String::new(), house })
    }

    /// A connection to the tables of a service of this node.
    pub async fn tables(&self, service: &'static str) -> Outcome<PgConnection> {
        let options = PgConnectOptions::from_str(&self.database)?.options([("search_path", service)]);
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// Waits until everything told on this node is numbered, published and heard by the border.
    async fn rest(&self) -> Outcome<()> {
        for (service, _) in house::services() {
            let statement = "select not exists (select from unsequenced)
                and (select sequence from published) = (select coalesce(max(sequence), 0) from relayed)";
            soon("rest", async || {
                let mut tables = self.tables(service).await?;
                let rests: bool = sqlx::query_scalar(statement).fetch_one(&mut tables).await?;
                Ok(rests.then_some(()))
            })
            .await?;
        }
        for (source, _) in house::services() {
            for (listener, _) in house::services().filter(|(listener, _)| *listener != source) {
                self.heard(source, listener).await?;
            }
        }
        Ok(())
    }

    async fn heard(&self, source: &str, listener: &'static str) -> Outcome<()> {
        let statement = format!(
            "select (select coalesce(max(sequence), 0) from {source}.relayed)
                 <= (select coalesce(max(sequence), 0) from heard where source = '{source}')"
        );
        soon("rest", async || {
            let mut tables = self.tables(listener).await?;
            let heard: bool = sqlx::query_scalar(AssertSqlSafe(statement.clone())).fetch_one(&mut tables).await?;
            Ok(heard.then_some(()))
        })
        .await
    }
}
