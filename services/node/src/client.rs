//! How commands call the running node: where it says it listens, with a token of its own issuer.

mod address;
mod lists;

use std::time::Duration;

use chassis::authn::LocalIssuer;
use chassis::config::Config;
use chassis::identity::NodeKeys;
use chassis::names::Reference;
use proto::activities::activities_service_client::ActivitiesServiceClient;
use proto::agenda::agenda_service_client::AgendaServiceClient;
use proto::federation::federation_service_client::FederationServiceClient;
use proto::measurement::measurement_service_client::MeasurementServiceClient;
use proto::membership::membership_service_client::MembershipServiceClient;
use proto::messaging::messaging_service_client::MessagingServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

pub use address::{all_announced, announce, announced, forget};

use address::Channels;

use crate::error::NodeError;

const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// For nodes of this program's own making, which are called for as long as they run, and whose clocks may be wrong.
const OWN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

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
    channels: Channels,
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
        Ok(Self { bearer: Bearer::of(&token)?, channels: Channels::open(config).await? })
    }

    /// Calls a node of this program's own making as its operator, whatever the environment says.
    ///
    /// # Errors
    /// Where it does not run.
    pub async fn own(config: &Config) -> Result<Self, NodeError> {
        let token = lasting_token(config, "operator", &[], true, OWN_LIFETIME)?;
        Ok(Self { bearer: Bearer::of(&token)?, channels: Channels::open(config).await? })
    }

    /// The same node and connection for somebody who speaks for organizations.
    ///
    /// # Errors
    /// Where the node takes the tokens of another issuer.
    pub fn speaking(&self, config: &Config, subject: &str, organizations: &[Reference]) -> Result<Self, NodeError> {
        let token = lasting_token(config, subject, organizations, false, OWN_LIFETIME)?;
        Ok(Self { bearer: Bearer::of(&token)?, channels: self.channels.clone() })
    }

    /// How a service of the node stands, asked from the process that runs it.
    pub fn health(&self, service: &str) -> HealthClient<Signed> {
        HealthClient::with_interceptor(self.channels.to(service), self.bearer.clone())
    }
}

/// Whether the process beside this command serves; no token is needed to ask.
///
/// # Errors
/// Where it does not answer.
pub async fn serves(config: &Config) -> Result<bool, NodeError> {
    let mut health = HealthClient::new(address::beside(config).await?);
    let answer = health.check(HealthCheckRequest::default()).await?.into_inner();
    Ok(answer.status() == ServingStatus::Serving)
}

/// One line for each service that the commands call.
macro_rules! clients {
    ($($(#[$doc:meta])* $service:ident: $client:ident;)+) => {
        impl Client {
            $($(#[$doc])* pub fn $service(&self) -> $client<Signed> {
                $client::with_interceptor(self.channels.to(stringify!($service)), self.bearer.clone())
            })+
        }
    };
}

clients! {
    /// The membership service.
    membership: MembershipServiceClient;
    /// The agenda service.
    agenda: AgendaServiceClient;
    /// The measurement service.
    measurement: MeasurementServiceClient;
    /// The activities service.
    activities: ActivitiesServiceClient;
    /// The messaging service.
    messaging: MessagingServiceClient;
    /// The border.
    federation: FederationServiceClient;
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
    lasting_token(config, subject, organizations, operator, TOKEN_LIFETIME)
}

fn lasting_token(
    config: &Config,
    subject: &str,
    organizations: &[Reference],
    operator: bool,
    lifetime: Duration,
) -> Result<String, NodeError> {
    if let Some(issuer) = &config.auth.issuer {
        return Err(NodeError::Usage(format!(
            "this node takes the tokens of {issuer}: get one there and set COMMONWEAL_TOKEN"
        )));
    }
    // A command in the wrong folder must not make a node there.
    let folder = &config.node.data_dir;
    let keys = NodeKeys::load(folder)?.ok_or_else(|| NodeError::NoNode(folder.clone()))?;
    let issuer = LocalIssuer::open(folder, keys.id())?;
    Ok(issuer.token(subject, organizations, operator, lifetime)?)
}
