//! Postgres as a child: a cluster made at first sight, on 127.0.0.1, behind a password of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::Connection as _;

use super::address::{Address, SUPERUSER};
use super::find::{self, PostgresInstall};
use super::keeper::{Keeper, Lock, Order, make_folder, password};
use super::shield::Shield;
use super::{EmbeddedError, io_error};

const WHAT: &str = "Postgres";
/// Replaying the log after a crash may take its time.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Somebody else may take a free port between our look and Postgres' own.
const PORT_TRIES: u32 = 5;

const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    // Several nodes share one cluster in a demo and in tests, each with a pool for every service.
    "max_connections=400",
];
const UNSAFE_SETTINGS: &[&str] = &["fsync=off", "full_page_writes=off", "synchronous_commit=off"];

/// How to start a Postgres.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The folder for the cluster (`data`), its `password` and its `log`; made when it is not there, kept afterwards.
    pub data_dir: PathBuf,
    /// A port to listen on; a free one when none is given.
    pub port: Option<u16>,
    /// Whether a commit survives a power cut. Without it everything is faster, and only the processes may die.
    pub durable: bool,
}

/// A running Postgres; dropped, it ends at once.
pub struct Postgres {
    keeper: Keeper,
    address: Address,
}

impl Postgres {
    /// Starts Postgres over a folder, and makes the cluster there if there is none. Serves when this returns.
    ///
    /// # Errors
    /// No suitable binaries, a folder in use or of another version, a port in use, or what Postgres itself says.
    pub async fn start(options: PostgresOptions) -> Result<Self, EmbeddedError> {
        let install = find::postgres()?;
        let dir = make_folder(&options.data_dir)?;
        let lock = Lock::take(&dir).await?;
        let (shield, password) = open_cluster(&install, &dir, options.durable).await?;
        forget_stale_pid(&dir.join("data"))?;
        for _ in 1..PORT_TRIES {
            match launch(&install, &dir, shield, &lock, &options, &password).await {
                Err(EmbeddedError::PortInUse { .. }) if options.port.is_none() => {}
                other => return other,
            }
        }
        launch(&install, &dir, shield, &lock, &options, &password).await
    }

    /// The address of a database of the server that somebody else runs over a folder; `None` where nobody does.
    pub async fn running(data_dir: &Path, database: &str) -> Option<String> {
        let pid_file = fs::read_to_string(data_dir.join("data/postmaster.pid")).ok()?;
        let port: u16 = pid_file.lines().nth(3)?.trim().parse().ok()?;
        let address = Address { port, password: fs::read_to_string(data_dir.join("password")).ok()? };
        // After a crash the file is there and the server is not, or another one listens at its port.
        address.connect().await.ok()?.close().await.ok()?;
        Some(address.url(database))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// The address of a database, as its superuser: who makes each service's own role.
    pub fn url(&self, database: &str) -> String {
        self.address.url(database)
    }

    /// Makes a database; well if it is there.
    ///
    /// # Errors
    /// What Postgres says.
    pub async fn create_database(&self, name: &str) -> Result<(), EmbeddedError> {
        self.address.create_database(name).await
    }

    /// Stops in good order: open transactions are rolled back, everything committed is on disk.
    ///
    /// # Errors
    /// None at present: a server that does not stop is killed.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.keeper.stop().await
    }

    /// Kills the server as a crash would, for tests of what survives one.
    pub async fn kill(self) {
        self.keeper.kill().await;
    }
}

async fn open_cluster(install: &PostgresInstall, dir: &Path, durable: bool) -> Result<(Shield, String), EmbeddedError> {
    let data = dir.join("data");
    let password_path = dir.join("password");
    if !data.join("PG_VERSION").exists() {
        let password = password(&password_path)?;
        let shield = make_cluster(install, dir, durable).await?;
        return Ok((shield, password));
    }
    if !password_path.exists() {
        return Err(EmbeddedError::NoPassword(password_path));
    }
    let theirs = fs::read_to_string(data.join("PG_VERSION")).map_err(io_error("reading", &data))?;
    if theirs.trim() != install.major.to_string() {
        return Err(EmbeddedError::OtherVersion { dir: data, theirs: theirs.trim().to_owned(), ours: install.major });
    }
    Ok((Shield::choose(install, &data)?, password(&password_path)?))
}

