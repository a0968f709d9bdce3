//! A node at work: keys, database, broker, hub, the rooms and the border, and the one port they are called at.

mod hub;
mod keys;
mod opening;
mod road;
mod rooms;

use std::net::SocketAddr;

use chassis::authn::{Authenticator, Issuer, KeySource, LocalIssuer};
use chassis::config::{self, Config};
use chassis::database;
use chassis::names::NodeId;
use chassis::server::Server;
use data_encoding::HEXLOWER;
use tokio_util::sync::CancellationToken;

pub use hub::{make_keys as make_hub_keys, write_server_config as write_hub_config};
pub use keys::Keys;
use opening::Services;
pub use road::Road;
pub use rooms::{ROOMS, RoomEntry, Schema, schemas, services};

use crate::client;
use crate::error::NodeError;
use crate::ground::Ground;

/// A node that has started.
pub struct House {
    /// Where it is called.
    pub address: SocketAddr,
    /// Its id.
    pub node: NodeId,
    services: Services,
    road: Road,
    serving: tokio::task::JoinHandle<Result<(), chassis::server::ServerError>>,
    stop: CancellationToken,
}

impl House {
    /// Starts a node as its configuration says.
    ///
    /// # Errors
    /// What stands in the way, in one line.
    pub async fn start(config: &Config) -> Result<Self, NodeError> {
        known_services(&config.node)?;
        let config = &from_anywhere(config)?;
        let stop = CancellationToken::new();
        let keys = Keys::open(&config.node.data_dir)?;
        let authenticator = authenticator(config, keys.node.id())?;
        let server = Server::new(&config.listen, &config.limits, authenticator)?;
        let road = Road::open(config).await?;
        let node = keys.node.id().clone();
        let (services, server) = Services::open(config, &keys, &road, server, &stop).await?;
        let open = server.open()?;
        let address = open.address();
        client::announce(&config.node.data_dir, &here(&config.node), address, config.listen.certificate.is_some())?;
        let serving = tokio::spawn(open.serve(stop.clone()));
        Ok(Self { address, node, services, road, serving, stop })
    }

    /// Where partners find the hub, where this node runs one.
    pub fn hub(&self) -> Option<&str> {
        self.road.hub.as_ref().map(|hub| hub.public.as_str())
    }

    /// Serves until `until` comes, then drains and ends everything it started.
    ///
    /// # Errors
    /// Where the server ended for another reason.
    pub async fn serve(mut self, until: impl Future<Output = ()>) -> Result<(), NodeError> {
        let ended = tokio::select! {
            () = until => None,
            ended = &mut self.serving => Some(ended),
        };
        self.stop.cancel();
        let ended = match ended {
            Some(ended) => ended,
            None => self.serving.await,
        };
        self.services.stopped().await;
        self.road.close().await;
        match ended {
            Ok(ended) => Ok(ended?),
            Err(error) => Err(NodeError::Task(error.to_string())),
        }
    }
}

/// Makes what the processes of a node must have in common and make by themselves otherwise: so that it can be handed to
/// each before any of them starts.
///
/// # Errors
/// Where it can be neither read nor made.
pub fn make_shared(config: &Config, node: &NodeId) -> Result<(), NodeError> {
    authenticator(config, node)?;
    if config.hub.enabled {
        make_hub_keys(config)?;
    }
    Ok(())
}

/// Brings the tables of every service up to date.
///
/// # Errors
/// Where the database cannot be reached or refuses.
pub async fn migrate(config: &Config) -> Result<Vec<&'static str>, NodeError> {
    let ground = Ground::open(config).await?;
    let mut done = Vec::new();
    for schema in schemas() {
        database::open(&ground.url, schema.name, (schema.migrations)(), 1).await?.close().await;
        done.push(schema.name);
    }
    ground.close().await;
    Ok(done)
}

/// Programs that this node starts work in folders of their own: what they are told must not depend on where.
fn from_anywhere(config: &Config) -> Result<Config, NodeError> {
    let mut config = config.clone();
    let absolute = std::path::absolute(&config.node.data_dir);
    config.node.data_dir =
        absolute.map_err(|source| NodeError::DataDir { path: config.node.data_dir.clone(), source })?;
    Ok(config)
}

/// The services of this process.
fn here(config: &config::Node) -> Vec<&'static str> {
    services().map(|(name, _)| name).filter(|name| config.runs(name)).collect()
}

fn known_services(config: &config::Node) -> Result<(), NodeError> {
    match config.only.iter().find(|name| services().all(|(known, _)| known != name.as_str())) {
        Some(unknown) => Err(NodeError::UnknownService {
            name: unknown.clone(),
            known: services().map(|(name, _)| name).collect::<Vec<_>>().join(", "),
        }),
        None => Ok(()),
    }
}

/// Whose tokens this node takes: the configured issuer's, or its own.
fn authenticator(config: &Config, node: &NodeId) -> Result<Authenticator, NodeError> {
    let data_dir = &config.node.data_dir;
    let secret = match &config.auth.pseudonym_secret {
        Some(secret) => HEXLOWER
            .decode(secret.reveal().as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(NodeError::PseudonymSecret)?,
        None => chassis::strongbox::secret(&data_dir.join("pseudonyms"))?,
    };
    let Some(name) = config.auth.issuer.clone() else {
        return Ok(Authenticator::local(&LocalIssuer::open(data_dir, node)?, &secret));
    };
    let keys = match (&config.auth.jwks_file, &config.auth.jwks_url) {
        (Some(file), _) => KeySource::File(file.clone()),
        (None, Some(url)) => KeySource::Url(url.clone()),
        (None, None) => return Err(NodeError::IssuerWithoutKeys),
    };
    let issuer = Issuer {
        name,
        audience: config.auth.audience.clone(),
        keys,
        organizations_claim: config.auth.organizations_claim.clone(),
        operator_claim: config.auth.operator_claim.clone(),
    };
    Ok(Authenticator::external(issuer, &secret))
}
