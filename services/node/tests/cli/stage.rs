//! A folder for one test, the command run in it, and nodes that end with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use chassis::embedded::{NatsConfig, NatsOptions, PostgresOptions};
use chassis::testing::{Nats, Postgres};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a command left: its exit code, what it printed and what it complained of.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one line of complaint, with which the command ended.
    pub fn complaint(&self) -> &str {
        let lines: Vec<&str> = self.err.lines().filter(|line| !is_log(line)).collect();
        assert_eq!(lines.len(), 1, "one line, and no backtrace: {self:?}");
        assert!(self.out.is_empty(), "{self:?}");
        lines.first().unwrap().strip_prefix("commonweal: ").expect("it says who complains")
    }
}

/// Log lines begin with an instant.
fn is_log(line: &str) -> bool {
    line.get(..5).is_some_and(|year| year.ends_with('-') && year.starts_with("20"))
}

/// A folder with the things of one test.
pub struct Stage {
    pub folder: TempDir,
}

impl Stage {
    pub fn set() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A configuration with a folder of its own and a port that is free, and more.
    pub fn config(&self, name: &str, more: &str) -> PathBuf {
        let data = self.path(name);
        let text = format!(
            "[node]\nname = \"{name}\"\ndata_dir = \"{}\"\n[listen]\ngrpc = \"127.0.0.1:0\"\n{more}",
            data.display()
        );
        self.write(&format!("{name}.toml"), &text)
    }

    /// Runs the command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().await.unwrap())
    }

    /// Runs the command on a configuration to its end.
    pub async fn on(&self, config: &Path, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).arg("--config").arg(config).output().await.unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_commonweal"));
        // In the crate's folder: the tools are found above it.
        command.args(arguments).stdin(Stdio::null()).env("RUST_BACKTRACE", "1").kill_on_drop(true);
        command
    }

    /// Starts a node and waits until it answers.
    pub async fn serve(&self, config: &Path, arguments: &[&str]) -> Served {
        let mut command = self.command(&["serve"]);
        command.args(arguments).arg("--config").arg(config);
        let path = config.with_extension(format!("{}.log", arguments.concat()));
        let log = std::fs::File::create(&path).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let started = tokio::time::Instant::now();
        loop {
            let log = std::fs::read_to_string(&path).unwrap();
            if log.contains("node started") {
                return Served { child };
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "{ended:?}: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A Postgres with these databases, and a broker.
    pub async fn servers(&self, databases: &[&str]) -> (Postgres, Nats) {
        let options = PostgresOptions { data_dir: self.path("postgres"), port: None, durable: false };
        let postgres = Postgres::start(options).await.unwrap();
        for database in databases {
            postgres.create_database(database).await.unwrap();
        }
        let options = NatsOptions { dir: self.path("broker"), config: NatsConfig::Local { port: None } };
        (postgres, Nats::start(options).await.unwrap())
    }
}

/// A node that runs.
pub struct Served {
    child: Child,
}

impl Served {
    /// Asks it to end, as an operating system does, and gives its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }
}

/// A port that is taken as long as this lives.
pub fn taken_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A port where nobody listens.
pub fn closed_port() -> String {
    taken_port().1
}

/// Asks until there is an answer.
pub async fn soon<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it did not come to hold in time")
}
