//! One authenticated TLS connection to the hub, which restores itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{AuthError, Client, ConnectErrorKind, ConnectOptions};
use nkeys::KeyPair;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::watch;

use super::credentials::HubReach;
use super::error::HubError;
use super::road::{Road, delay};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Commands that wait for the socket. Few, since each may be a message of 256 KiB.
const WAITING_COMMANDS: usize = 64;
/// The library cannot be told to stop trying, so a line nobody holds any more tries next year.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Who dials, and as whom.
pub(super) struct Login<'a> {
    pub(super) reach: &'a HubReach,
    pub(super) token: String,
    pub(super) seed: &'a str,
    pub(super) inbox: &'a str,
    /// Shown in the server's connection list.
    pub(super) name: &'a str,
}

/// An open connection. Dropping it ends it.
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) road: watch::Receiver<Road>,
    dropped: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
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
        let dropped = Arc::new(AtomicBool::new(false));
        let told = Arc::new(told);
        let mut options = self.options(told.clone(), dropped.clone())?;
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
        Ok(Line { client, road, dropped })
    }

    fn options(&self, told: Arc<watch::Sender<Road>>, dropped: Arc<AtomicBool>) -> Result<ConnectOptions, HubError> {
        let key = Arc::new(KeyPair::from_seed(self.seed)?);
        let salt = key.public_key();
        let address = self.reach.address.to_string();
        Ok(ConnectOptions::new()
            .jwt(self.token.clone(), move |nonce| {
                let key = key.clone();
                async move { key.sign(&nonce).map_err(AuthError::new) }
            })
            .tls_client_config(trusting(&self.reach.ca_der)?)
            .name(self.name)
            .custom_inbox_prefix(self.inbox)
            // The hub may see itself under an address that partners cannot reach.
            .ignore_discovered_servers()
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .client_capacity(WAITING_COMMANDS)
            .reconnect_delay_callback(
                move |attempt| {
                    if dropped.load(Ordering::Relaxed) { NEVER } else { delay(attempt, &salt) }
                },
            )
            .event_callback(move |event| {
                let told = told.clone();
                let address = address.clone();
                async move { tell(&told, &address, &event) }
            }))
    }
}

/// Passes an event on to whoever watches the road, and logs each change once.
fn tell(told: &watch::Sender<Road>, address: &str, event: &async_nats::Event) {
    if let async_nats::Event::ServerError(error) = event {
        tracing::warn!(hub.address = address, error = %error, "the hub complains");
    }
    let changed = told.send_if_modified(|road| match road.after(event) {
        Some(next) if next != *road => {
            *road = next;
            true
        }
        _ => false,
    });
    if changed {
        tracing::info!(hub.address = address, road = ?*told.borrow(), "road to the hub");
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
