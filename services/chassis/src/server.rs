//! The server that all services of a process share: one port for gRPC, gRPC-web, health, reflection, metrics and pages.

mod cors;
mod listener;
mod passage;
mod rate;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::authn::{self, Authenticator};
use crate::config::{Limits, Listen};
use crate::telemetry;
use cors::Origins;
use listener::{Door, Place};
use rate::Rates;

pub use passage::Deadline;

/// Why the server cannot serve. One line, that names what to change.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}: {source}; set listen.grpc (COMMONWEAL_LISTEN__GRPC) to another")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The address leaves this machine, and nothing guards it.
    #[error(
        "listen.grpc {0} can be reached from other machines: set listen.certificate and listen.key, or listen.insecure \
         = true where something before it speaks TLS"
    )]
    Unguarded(SocketAddr),
    /// Certificate or key cannot be used.
    #[error("cannot use {path} for TLS: {reason}")]
    Tls {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Not an origin.
    #[error(
        "listen.allowed_origins has \"{0}\", which is no origin: name scheme, host and port alone, such as \
         https://console.example.org"
    )]
    Origin(String),
    /// The contract cannot be shown.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The operating system ends it.
    #[error("the server stopped: {0}")]
    Stopped(#[from] std::io::Error),
}

/// A server being put together.
pub struct Server {
    listen: Listen,
    limits: Limits,
    place: Place,
    origins: Origins,
    authenticator: Arc<Authenticator>,
    routes: Routes,
    health: HealthReporter,
    names: Vec<&'static str>,
}

impl Server {
    /// A server without services. It takes its port at once, and listens there only once it is opened: where the port
    /// cannot be had, nothing else needs to be started.
    ///
    /// # Errors
    /// Where the port is taken, the address leaves the machine unguarded, or the contract cannot be shown.
    pub fn new(listen: &Listen, limits: &Limits, authenticator: Authenticator) -> Result<Self, ServerError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let routes = Routes::new(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        Ok(Self {
            place: Place::take(listen)?,
            origins: Origins::of(&listen.allowed_origins)?,
            listen: listen.clone(),
            limits: limits.clone(),
            authenticator: Arc::new(authenticator),
            routes,
            health,
            names: Vec::new(),
        })
    }

    /// Adds a gRPC service.
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// Where somebody else listens on the port by now.
    pub fn open(self) -> Result<Open, ServerError> {
        let Self { listen, limits, place, origins, authenticator, routes, health, names } = self;
        let door = place.open()?;
        let router = Routed { limits, origins, authenticator, routes }.router();
        let drain = Duration::from_secs(listen.drain_seconds);
        Ok(Open { address: door.address(), door, router, drain, health, names })
    }
}

/// What answers behind the port.
struct Routed {
    limits: Limits,
    origins: Origins,
    authenticator: Arc<Authenticator>,
    routes: Routes,
}

impl Routed {
    fn router(self) -> Router {
        let rates = Arc::new(Rates::of(&self.limits));
        let longest = Duration::from_secs(self.limits.request_seconds);
        let metrics = Router::new().route("/metrics", get(async || telemetry::exposition()));
        // The last layer is the first that a call meets.
        self.routes
            .prepare()
            .into_axum_router()
            .layer(from_fn_with_state(longest, passage::within_time))
            .layer(from_fn_with_state(rates, passage::within_rate))
            .layer(from_fn_with_state(self.authenticator, authn::gate))
            .layer(from_fn(passage::watched))
            .layer(tonic_web::GrpcWebLayer::new())
            .layer(from_fn_with_state(Arc::new(self.origins), cors::shared))
            .merge(metrics)
    }
}

/// A server that listens.
pub struct Open {
    address: SocketAddr,
    door: Door,
    router: Router,
    drain: Duration,
    health: HealthReporter,
    names: Vec<&'static str>,
}

impl Open {
    /// Where it listens: the port that was given where port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then takes nothing new, and gives what is under way `listen.drain_seconds` to finish.
    ///
    /// # Errors
    /// Where the operating system ends it.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), ServerError> {
        let Self { address, door, router, drain, health, names } = self;
        say(&health, &names, ServingStatus::Serving).await;
        tracing::info!(%address, tls = door.guarded(), "listening");

        let draining = stop.clone();
        let serving = door.serve(router, async move { draining.cancelled().await });
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return Ok(ended?),
            () = stop.cancelled() => say(&health, &names, ServingStatus::NotServing).await,
        }
        match tokio::time::timeout(drain, serving).await {
            Ok(ended) => Ok(ended?),
            Err(_) => {
                tracing::warn!(drain_seconds = drain.as_secs(), "calls under way were cut off");
                Ok(())
            }
        }
    }
}

async fn say(health: &HealthReporter, names: &[&str], status: ServingStatus) {
    for name in names.iter().copied().chain([""]) {
        health.set_service_status(name, status).await;
    }
}
