//! Where the services of a node listen: written down by each process for the services it runs, read by commands on the
//! same machine. One process may run all services, or several some each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::config::Config;
use chassis::strongbox;
use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::error::NodeError;
use crate::ground::nearby;
use crate::house::{ROOMS, services};

const FOLDER: &str = "addresses";
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Where a service listens: the port that was given where port 0 was asked for.
#[derive(Serialize, Deserialize)]
struct Announced {
    address: SocketAddr,
    tls: bool,
}

fn file(data_dir: &Path, service: &str) -> PathBuf {
    data_dir.join(FOLDER).join(format!("{service}.json"))
}

/// Writes down where the services of this process listen.
///
/// # Errors
/// Where it cannot be written.
pub fn announce(data_dir: &Path, services: &[&str], address: SocketAddr, tls: bool) -> Result<(), NodeError> {
    let text = serde_json::to_vec(&Announced { address, tls }).map_err(|error| NodeError::Usage(error.to_string()))?;
    for service in services {
        strongbox::replace(&file(data_dir, service), &text)?;
    }
    Ok(())
}

/// Takes back where the node listened when it ran last.
///
/// # Errors
/// Where it cannot be removed.
pub fn forget(data_dir: &Path) -> Result<(), NodeError> {
    match std::fs::remove_dir_all(data_dir.join(FOLDER)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(NodeError::DataDir { path: data_dir.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Where a node says that it is called; `None` while it does not.
pub fn announced(data_dir: &Path) -> Option<SocketAddr> {
    let mut found = services().filter_map(|(service, _)| read(data_dir, service).ok().flatten());
    found.next().map(|announced| announced.address)
}

/// Whether every service of a node has said where it is called: they say so one after the other.
pub fn all_announced(data_dir: &Path) -> bool {
    services().all(|(service, _)| read(data_dir, service).is_ok_and(|found| found.is_some()))
}

fn read(data_dir: &Path, service: &str) -> Result<Option<Announced>, NodeError> {
    let bytes = strongbox::read(&file(data_dir, service))?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// A connection to each service; those of one process share one.
#[derive(Clone)]
pub(super) struct Channels {
    rooms: Vec<(&'static str, Channel)>,
    border: Channel,
}

impl Channels {
    /// Connects to every service of a node.
    ///
    /// # Errors
    /// Where none of them answers. One that does not, while another does, is connected to when it is called.
    pub(super) async fn open(config: &Config) -> Result<Self, NodeError> {
        let mut opening = Opening { config, known: Vec::new(), answers: false, silent: None };
        let mut rooms = Vec::new();
        for room in ROOMS {
            rooms.push((room.name, opening.channel(room.name).await?));
        }
        let border = opening.channel(federation::NAME).await?;
        match opening.silent {
            Some(error) if !opening.answers => Err(error),
            _ => Ok(Self { rooms, border }),
        }
    }

    /// The connection to a service by its name: a room, or else the border.
    pub(super) fn to(&self, service: &str) -> Channel {
        let room = self.rooms.iter().find(|(name, _)| *name == service);
        room.map_or(&self.border, |(_, channel)| channel).clone()
    }
}

struct Opening<'a> {
    config: &'a Config,
    known: Vec<(String, Channel)>,
    answers: bool,
    silent: Option<NodeError>,
}

impl Opening<'_> {
    async fn channel(&mut self, service: &str) -> Result<Channel, NodeError> {
        let address = address_of(self.config, service)?;
        if let Some((_, channel)) = self.known.iter().find(|(known, _)| *known == address) {
            return Ok(channel.clone());
        }
        let endpoint = endpoint(self.config, &address)?;
        let channel = match endpoint.connect().await {
            Ok(channel) => {
                self.answers = true;
                channel
            }
            Err(error) => {
                let reason = root_cause(&error);
                self.silent.get_or_insert(NodeError::NotRunning { address: address.clone(), reason });
                endpoint.connect_lazy()
            }
        };
        self.known.push((address, channel.clone()));
        Ok(channel)
    }
}

/// Where a service is called: on this machine as its process announced, elsewhere as configured, or else where this
/// process itself would listen.
fn address_of(config: &Config, service: &str) -> Result<String, NodeError> {
    if let Some(announced) = read(&config.node.data_dir, service)? {
        return Ok(near(&announced));
    }
    for one in &config.node.elsewhere {
        let (name, address) = one
            .split_once('=')
            .ok_or_else(|| NodeError::Usage(format!("node.elsewhere: \"{one}\" is not name=http://host:port")))?;
        if name == service {
            return Ok(address.to_owned());
        }
    }
    Ok(near(&Announced { address: config.listen.grpc, tls: config.listen.certificate.is_some() }))
}

/// Where this machine itself reaches a port that is listened on.
fn near(announced: &Announced) -> String {
    let near = nearby(announced.address);
    format!("{}://{near}", if announced.tls { "https" } else { "http" })
}

fn endpoint(config: &Config, address: &str) -> Result<Endpoint, NodeError> {
    let silent = |reason: String| NodeError::NotRunning { address: address.to_owned(), reason };
    let mut endpoint = Endpoint::from_shared(address.to_owned()).map_err(|error| silent(error.to_string()))?;
    if let (true, Some(certificate)) = (address.starts_with("https:"), &config.listen.certificate) {
        let pem = std::fs::read(certificate).map_err(|error| silent(error.to_string()))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).map_err(|error| silent(error.to_string()))?;
    }
    Ok(endpoint.connect_timeout(CONNECT_WITHIN))
}

/// A connection to the process that runs beside this command with the same configuration.
///
/// # Errors
/// Where it does not answer.
pub(super) async fn beside(config: &Config) -> Result<Channel, NodeError> {
    let here =
        services().find(|(service, _)| config.node.runs(service)).map_or(federation::NAME, |(service, _)| service);
    let address = address_of(config, here)?;
    let connected = endpoint(config, &address)?.connect().await;
    connected.map_err(|error| NodeError::NotRunning { address, reason: root_cause(&error) })
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_which_one_service_has_said_where_it_listens_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:9".parse().unwrap();
        announce(folder.path(), &[federation::NAME], address, false).unwrap();
        assert_eq!((announced(folder.path()), all_announced(folder.path())), (Some(address), false));
        let all: Vec<&str> = services().map(|(service, _)| service).collect();
        announce(folder.path(), &all, address, false).unwrap();
        assert!(all_announced(folder.path()));
    }

    #[test]
    fn a_service_is_called_where_it_announced_itself_or_elsewhere_as_configured() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.node.data_dir = folder.path().to_owned();
        config.listen.grpc = "0.0.0.0:7430".parse().unwrap();
        assert_eq!(address_of(&config, "membership").unwrap(), "http://127.0.0.1:7430");
        config.node.elsewhere = vec!["membership=http://membership:7420".to_owned()];
        assert_eq!(address_of(&config, "membership").unwrap(), "http://membership:7420");
        assert_eq!(address_of(&config, "measurement").unwrap(), "http://127.0.0.1:7430");
        announce(folder.path(), &["membership"], "127.0.0.1:9".parse().unwrap(), true).unwrap();
        assert_eq!(address_of(&config, "membership").unwrap(), "https://127.0.0.1:9");
        config.node.elsewhere = vec!["measurement".to_owned()];
        assert!(address_of(&config, "measurement").unwrap_err().to_string().contains("is not name=http://host:port"));
    }
}
