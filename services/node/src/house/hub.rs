//! The hub of a backbone: its keys and certificates, and its server, which this node runs itself or something else does.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chassis::clock;
use chassis::config::{Config, Hub};
use chassis::embedded::{Nats, NatsConfig, NatsOptions};
use federation::hub::{HubAddress, HubConfig, HubKeys, HubReach, HubTls, MailboxSize};
use federation::links::HubSide;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::NodeError;
use crate::ground::nearby;

const RENEW_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What the hub is made of, in the data directory or as configured.
struct Parts {
    keys: HubKeys,
    tls: HubTls,
    public: HubAddress,
}

/// Looks at what the hub is told to be, before anything else is started: its own server would say it later, and in words
/// of its own.
///
/// # Errors
/// Which setting cannot be used, and why.
pub(super) fn look(config: &Config) -> Result<(), NodeError> {
    let hub = &config.hub;
    if hub.server.is_none() {
        free(hub.listen, "hub.listen", "COMMONWEAL_HUB__LISTEN")?;
        if let Some(listen) = hub.websocket_listen {
            free(listen, "hub.websocket_listen", "COMMONWEAL_HUB__WEBSOCKET_LISTEN")?;
        }
    }
    public(hub).map(|_| ())
}

fn free(address: SocketAddr, setting: &'static str, variable: &'static str) -> Result<(), NodeError> {
    if address.port() == 0 {
        return Err(NodeError::Usage(format!(
            "{setting} ({variable}) is {address}: the hub needs a port of its own, for partners are told it"
        )));
    }
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(source) => Err(NodeError::HubPort { address, setting, variable, source }),
    }
}

/// Where partners find the hub.
fn public(hub: &Hub) -> Result<HubAddress, NodeError> {
    match &hub.public_address {
        Some(address) => address.parse().map_err(|error| NodeError::Usage(format!("hub.public_address: {error}"))),
        None => near(hub),
    }
}

fn near(hub: &Hub) -> Result<HubAddress, NodeError> {
    Ok(format!("tls://{}", nearby(hub.listen)).parse()?)
}

/// Opens the hub's side of a node, and starts the hub's server unless it is elsewhere.
///
/// # Errors
/// Where keys, certificates or the server cannot be used.
pub(super) async fn open(config: &Config) -> Result<(HubSide, Option<Nats>), NodeError> {
    let parts = parts(config)?;
    let (address, server) = match &config.hub.server {
        Some(address) => (address.parse()?, None),
        None => {
            let dir = folder(config);
            let file = dir.join("hub.conf");
            server_config(&config.hub, &dir, &parts).write(&file)?;
            let server = Nats::start(NatsOptions { dir: dir.join("store"), config: NatsConfig::File(file) }).await?;
            (near(&config.hub)?, Some(server))
        }
    };
    let reach = HubReach { address, ca_der: parts.tls.ca_der.clone() };
    let size = MailboxSize { stream_bytes: i64::try_from(config.hub.mailbox_bytes).unwrap_or(i64::MAX) };
    Ok((HubSide { reach, public: parts.public, size, keys: Arc::new(parts.keys), admin: Arc::default() }, server))
}

/// Writes the configuration with which something else runs the hub's server, that keeps its mailboxes in `store`.
///
/// # Errors
/// Where keys or certificates cannot be used, or the file cannot be written.
pub fn write_server_config(config: &Config, store: &Path, file: &Path) -> Result<(), NodeError> {
    Ok(server_config(&config.hub, store, &parts(config)?).write(file)?)
}

/// Makes the hub's keys where there are none: they belong to the keys of a backbone.
///
/// # Errors
/// Where they cannot be written.
pub fn make_keys(config: &Config) -> Result<(), NodeError> {
    HubKeys::load_or_create(&folder(config).join("keys.json"), clock::now())?;
    Ok(())
}

fn folder(config: &Config) -> std::path::PathBuf {
    config.node.data_dir.join("hub")
}

fn parts(config: &Config) -> Result<Parts, NodeError> {
    let dir = folder(config);
    let keys = HubKeys::load_or_create(&dir.join("keys.json"), clock::now())?;
    let public = public(&config.hub)?;
    let tls = certificates(&config.hub, &dir, &public)?;
    Ok(Parts { keys, tls, public })
}

/// The operator's own certificates, or those of an authority made here, good for every name by which the hub is dialled.
fn certificates(hub: &Hub, dir: &Path, public: &HubAddress) -> Result<HubTls, NodeError> {
    match (&hub.certificate, &hub.key, &hub.authority) {
        (Some(certificate), Some(key), Some(authority)) => {
            let unusable = |error: rustls::pki_types::pem::Error| {
                NodeError::Usage(format!("hub.authority {} is not a certificate: {error}", authority.display()))
            };
            let ca = CertificateDer::from_pem_file(authority).map_err(unusable)?;
            let (cert_file, key_file) = (certificate.clone(), key.clone());
            Ok(HubTls { ca_der: ca.to_vec(), cert_file, key_file, renewed: false })
        }
        (None, None, None) => {
            let dialled = [Some(public.as_str()), hub.server.as_deref()];
            let names: Vec<String> = dialled.into_iter().flatten().map(|address| host_of(address).to_owned()).collect();
            Ok(HubTls::load_or_create(&dir.join("tls"), &names, clock::now())?)
        }
        _ => Err(NodeError::Usage(
            "hub.certificate, hub.key and hub.authority go together: set all three, or none".to_owned(),
        )),
    }
}

/// Looks every day whether the hub's certificate is near its end, and has the hub read the new one.
pub(super) async fn renew(side: HubSide, config: Config) {
    let dir = config.node.data_dir.join("hub");
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let renewed = match certificates(&config.hub, &dir, &side.public) {
            Ok(tls) => tls.renewed,
            Err(error) => {
                tracing::error!(%error, "the hub's certificate could not be renewed");
                continue;
            }
        };
        if renewed
            && let Some(admin) = side.admin.read().await.as_ref()
            && let Err(error) = admin.reload().await
        {
            tracing::error!(%error, "the hub did not read its new certificate: restart the node");
        }
    }
}

fn server_config<'a>(hub: &Hub, store: &'a Path, parts: &'a Parts) -> HubConfig<'a> {
    HubConfig {
        server_name: "commonweal-hub",
        listen: hub.listen,
        websocket: hub.websocket_listen,
        store_dir: store,
        max_disk_bytes: hub.disk_bytes,
        tls: &parts.tls,
        keys: &parts.keys,
    }
}

/// The host in `scheme://host:port/path`.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn the_host_of_an_address_is_found() {
        assert_eq!(host_of("tls://hub.example.org:7421"), "hub.example.org");
        assert_eq!(host_of("wss://hub.example.org:443/road"), "hub.example.org");
        assert_eq!(host_of("tls://[::1]:7421"), "::1");
    }
}
