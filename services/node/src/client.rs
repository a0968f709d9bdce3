//! How commands call the running node: where it says it listens, with a token of its own issuer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use chassis::authn::LocalIssuer;
use chassis::config::Config;
use chassis::names::Reference;
use chassis::strongbox;
use proto::federation::federation_service_client::FederationServiceClient;
use proto::measurement::measurement_service_client::MeasurementServiceClient;
use proto::membership::membership_service_client::MembershipServiceClient;
use serde::{Deserialize, Serialize};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::health_client::HealthClient;

use crate::error::NodeError;
use crate::house::Keys;

const FILE: &str = "address.json";
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Where a node listens: the port that was given where port 0 was asked for.
#[derive(Serialize, Deserialize)]
struct Announced {
    address: SocketAddr,
    tls: bool,
}

/// Writes down where the node listens, for commands on the same machine.
///
/// # Errors
/// Where the file cannot be written.
pub fn announce(data_dir: &Path, address: SocketAddr, tls: bool) -> Result<(), NodeError> {
    let text = serde_json::to_vec(&Announced { address, tls }).map_err(|error| NodeError::Usage(error.to_string()))?;
    Ok(strongbox::replace(&data_dir.join(FILE), &text)?)
}

/// Takes back where the node listened when it ran last.
///
/// # Errors
/// Where the file cannot be removed.
pub fn forget(data_dir: &Path) -> Result<(), NodeError> {
    match std::fs::remove_file(data_dir.join(FILE)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(NodeError::DataDir { path: data_dir.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Where a node says that it listens; `None` while it does not.
pub fn announced(data_dir: &Path) -> Option<SocketAddr> {
    let bytes = strongbox::read(&data_dir.join(FILE)).ok().flatten()?;
    serde_json::from_slice::<Announced>(&bytes).ok().map(|announced| announced.address)
}

/// Puts a token into every call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    fn of(token: &str) -> Result<Self, NodeError> {
        let value = format!("Bearer {token}").parse();
        Ok(Self(value.map_err(|_| NodeError::Usage("the token cannot be sent in a header".to_owned()))?))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A connection that carries a token.
pub type Signed = InterceptedService<Channel, Bearer>;

/// A running node, as one caller sees it.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    bearer: Bearer,
}

impl Client {
    /// Calls the node of this configuration as its operator.
    ///
    /// # Errors
    /// Where it does not run, or takes the tokens of another issuer.
    pub async fn operator(config: &Config) -> Result<Self, NodeError> {
        Self::of(config, "operator", &[], true).await
    }

    /// Calls the node of this configuration as somebody who speaks for organizations.
    ///
    /// # Errors
    /// Where it does not run, or takes the tokens of another issuer.
    pub async fn of(
        config: &Config,
        subject: &str,
        organizations: &[Reference],
        operator: bool,
    ) -> Result<Self, NodeError> {
        let token = match std::env::var("COMMONWEAL_TOKEN") {
            Ok(token) => token,
            Err(_) => own_token(config, subject, organizations, operator)?,
        };
        Ok(Self { bearer: Bearer::of(&token)?, channel: channel(config).await? })
    }

    /// Calls a node of this program's own making as its operator, whatever the environment says.
    ///
    /// # Errors
    /// Where it does not run.
    pub async fn own(config: &Config) -> Result<Self, NodeError> {
        let token = own_token(config, "operator", &[], true)?;
        Ok(Self { bearer: Bearer::of(&token)?, channel: channel(config).await? })
    }

    /// The same node and connection for somebody who speaks for organizations.
    ///
    /// # Errors
    /// Where the node takes the tokens of another issuer.
    pub fn speaking(&self, config: &Config, subject: &str, organizations: &[Reference]) -> Result<Self, NodeError> {
        let token = own_token(config, subject, organizations, false)?;
        Ok(Self { bearer: Bearer::of(&token)?, channel: self.channel.clone() })
    }

    /// How the services of the node stand.
    pub fn health(&self) -> HealthClient<Signed> {
        HealthClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The membership service.
    pub fn membership(&self) -> MembershipServiceClient<Signed> {
        MembershipServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The measurement service.
    pub fn measurement(&self) -> MeasurementServiceClient<Signed> {
        MeasurementServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// The border.
    pub fn federation(&self) -> FederationServiceClient<Signed> {
        FederationServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }
}

/// A token of the node's own issuer.
///
/// # Errors
/// Where the node takes the tokens of another issuer, or has no keys yet.
pub fn own_token(
    config: &Config,
    subject: &str,
    organizations: &[Reference],
    operator: bool,
) -> Result<String, NodeError> {
    if let Some(issuer) = &config.auth.issuer {
        return Err(NodeError::Usage(format!(
            "this node takes the tokens of {issuer}: get one there and set COMMONWEAL_TOKEN"
        )));
    }
    let keys = Keys::open(&config.node.data_dir)?;
    let issuer = LocalIssuer::open(&config.node.data_dir, keys.node.id())?;
    Ok(issuer.token(subject, organizations, operator, TOKEN_LIFETIME)?)
}

async fn channel(config: &Config) -> Result<Channel, NodeError> {
    let announced = strongbox::read(&config.node.data_dir.join(FILE))?
        .and_then(|bytes| serde_json::from_slice::<Announced>(&bytes).ok())
        .unwrap_or(Announced { address: config.listen.grpc, tls: config.listen.certificate.is_some() });
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
    let channel = endpoint.connect_timeout(CONNECT_WITHIN).connect().await;
    channel.map_err(|error| silent(root_cause(&error)))
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
