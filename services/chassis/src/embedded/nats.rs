//! nats-server as a child: a node's local broker, or a broker with a configuration that somebody else wrote.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::find;
use super::keeper::{Keeper, Lock, Order, make_folder, password};
use super::shield::Shield;
use super::{EmbeddedError, io_error};
use crate::strongbox;

const WHAT: &str = "nats-server";
const USER: &str = "commonweal";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How to start a nats-server.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// The folder for its streams, its `password` and its `log`; made when it is not there, kept afterwards.
    pub dir: PathBuf,
    /// What it is.
    pub config: NatsConfig,
}

/// What a nats-server is.
#[derive(Clone, Debug)]
pub enum NatsConfig {
    /// A node's own broker: JetStream, on 127.0.0.1, messages of up to 1 MB, behind a password of its own.
    Local {
        /// A port to listen on; a free one when none is given.
        port: Option<u16>,
    },
    /// As the file says; a port of -1 in it is a free one.
    File(PathBuf),
}

/// A running nats-server; dropped, it ends at once.
pub struct Nats {
    keeper: Keeper,
    port: u16,
    url: String,
}

/// What nats-server writes down about itself once it listens.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

impl Nats {
    /// Starts nats-server over a folder. Serves when this returns.
    ///
    /// # Errors
    /// No suitable binary, a folder in use, a port in use, or what nats-server itself says.
    pub async fn start(options: NatsOptions) -> Result<Self, EmbeddedError> {
        let binary = find::nats_server()?;
        let dir = make_folder(&options.dir)?;
        let lock = Lock::take(&dir).await?;
        let plan = Plan::over(dir, &options.config)?;
        let words = [binary.into()].into_iter().chain(plan.words()).collect();
        let order = Order { what: WHAT, dir: &plan.dir, shield: Shield::Ours, words, gentle: "TERM", rough: "KILL" };
        let mut keeper = Keeper::start(order, &lock)?;
        let (port, url) = wait_until_ready(&mut keeper, &plan, &options.config).await?;
        Ok(Self { keeper, port, url })
    }

    /// The address of the local broker that somebody else runs over a folder; `None` where nobody does.
    pub fn running(dir: &Path) -> Option<String> {
        let listening = listening(dir).filter(|address| greets(address))?;
        let password = fs::read_to_string(dir.join("password")).ok()?;
        let (scheme, port) = split_address(&listening)?;
        Some(format!("{scheme}://{USER}:{password}@127.0.0.1:{port}"))
    }

    /// The port of its plain listener.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address to connect to; for a local broker with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops in good order.
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

/// What a nats-server is told over a folder, and how one finds it.
pub(crate) struct Plan {
    /// The folder.
    pub(crate) dir: PathBuf,
    config: PathBuf,
    credentials: String,
}

impl Plan {
    /// Writes down what it needs to know; a server that was killed over this folder left its ports behind.
    pub(crate) fn over(dir: PathBuf, config: &NatsConfig) -> Result<Self, EmbeddedError> {
        forget_ports(&dir)?;
        let (config, credentials) = match config {
            NatsConfig::File(path) => (std::path::absolute(path).map_err(io_error("finding", path))?, String::new()),
            NatsConfig::Local { port } => {
                let password = password(&dir.join("password"))?;
                (write_config(&dir, *port, &password)?, format!("{USER}:{password}@"))
            }
        };
        Ok(Self { dir, config, credentials })
    }

    /// Its arguments.
    pub(crate) fn words(&self) -> [OsString; 4] {
        ["-c".into(), self.config.clone().into(), "--ports_file_dir".into(), self.dir.clone().into()]
    }

    /// The port and the address of the server once it answers.
    pub(crate) fn found(&self) -> Option<(u16, String)> {
        let listening = listening(&self.dir).filter(|address| greets(address))?;
        let (scheme, port) = split_address(&listening)?;
        Some((port, format!("{scheme}://{}127.0.0.1:{port}", self.credentials)))
    }
}

/// Written as JSON, which nats-server reads as well: any path is quoted right.
fn write_config(dir: &Path, port: Option<u16>, password: &str) -> Result<PathBuf, EmbeddedError> {
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    let config = serde_json::json!({
        "listen": format!("127.0.0.1:{port}"),
        "max_payload": 1 << 20,
        "authorization": { "user": USER, "password": password },
        "jetstream": { "store_dir": dir.display().to_string() },
    });
    let path = dir.join("nats.conf");
    strongbox::replace(&path, format!("{config:#}\n").as_bytes())?;
    Ok(path)
}

fn forget_ports(dir: &Path) -> Result<(), EmbeddedError> {
    for path in ports_files(dir) {
        fs::remove_file(&path).map_err(io_error("removing", &path))?;
    }
    Ok(())
}

fn ports_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "ports")).collect()
}

/// The first address it says that it listens on.
fn listening(dir: &Path) -> Option<String> {
    let text = fs::read_to_string(ports_files(dir).first()?).ok()?;
    let ports: Ports = serde_json::from_str(&text).ok()?; // half-written: the next look finds it whole
    ports.nats.into_iter().next()
}

/// Waits for the ports and then for the first byte of the greeting.
async fn wait_until_ready(
    keeper: &mut Keeper,
    plan: &Plan,
    config: &NatsConfig,
) -> Result<(u16, String), EmbeddedError> {
    let started = Instant::now();
    loop {
        if let Some(found) = plan.found() {
            return Ok(found);
        }
        if keeper.ended() {
            return Err(match config {
                NatsConfig::Local { port: Some(port) } if keeper.said().contains("address already in use") => {
                    EmbeddedError::PortInUse { what: WHAT, port: *port }
                }
                _ => keeper.exited(),
            });
        }
        if started.elapsed() > READY_WITHIN {
            return Err(keeper.late(READY_WITHIN));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn greets(address: &str) -> bool {
    let Some((_, port)) = split_address(address) else { return false };
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let mut first = [0];
    match stream.read(&mut first) {
        Ok(count) => count == 1,
        // With `handshake_first` the client speaks first; that the port answers must do.
        Err(problem) => matches!(problem.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn split_address(address: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    Some((scheme, rest.rsplit_once(':')?.1.parse().ok()?))
}