/// Makes the cluster beside its place and moves it there whole: half a cluster is never taken for one.
async fn make_cluster(install: &PostgresInstall, dir: &Path, durable: bool) -> Result<Shield, EmbeddedError> {
    let (fresh, password_path) = (dir.join("data.new"), dir.join("password"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(io_error("removing", &fresh))?;
    }
    fs::create_dir(&fresh).map_err(io_error("making the folder", &fresh))?;
    let shield = Shield::choose(install, &fresh)?;
    shield.give(&password_path)?;
    let mut command = shield.command(install.bin.join("initdb"));
    command.arg("-D").arg(&fresh).arg("--pwfile").arg(&password_path).args([
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--auth=scram-sha-256",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]);
    if !durable {
        command.arg("--no-sync");
    }
    let output = tokio::process::Command::from(command).output().await.map_err(io_error("starting initdb for", dir))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(EmbeddedError::Exited { what: "initdb", said, log: dir.to_owned() });
    }
    let data = dir.join("data");
    fs::rename(&fresh, &data).map_err(io_error("moving into place", &data))?;
    Ok(shield)
}

/// After a crash the number in `postmaster.pid` may be somebody else's by now, above all in a container, where numbers start anew.
/// Postgres would refuse to start for it. The lock says that none of ours runs; another program's name says that none at all does.
fn forget_stale_pid(data: &Path) -> Result<(), EmbeddedError> {
    let path = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let pid = text.lines().next().unwrap_or_default().trim().to_owned();
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) if name.trim() != "postgres" => fs::remove_file(&path).map_err(io_error("removing", &path)),
        _ => Ok(()),
    }
}

async fn launch(
    install: &PostgresInstall,
    dir: &Path,
    shield: Shield,
    lock: &Lock,
    options: &PostgresOptions,
    password: &str,
) -> Result<Postgres, EmbeddedError> {
    let address = Address::take(options.port, password)?;
    let mut words = vec![install.bin.join("postgres").into_os_string(), "-D".into(), dir.join("data").into()];
    words.extend(["-p".into(), address.port.to_string().into()]);
    // A socket's path must stay under 108 bytes, which nobody's data folder promises.
    for setting in ["unix_socket_directories="].iter().chain(settings(options.durable)) {
        words.extend(["-c".into(), setting.into()]);
    }
    let order = Order { what: WHAT, dir, shield, words, gentle: "INT", rough: "QUIT" };
    let mut keeper = Keeper::start(order, lock)?;
    wait_until_ready(&mut keeper, &address).await?;
    Ok(Postgres { keeper, address })
}

/// What every server is told, wherever it runs.
pub(crate) fn settings(durable: bool) -> impl Iterator<Item = &'static &'static str> {
    SETTINGS.iter().chain(UNSAFE_SETTINGS.iter().filter(move |_| !durable))
}

async fn wait_until_ready(keeper: &mut Keeper, address: &Address) -> Result<(), EmbeddedError> {
    let started = Instant::now();
    loop {
        if keeper.ended() {
            let taken = keeper.said().contains("Address already in use");
            return Err(if taken {
                EmbeddedError::PortInUse { what: WHAT, port: address.port }
            } else {
                keeper.exited()
            });
        }
        // Whoever took the port may accept us and never say a word: our own server's end counts, not theirs.
        let answer = tokio::select! {
            answer = address.connect() => answer.ok(),
            () = keeper.wait() => None,
        };
        if let Some(connection) = answer {
            connection.close().await?;
            return Ok(());
        }
        if started.elapsed() > READY_WITHIN {
            return Err(keeper.late(READY_WITHIN));
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
