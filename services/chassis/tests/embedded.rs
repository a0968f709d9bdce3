//! Embedded servers: what they keep, what they refuse, and that nothing is left of them.
//!
//! Failures that count: a parent killed outright, a server killed outright, a second start over the same folder, a taken port, a home
//! closed to other users. Failures that do not: a power cut (Postgres' own promise), a folder on a network disk.
#![expect(clippy::unwrap_used, reason = "tests end where their scaffolding breaks")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chassis::embedded::{self, EmbeddedError, Nats, NatsConfig, NatsOptions, Postgres, PostgresOptions};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

const NOBODY: u32 = 65534;

async fn postgres(dir: &Path, durable: bool) -> Result<Postgres, EmbeddedError> {
    Postgres::start(PostgresOptions { data_dir: dir.join("postgres"), port: None, durable }).await
}

async fn nats(dir: &Path, port: Option<u16>) -> Result<Nats, EmbeddedError> {
    Nats::start(NatsOptions { dir: dir.join("nats"), config: NatsConfig::Local { port } }).await
}

async fn write_down(postgres: &Postgres, number: i32) {
    postgres.create_database("notes").await.unwrap();
    let mut connection = PgConnection::connect(&postgres.url("notes")).await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS note (number int4)").execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO note VALUES ($1)").bind(number).execute(&mut connection).await.unwrap();
}

async fn written_down(postgres: &Postgres) -> Vec<i32> {
    let mut connection = PgConnection::connect(&postgres.url("notes")).await.unwrap();
    sqlx::query_scalar("SELECT number FROM note ORDER BY number").fetch_all(&mut connection).await.unwrap()
}

async fn join(nats: &Nats) -> async_nats::Client {
    let client = chassis::broker::connect(nats.url()).await.unwrap();
    client.flush().await.unwrap(); // connecting goes on behind our back
    client
}

/// Command lines of processes that name the folder. Empty where there is no /proc to ask.
fn processes_of(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(dir.to_str().unwrap())).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "in vain waited until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = postgres(dir.path(), true).await.unwrap();
    write_down(&first, 1).await;
    first.stop().await.unwrap();

    let second = postgres(dir.path(), true).await.unwrap();
    assert_eq!(written_down(&second).await, [1]);
    second.stop().await.unwrap();
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let first = postgres(dir.path(), true).await.unwrap();
    write_down(&first, 1).await;
    first.kill().await;
    assert!(dir.path().join("postgres/data/postmaster.pid").exists(), "a crash leaves the old number behind");

    assert_eq!(written_down(&postgres(dir.path(), true).await.unwrap()).await, [1]);
}

#[tokio::test]
async fn an_old_number_that_another_program_has_by_now_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    let first = postgres(dir.path(), true).await.unwrap();
    write_down(&first, 1).await;
    first.kill().await;
    let path = dir.path().join("postgres/data/postmaster.pid");
    let text = fs::read_to_string(&path).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    let mut stranger = Command::new("sleep");
    if nix::unistd::geteuid().is_root() {
        stranger.uid(NOBODY); // as Postgres itself, or it would not take the number for one of its own
    }
    let mut stranger = stranger.arg("60").spawn().unwrap();
    fs::write(&path, format!("{}\n{rest}", stranger.id())).unwrap();

    let second = postgres(dir.path(), true).await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(written_down(&second.unwrap()).await, [1]);
}

#[tokio::test]
async fn a_database_can_be_asked_for_twice_and_by_two_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = postgres(dir.path(), false).await.unwrap();
    let (one, other) = tokio::join!(postgres.create_database("twice"), postgres.create_database("twice"));
    one.unwrap();
    other.unwrap();
    postgres.create_database("twice").await.unwrap();
    postgres.create_database("quo\"ted").await.unwrap();
    let mut connection = PgConnection::connect(&postgres.url("twice")).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(name, "twice");
}

