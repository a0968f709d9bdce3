//! One authenticated TLS connection to the hub, which restores itself.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{AuthError, Client, ConnectErrorKind, ConnectOptions, ReconnectToServer};
use nkeys::KeyPair;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::watch;

use super::credentials::HubReach;
use super::dial::{Dial, Dialler};
use super::error::HubError;
use super::road::Road;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Commands that wait for the socket. Few, since each may be a message of 256 KiB.
const WAITING_COMMANDS: usize = 64;
/// A connection over which nothing came for three times this long is dead, whatever the network says.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long at most between two tries of whoever is linked: a hub that was away is in use again by then.
pub(super) const PARTNER: Duration = Duration::from_secs(10);
/// The same for the backbone, whose own hub is near.
pub(super) const OWNER: Duration = Duration::from_secs(2);

/// Who dials, and as whom.
pub(super) struct Login<'a> {
    pub(super) reach: &'a HubReach,
    pub(super) token: String,
    pub(super) seed: &'a str,
    pub(super) inbox: &'a str,
    /// Shown in the server's connection list, and in our log.
    pub(super) name: &'static str,
    /// How long at most between two tries.
    pub(super) longest: Duration,
}

/// An open connection. Dropping it ends it.
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) road: watch::Receiver<Road>,
    dial: Arc<Dial>,
}

impl Line {
    pub(super) fn dialler(&self) -> Dialler {
        Dialler(self.dial.clone())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.dial.end();
    }
}

impl Login<'_> {
    /// Starts connecting and returns at once; the road tells what comes of it.
    pub(super) async fn start(self) -> Result<Line, HubError> {
        self.open(true).await
    }

    /// Connects now or fails with the reason. Later losses are repaired as with [`Self::start`].
    pub(super) async fn now(self) -> Result<Line, HubError> {
        self.open(false).await
    }

    async fn open(self, retry: bool) -> Result<Line, HubError> {
        let (told, road) = watch::channel(Road::Connecting);
        let dial = Arc::new(Dial::patient(self.longest));
        let told = Arc::new(told);
        let mut options = self.options(told.clone(), &dial)?;
        if retry {
            options = options.retry_on_initial_connect();
        }
        let address = self.reach.address.as_str();
        let client = options.connect(address).await.map_err(|error| match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                HubError::Refused { address: address.to_owned() }
            }
            _ => HubError::Unreachable { address: address.to_owned(), reason: error.to_string() },
        })?;
        if !retry {
            // The event of this connection may be on its way still.
            told.send_if_modified(|road| {
                let connecting = *road == Road::Connecting;
                if connecting {
                    *road = Road::Connected;
                }
                connecting
            });
        }
        Ok(Line { client, road, dial })
    }

    fn options(&self, told: Arc<watch::Sender<Road>>, dial: &Arc<Dial>) -> Result<ConnectOptions, HubError> {
        let key = Arc::new(KeyPair::from_seed(self.seed)?);
        let (address, name) = (self.reach.address.to_string(), self.name);
        let (signing, turning, watching) = (dial.clone(), dial.clone(), dial.clone());
        Ok(ConnectOptions::new()
            .jwt(self.token.clone(), move |nonce| {
                // Only the hub asks for a signature.
                signing.answered();
                let key = key.clone();
                async move { key.sign(&nonce).map_err(AuthError::new) }
            })
            .tls_client_config(trusting(&self.reach.ca_der)?)
            .name(name)
            .custom_inbox_prefix(self.inbox)
            // The hub may see itself under an address that partners cannot reach.
            .ignore_discovered_servers()
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(PING_EVERY)
            .client_capacity(WAITING_COMMANDS)
            .reconnect_to_server_callback(move |servers, _| {
                let dial = turning.clone();
                async move {
                    dial.turn().await;
                    let server = servers.into_iter().next()?;
                    Some(ReconnectToServer { addr: server.addr, delay: Some(Duration::ZERO) })
                }
            })
            .event_callback(move |event| {
                let (told, dial, address) = (told.clone(), watching.clone(), address.clone());
                async move {
                    if matches!(event, async_nats::Event::Connected) {
                        dial.opened();
                    }
                    tell(&told, (name, &address), &event);
                }
            }))
    }
}

/// Passes an event on to whoever watches the road, and logs each change once.
fn tell(told: &watch::Sender<Road>, (line, address): (&str, &str), event: &async_nats::Event) {
    if let async_nats::Event::ServerError(error) = event {
        tracing::warn!(line, hub.address = address, error = %error, "the hub complains");
    }
    let changed = told.send_if_modified(|road| match road.after(event) {
        Some(next) if next != *road => {
            *road = next;
            true
        }
        _ => false,
    });
    if changed {
        tracing::info!(line, hub.address = address, road = ?*told.borrow(), "road to the hub");
    }
}

/// TLS that believes this one authority and no other.
fn trusting(ca_der: &[u8]) -> Result<ClientConfig, HubError> {
    let failed = |error: rustls::Error| HubError::Certificate(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add(ca_der.to_vec().into()).map_err(failed)?;
    // Named, because the process has a second provider for other purposes.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
