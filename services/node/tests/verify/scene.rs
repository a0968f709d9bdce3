//! A backbone and a partner at work in this process, with a little of everything in their databases: what one told the
//! other, a hosted organisation, a refusal, and a role that ended.

mod founding;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chassis::config::Config;
use chassis::embedded::PostgresOptions;
use chassis::identity::NodeKeys;
use chassis::testing::Postgres;
use node::client::Client;
use node::house::House;
use node::verify::{Report, Verifier, Watch};
use proto::federation::GetSpaceDigestRequest;
use proto::measurement::GetMeasureRequest;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::founding::{admit_hosted, ask_and_admit, define, forge, found, join, report, talk};

const PATIENCE: Duration = Duration::from_secs(60);

struct Nobody;

impl Watch for Nobody {
    fn begin(&self, _: &'static str, _: u64) {}
    fn done(&self, _: u64) {}
}

pub struct Node {
    pub name: &'static str,
    pub config: Config,
    pub client: Client,
    file: PathBuf,
    keys: NodeKeys,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Node {
    async fn start(folder: &TempDir, name: &'static str, database: &str, more: &str) -> Self {
        let home = folder.path().join(name);
        let file = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "[node]\nname = \"{name}\"\ndata_dir = \"{}\"\n[listen]\ngrpc = \"127.0.0.1:0\"\n[database]\nurl = \"{database}\"\n{more}",
            home.display()
        );
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let house = House::start(&config).await.unwrap();
        let client = Client::operator(&config).await.unwrap();
        let keys = NodeKeys::load(&home).unwrap().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            house.serve(async { drop(stopped.await) }).await.unwrap();
        });
        Self { name, config, client, file, keys, stop, serving }
    }

    pub fn id(&self) -> String {
        self.keys.id().to_string()
    }

    pub async fn superuser(&self) -> PgPool {
        PgPool::connect(self.config.database.url.as_ref().unwrap().reveal()).await.unwrap()
    }

    pub async fn verify(&self) -> Report {
        let verifier = Verifier {
            database: self.config.database.url.as_ref().unwrap().reveal(),
            node: self.keys.id().clone(),
            own_keys: vec![self.keys.public()],
            folds: true,
            watch: &Nobody,
        };
        verifier.run().await.unwrap()
    }

    /// Verifies after something was done to a table, and puts the table back.
    pub async fn tampered(&self, table: &str, tamper: &str) -> Report {
        let pool = self.superuser().await;
        let run = async |statements: &str| {
            // Neither triggers nor foreign keys take part.
            let text = format!("set session_replication_role = replica; {statements}");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *pool.acquire().await.unwrap()).await.unwrap();
        };
        run(&format!("create table public.aside as table {table}")).await;
        run(tamper).await;
        let report = self.verify().await;
        let back = format!("delete from {table}; insert into {table} overriding system value table public.aside");
        run(&format!("{back}; drop table public.aside")).await;
        report
    }

    /// Runs the command on this node's configuration: its exit code and standard output.
    pub async fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_commonweal"));
        let output = command.arg("--config").arg(&self.file).args(arguments).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text + &String::from_utf8(output.stderr).unwrap())
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

pub struct Scene {
    pub backbone: Node,
    pub alpha: Node,
    initiative: String,
    measure: String,
    hosted: String,
    _postgres: Postgres,
    _folder: TempDir,
}

/// A task that goes on until it is told to stop.
pub struct Writing {
    go_on: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Writing {
    pub async fn stop(self) {
        self.go_on.store(false, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

pub async fn scene() -> Scene {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = TempDir::new().unwrap();
    let options = PostgresOptions { data_dir: folder.path().join("postgres"), port: None, durable: false };
    let postgres = Postgres::start(options).await.unwrap();
    for name in ["backbone", "alpha"] {
        postgres.create_database(name).await.unwrap();
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = format!("[hub]\nenabled = true\nlisten = \"{free}\"\n");
    let backbone = Node::start(&folder, "backbone", &postgres.url("backbone"), &hub).await;
    let alpha = Node::start(&folder, "alpha", &postgres.url("alpha"), "").await;

    let initiative = found(&backbone.client).await;
    let hosted = admit_hosted(&backbone.client, &initiative).await;
    talk(&backbone, &initiative, &hosted).await;
    join(&backbone.client, &alpha.client, &initiative).await;
    let partner = ask_and_admit(&backbone.client, &alpha.client, &initiative).await;
    let measure = define(&backbone.client, &initiative).await;
    soon(async || alpha.client.measurement().get_measure(GetMeasureRequest { measure: measure.clone() }).await.ok())
        .await;
    report(&alpha.client, &measure, &partner, "P", 10).await;
    report(&backbone.client, &measure, &hosted, "H", 5).await;
    forge(&alpha, &initiative).await;

    let scene = Scene { backbone, alpha, initiative, measure, hosted, _postgres: postgres, _folder: folder };
    scene.settle().await;
    scene
}

impl Scene {
    pub fn node(&self, name: &str) -> &Node {
        if name == "alpha" { &self.alpha } else { &self.backbone }
    }

    /// Puts in names; in SQL as text.
    pub fn filled(&self, text: &str, sql: bool) -> String {
        let names = [
            ("{alpha}", self.alpha.id()),
            ("{backbone}", self.backbone.id()),
            ("{members}", format!("{}/members", self.initiative)),
            ("{initiative}", self.initiative.clone()),
        ];
        names.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, &if sql { format!("'{value}'") } else { value })
        })
    }

    /// Waits until both hold the same, and nothing is on its way.
    async fn settle(&self) {
        let request = || GetSpaceDigestRequest { space: format!("{}/members", self.initiative) };
        soon(async || {
            let mut digests = Vec::new();
            for node in [&self.backbone, &self.alpha] {
                digests.push(node.client.federation().get_space_digest(request()).await.ok()?.into_inner());
            }
            let settled = digests.iter().all(|digest| digest.settled);
            (settled && digests[0].position == digests[1].position && digests[0].digest == digests[1].digest)
                .then_some(())
        })
        .await;
    }

    /// Goes on reporting at the backbone until it is told to stop.
    pub fn report_for_ever(&self) -> Writing {
        let go_on = Arc::new(AtomicBool::new(true));
        let (client, measure, hosted, on) =
            (self.backbone.client.clone(), self.measure.clone(), self.hosted.clone(), go_on.clone());
        let task = tokio::spawn(async move {
            let mut round = 0;
            while on.load(Ordering::Relaxed) {
                round += 1;
                report(&client, &measure, &hosted, &format!("R{round}-"), 3).await;
            }
        });
        Writing { go_on, task }
    }

    pub async fn stop(self) {
        self.alpha.stop().await;
        self.backbone.stop().await;
    }
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