#[tokio::test]
async fn nobody_gets_in_without_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let (postgres, nats) = (postgres(dir.path(), false).await.unwrap(), nats(dir.path(), None).await.unwrap());
    let address = format!("postgres://postgres:guess@127.0.0.1:{}/postgres", postgres.port());
    assert!(PgConnection::connect(&address).await.unwrap_err().to_string().contains("password authentication failed"));
    assert!(async_nats::connect(format!("127.0.0.1:{}", nats.port())).await.is_err());
    for secret in ["postgres/password", "nats/password", "nats/nats.conf"] {
        assert_eq!(fs::metadata(dir.path().join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    drop((postgres, nats));
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_second_start_over_the_same_folder_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let _postgres = postgres(dir.path(), false).await.unwrap();
    let _nats = nats(dir.path(), None).await.unwrap();
    let refusals = [postgres(dir.path(), false).await.err().unwrap(), nats(dir.path(), None).await.err().unwrap()];
    for (refusal, folder) in refusals.iter().zip(["postgres", "nats"]) {
        let (path, pid) = (dir.path().join(folder), std::process::id());
        assert!(
            refusal.to_string().starts_with(&format!("{} is in use by process {pid}", path.display())),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = PostgresOptions { data_dir: dir.path().join("postgres"), port: Some(port), durable: false };
    let refusals = [Postgres::start(options).await.err().unwrap(), nats(dir.path(), Some(port)).await.err().unwrap()];
    for refusal in refusals {
        assert!(matches!(refusal, EmbeddedError::PortInUse { port: named, .. } if named == port), "{refusal}");
    }
    drop(taken);
    nats(dir.path(), Some(port)).await.unwrap();
}

#[tokio::test]
async fn data_of_another_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    postgres(dir.path(), false).await.unwrap().stop().await.unwrap();
    fs::write(dir.path().join("postgres/data/PG_VERSION"), "12\n").unwrap();
    let refusal = postgres(dir.path(), false).await.err().unwrap();
    assert!(matches!(&refusal, EmbeddedError::OtherVersion { theirs, .. } if theirs == "12"), "{refusal}");
}

#[tokio::test]
async fn a_broker_killed_outright_comes_back_on_its_port_with_its_streams() {
    let dir = tempfile::tempdir().unwrap();
    let first = nats(dir.path(), None).await.unwrap();
    let (port, url) = (first.port(), first.url().to_owned());
    let client = join(&first).await;
    let stream = async_nats::jetstream::stream::Config {
        name: "NOTES".into(),
        subjects: vec!["notes".into()],
        ..Default::default()
    };
    let context = async_nats::jetstream::new(client);
    context.create_stream(stream).await.unwrap();
    context.publish("notes", "one".into()).await.unwrap().await.unwrap();
    first.kill().await;

    let second = nats(dir.path(), Some(port)).await.unwrap();
    assert_eq!(second.url(), url);
    let mut stream = async_nats::jetstream::new(join(&second).await).get_stream("NOTES").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
    second.stop().await.unwrap();
    assert_eq!(processes_of(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_broker_runs_as_a_given_file_says_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.conf");
    let start = |text: &str| {
        fs::write(&path, text).unwrap();
        Nats::start(NatsOptions { dir: dir.path().join("hub"), config: NatsConfig::File(path.clone()) })
    };
    let hub = start("listen: \"127.0.0.1:-1\"").await.unwrap();
    assert_eq!(hub.url(), format!("nats://127.0.0.1:{}", hub.port()));
    async_nats::connect(hub.url()).await.unwrap();
    drop(hub);
    let refusal = start("listen: \"127.0.0.1:-1\"\nno such setting").await.err().unwrap();
    assert!(refusal.to_string().starts_with("nats-server did not start: "), "{refusal}");
    assert!(refusal.to_string().contains("error on line 2"), "{refusal}");
}

/// The folder in which this process plays a scene for the test that started it: see [`scene`].
fn playing() -> Option<PathBuf> {
    std::env::var_os("SCENE_DIR").map(PathBuf::from)
}

/// Runs the test of this name once more, as a process of its own that only plays a scene in the folder.
fn scene(test: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env("SCENE_DIR", dir).stdin(Stdio::null());
    command
}

async fn serve_until_killed(dir: &Path) {
    let postgres = postgres(dir, true).await.unwrap();
    let _nats = nats(dir, None).await.unwrap();
    write_down(&postgres, 1).await;
    println!("\nserving");
    std::future::pending::<()>().await;
}

async fn start_and_stop(dir: &Path) {
    for round in 1..3 {
        let postgres = postgres(dir, true).await.unwrap();
        let nats = nats(dir, None).await.unwrap();
        write_down(&postgres, round).await;
        join(&nats).await;
        postgres.stop().await.unwrap();
        nats.stop().await.unwrap();
    }
    let postgres = postgres(dir, true).await.unwrap();
    assert_eq!(written_down(&postgres).await, [1, 2]);
}

fn wait_for_line(child: &mut Child, wanted: &str) {
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().map_while(Result::ok).any(|line| line == wanted), "{wanted:?} was never said");
}

#[tokio::test]
async fn a_parent_killed_outright_leaves_nothing_running_and_nothing_lost() {
    if let Some(dir) = playing() {
        return serve_until_killed(&dir).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "a_parent_killed_outright_leaves_nothing_running_and_nothing_lost";
    let mut parent = scene(name, dir.path()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for_line(&mut parent, "serving");
    parent.kill().unwrap();
    parent.wait().unwrap();

    // At once, while the orphans may still be ending: the start waits for them.
    let (postgres, nats) = (postgres(dir.path(), true).await.unwrap(), nats(dir.path(), None).await.unwrap());
    assert_eq!(written_down(&postgres).await, [1]);
    drop((postgres, nats));
    until("nothing is left", || processes_of(dir.path()).is_empty()).await;
}

#[test]
fn binaries_that_are_not_where_they_were_named_are_asked_for() {
    if playing().is_some() {
        return println!("\n{}\n{}", embedded::postgres().unwrap_err(), embedded::nats_server().unwrap_err());
    }
    let dir = tempfile::tempdir().unwrap();
    let output = scene("binaries_that_are_not_where_they_were_named_are_asked_for", dir.path())
        .env("PG_BIN", "/no/such/bin")
        .env("NATS_SERVER", "/no/such/nats-server")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("no Postgres 17 or newer found (looked at: /no/such/bin: no initdb there)"), "{text}");
    assert!(text.contains("no nats-server 2.12 or newer found (looked at: /no/such/nats-server: "), "{text}");
    assert!(text.contains("deploy/tools"), "{text}");
}

/// As root, a folder closed to other users (as in root's home) and an open one; with a space and a quote in its name.
#[tokio::test]
async fn it_works_in_open_and_in_closed_folders() {
    if let Some(dir) = playing() {
        return start_and_stop(&dir).await;
    }
    for mode in [0o755, 0o700] {
        let dir = TempDir::with_prefix("it's a \"folder\" ").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        let mut scene = scene("it_works_in_open_and_in_closed_folders", dir.path());
        assert!(scene.status().unwrap().success(), "mode {mode:o}");
    }
}

/// Where the tests run as root, the same once more without root's rights. They need a checkout that others may enter.
#[tokio::test]
async fn it_works_without_roots_rights() {
    if let Some(dir) = playing() {
        return start_and_stop(&dir).await;
    }
    let (bin, nats_server) = (embedded::postgres().unwrap().bin, embedded::nats_server().unwrap());
    let reachable = Command::new("sh")
        .args(["-c", r#"[ -x "$1" ] && "$2" --version"#, "sh"])
        .args([std::env::current_exe().unwrap(), bin.join("postgres")])
        .uid(if nix::unistd::geteuid().is_root() { NOBODY } else { nix::unistd::geteuid().as_raw() })
        .output()
        .is_ok_and(|output| output.status.success());
    if !nix::unistd::geteuid().is_root() || !reachable {
        eprintln!("nothing more to try: not root, or other users cannot enter this checkout");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut scene = scene("it_works_without_roots_rights", dir.path());
    scene.env("PG_BIN", bin).env("NATS_SERVER", nats_server).uid(NOBODY).gid(NOBODY).current_dir("/");
    assert!(scene.status().unwrap().success());
}
