//! The hub of a backbone: its keys and certificates, and its server, which this node runs itself or something else does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
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

const RENEW_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What the hub is made of, in the data directory or as configured.
struct Parts {
    keys: HubKeys,
    tls: HubTls,
    public: HubAddress,
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
            (format!("tls://{}", nearby(config.hub.listen)).parse()?, Some(server))
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
    let public: HubAddress = match &config.hub.public_address {
        Some(address) => address.parse()?,
        None => format!("tls://{}", nearby(config.hub.listen)).parse()?,
    };
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

/// Where this machine itself reaches a port that is listened on.
fn nearby(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port()),
        _ => listen,
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
