//! Nodes that come back from a backup, as `deploy/backup.md` says: what was shared is not lost, what was told beside it waits
//! for a person, and the coalition goes on.

use std::path::{Path, PathBuf};
use std::process::Command;

use chassis::embedded::{Postgres, PostgresOptions};
use node::fleet::{Coalition, Footing, Node, until};
use proto::federation::GetStatusRequest;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tests::Stage;

use super::PROGRAM;
use super::two_nodes::{SKETCHES, Town};

/// Runs one of Postgres' own programs, and fails with its words.
fn postgres_program(name: &str, words: &[&str]) {
    let program = chassis::embedded::postgres().unwrap().bin.join(name);
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Backs up the database of a node that runs.
fn dump(node: &Node, folder: &Path) -> PathBuf {
    let file = folder.join("commonweal.dump");
    postgres_program("pg_dump", &["--format", "custom", "--dbname", node.database(), "--file", file.to_str().unwrap()]);
    file
}

/// Restores it into an empty database of the same name.
async fn restore(node: &Node, dump: &Path) {
    let (server, name) = node.database().rsplit_once('/').unwrap();
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    for statement in [format!("drop database {name} with (force)"), format!("create database {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    postgres_program("pg_restore", &["--exit-on-error", "--dbname", node.database(), dump.to_str().unwrap()]);
}

async fn goes_on(town: &Town, name: &str) {
    until(format!("{name} to find its place"), async || {
        let status = town.node(name).operator()?.federation().get_status(GetStatusRequest {}).await?.into_inner();
        Ok(status.restored.is_none().then_some(()))
    })
    .await
    .unwrap();
}

/// Both hold the same, and every chain, seal, verdict and fold is right.
async fn agrees(town: &Town) {
    let digests = town.coalition().settled(&town.members()).await.unwrap();
    assert_eq!(digests[0].digest, digests[1].digest);
    for node in ["backbone", "alpha"] {
        let (said, well) = town.coalition().command(town.node(node), &["verify"]).await.unwrap();
        assert!(well, "{node}: {said}");
    }
}

/// What a node waits to tell again.
async fn reissues(town: &Town, name: &str) -> Vec<Value> {
    let (said, well) = town.coalition().command(town.node(name), &["reissue", "list", "--json"]).await.unwrap();
    assert!(well, "{said}");
    serde_json::from_str(&said).unwrap()
}

#[tokio::test]
async fn a_partner_restored_from_last_nights_dump_has_lost_nothing_that_was_shared() {
    let mut town = Town::found().await;
    let (library, alliance, folder) = (town.library.clone(), town.founded.own.clone(), TempDir::new().unwrap());
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    let dump = dump(town.node("alpha"), folder.path());
    town.report("alpha", &library, 2025, 40).await;
    town.report("backbone", &alliance, 2024, 8).await;
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["50", "40"]).await;
    }

    town.stage.coalition.kill_node("alpha").await.unwrap();
    restore(town.node("alpha"), &dump).await;
    town.stage.coalition.start_node("alpha").await.unwrap();
    town.comes_to_hold("alpha", &["50", "40"]).await;
    goes_on(&town, "alpha").await;
    agrees(&town).await;
    assert!(reissues(&town, "alpha").await.is_empty());
    town.report("alpha", &library, 2026, 7).await;
    town.comes_to_hold("backbone", &["50", "40", "7"]).await;
    agrees(&town).await;
    town.stage.end().await.unwrap();
}

#[tokio::test]
async fn what_a_copy_told_that_nobody_knew_of_is_told_again_by_a_person() {
    let mut town = Town::found().await;
    let (library, folder) = (town.library.clone(), TempDir::new().unwrap());
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    let dump = dump(town.node("alpha"), folder.path());
    town.report("alpha", &library, 2025, 40).await;
    town.comes_to_hold("backbone", &["42", "40"]).await;

    // The whole machine was copied, marker and all, and goes on while the backbone is away.
    town.stage.coalition.kill_node("alpha").await.unwrap();
    town.stage.coalition.stop_node("backbone").await.unwrap();
    restore(town.node("alpha"), &dump).await;
    std::fs::remove_file(town.node("alpha").config().node.data_dir.join("marker")).unwrap();
    let mut connection = PgConnection::connect(town.node("alpha").database()).await.unwrap();
    sqlx::query("update federation.restored set marked = false").execute(&mut connection).await.unwrap();
    town.stage.coalition.start_node("alpha").await.unwrap();
    town.report("alpha", &library, 2026, 7).await;
    town.comes_to_hold("alpha", &["42", "7"]).await;
    town.stage.coalition.start_node("backbone").await.unwrap();
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["42", "40"]).await;
    }
    goes_on(&town, "alpha").await;
    let waiting = reissues(&town, "alpha").await;
    assert!(!waiting.is_empty());
    for one in &waiting {
        let number = one["number"].to_string();
        let (said, well) = town.coalition().command(town.node("alpha"), &["reissue", "send", &number]).await.unwrap();
        assert!(well, "{said}");
    }
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["42", "40", "7"]).await;
    }
    agrees(&town).await;
    town.stage.end().await.unwrap();
}

