//! Where the services of a node listen: written down by each process for the services it runs, read by commands on the
//! same machine. One process may run all services, or several some each.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::config::Config;
use chassis::strongbox;
use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::error::NodeError;
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
    known: Vec<(SocketAddr, Channel)>,
    answers: bool,
    silent: Option<NodeError>,
}

impl Opening<'_> {
    async fn channel(&mut self, service: &str) -> Result<Channel, NodeError> {
        let listen = &self.config.listen;
        let configured = || Announced { address: listen.grpc, tls: listen.certificate.is_some() };
        let announced = read(&self.config.node.data_dir, service)?.unwrap_or_else(configured);
        if let Some((_, channel)) = self.known.iter().find(|(address, _)| *address == announced.address) {
            return Ok(channel.clone());
        }
        let (address, endpoint) = endpoint(self.config, &announced)?;
        let channel = match endpoint.connect().await {
            Ok(channel) => {
                self.answers = true;
                channel
            }
            Err(error) => {
                self.silent.get_or_insert(NodeError::NotRunning { address, reason: root_cause(&error) });
                endpoint.connect_lazy()
            }
        };
        self.known.push((announced.address, channel.clone()));
        Ok(channel)
    }
}

fn endpoint(config: &Config, announced: &Announced) -> Result<(String, Endpoint), NodeError> {
    let mut near = announced.address;
    if near.ip().is_unspecified() {
        near.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let address = format!("{}://{near}", if announced.tls { "https" } else { "http" });
    let silent = |reason: String| NodeError::NotRunning { address: address.clone(), reason };
    let mut endpoint = Endpoint::from_shared(address.clone()).map_err(|error| silent(error.to_string()))?;
    if let (true, Some(certificate)) = (announced.tls, &config.listen.certificate) {
        let pem = std::fs::read(certificate).map_err(|error| silent(error.to_string()))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).map_err(|error| silent(error.to_string()))?;
    }
    Ok((address, endpoint.connect_timeout(CONNECT_WITHIN)))
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