#[tokio::test]
async fn a_backbone_restored_from_last_nights_dump_takes_its_order_back_from_a_partner() {
    let mut town = Town::found().await;
    let (library, alliance, folder) = (town.library.clone(), town.founded.own.clone(), TempDir::new().unwrap());
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    let dump = dump(town.node("backbone"), folder.path());
    town.report("alpha", &library, 2025, 40).await;
    town.report("backbone", &alliance, 2024, 8).await;
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["50", "40"]).await;
    }

    town.stage.coalition.kill_node("backbone").await.unwrap();
    restore(town.node("backbone"), &dump).await;
    town.stage.coalition.start_node("backbone").await.unwrap();
    town.comes_to_hold("backbone", &["50", "40"]).await;
    goes_on(&town, "backbone").await;
    agrees(&town).await;
    town.report("backbone", &alliance, 2025, 2).await;
    town.report("alpha", &library, 2026, 7).await;
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["50", "42", "7"]).await;
    }
    agrees(&town).await;
    town.stage.end().await.unwrap();
}

/// A Postgres of one node alone, that always listens at the same port.
struct Server {
    options: PostgresOptions,
    running: Option<Postgres>,
}

impl Server {
    async fn start(folder: &Path) -> Self {
        let options = PostgresOptions { data_dir: folder.to_owned(), port: None, durable: false };
        let running = Postgres::start(options.clone()).await.unwrap();
        let options = PostgresOptions { port: Some(running.port()), ..options };
        Self { options, running: Some(running) }
    }

    async fn stop(&mut self) {
        self.running.take().unwrap().stop().await.unwrap();
    }

    async fn start_again(&mut self) {
        self.running = Some(Postgres::start(self.options.clone()).await.unwrap());
    }

    fn data(&self) -> PathBuf {
        self.options.data_dir.join("data")
    }

    /// The copy in the place of the data: another run of the same cluster's log, as after a failover.
    fn fall_back_to(&self, copy: &Path) {
        std::fs::remove_dir_all(self.data()).unwrap();
        copied(copy, &self.data());
        std::fs::write(self.data().join("recovery.signal"), "").unwrap();
        let settings = self.data().join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&settings).unwrap();
        text.push_str("restore_command = 'false'\n");
        std::fs::write(settings, text).unwrap();
    }
}

/// Copies a folder with its owners and permissions.
fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[tokio::test]
async fn a_failover_that_lost_commits_under_a_running_node_counts_as_a_restore() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start(&folder.path().join("alphas")).await;
    let shared = Server::start(&folder.path().join("shared")).await;
    let mut nodes = Vec::new();
    for sketch in SKETCHES {
        let postgres = if sketch.backbone { &shared } else { &server };
        let postgres = postgres.running.as_ref().unwrap();
        postgres.create_database(sketch.name).await.unwrap();
        let footing = Footing { database: postgres.url(sketch.name), broker: None, hub: None };
        nodes.push(Node::settle(folder.path(), sketch, &footing).unwrap());
    }
    let mut coalition = Coalition::of(nodes, Path::new(PROGRAM));
    coalition.start().await.unwrap();
    let town = Town::on(Stage::of(coalition, folder)).await;
    let library = town.library.clone();
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;

    let copy = server.data().with_file_name("copy");
    server.stop().await;
    copied(&server.data(), &copy);
    server.start_again().await;
    until("alpha to answer again", async || Ok(town.node("alpha").position(&town.members()).await.ok())).await.unwrap();
    town.report("alpha", &library, 2025, 40).await;
    town.comes_to_hold("backbone", &["42", "40"]).await;

    server.stop().await;
    server.fall_back_to(&copy);
    server.start_again().await;
    until("alpha to hold what it lost", async || {
        let holds = town.node("alpha").position(&town.members()).await;
        let there = town.node("backbone").position(&town.members()).await?;
        Ok((holds.is_ok_and(|position| position == there)).then_some(()))
    })
    .await
    .unwrap();
    goes_on(&town, "alpha").await;
    town.comes_to_hold("alpha", &["42", "40"]).await;
    town.report("alpha", &library, 2026, 7).await;
    town.comes_to_hold("backbone", &["42", "40", "7"]).await;
    agrees(&town).await;
    town.stage.end().await.unwrap();
}
