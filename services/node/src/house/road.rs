//! What a node stands on outside itself: Postgres, the local broker, and at a backbone the hub. Given by address, or
//! started here and ended with the node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chassis::clock;
use chassis::config::{Config, Hub};
use chassis::embedded::{Nats, NatsConfig, NatsOptions, Postgres};
use federation::hub::{HubAddress, HubConfig, HubKeys, HubReach, HubTls, MailboxSize};
use federation::links::HubSide;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::AbortHandle;

use crate::error::NodeError;
use crate::ground::{self, DATABASE};

const RENEW_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The addresses, and the processes behind them that are this node's own.
pub struct Road {
    /// Address of the database.
    pub database: String,
    /// Connection to the local broker.
    pub client: async_nats::Client,
    /// The hub, where this node runs one.
    pub hub: Option<HubSide>,
    postgres: Option<Postgres>,
    broker: Option<Nats>,
    hub_server: Option<Nats>,
    renewing: Option<AbortHandle>,
}

impl Road {
    /// Finds or starts everything.
    ///
    /// # Errors
    /// What cannot be found or started.
    pub async fn open(config: &Config) -> Result<Self, NodeError> {
        let data_dir = &config.node.data_dir;
        let (database, postgres) = match &config.database.url {
            Some(url) => (url.reveal().to_owned(), None),
            None => {
                let postgres = Postgres::start(ground::postgres(data_dir)).await?;
                postgres.create_database(DATABASE).await?;
                (postgres.url(DATABASE), Some(postgres))
            }
        };
        let (broker_url, broker) = match &config.broker.url {
            Some(url) => (url.reveal().to_owned(), None),
            None => {
                let options = NatsOptions { dir: data_dir.join("broker"), config: NatsConfig::Local { port: None } };
                let broker = Nats::start(options).await?;
                (broker.url().to_owned(), Some(broker))
            }
        };
        let client = chassis::broker::connect(&broker_url).await.map_err(|source| NodeError::Broker {
            address: chassis::database::without_password(&broker_url),
            source,
        })?;
        let (hub, hub_server) = match runs_hub(config) {
            true => {
                let (side, server) = start_hub(config).await?;
                (Some(side), Some(server))
            }
            false => (None, None),
        };
        let renewing = hub.clone().map(|side| tokio::spawn(renew(side, config.clone())).abort_handle());
        Ok(Self { database, client, hub, postgres, broker, hub_server, renewing })
    }

    /// Ends what was started here, the database last.
    pub async fn close(self) {
        let Self { client, postgres, broker, hub_server, renewing, .. } = self;
        if let Some(renewing) = renewing {
            renewing.abort();
        }
        // What is still to be sent is in Postgres.
        let _ = client.drain().await;
        for (what, nats) in [("hub", hub_server), ("broker", broker)] {
            if let Some(nats) = nats
                && let Err(error) = nats.stop().await
            {
                tracing::warn!(what, %error, "did not stop by itself");
            }
        }
        if let Some(postgres) = postgres
            && let Err(error) = postgres.stop().await
        {
            tracing::warn!(what = "postgres", %error, "did not stop by itself");
        }
    }
}

fn runs_hub(config: &Config) -> bool {
    let border_here = config.node.only.is_empty() || config.node.only.iter().any(|name| name == federation::NAME);
    config.hub.enabled && border_here
}

async fn start_hub(config: &Config) -> Result<(HubSide, Nats), NodeError> {
    let dir = config.node.data_dir.join("hub");
    let keys = HubKeys::load_or_create(&dir.join("keys.json"), clock::now())?;
    let near = nearby(config.hub.listen);
    let public: HubAddress = match &config.hub.public_address {
        Some(address) => address.parse()?,
        None => format!("tls://{near}").parse()?,
    };
    let tls = certificates(&config.hub, &dir, host_of(public.as_str()))?;
    let file = dir.join("hub.conf");
    hub_config(&config.hub, &dir, &tls, &keys).write(&file)?;
    let server = Nats::start(NatsOptions { dir: dir.join("store"), config: NatsConfig::File(file) }).await?;
    let reach = HubReach { address: format!("tls://{near}").parse()?, ca_der: tls.ca_der.clone() };
    let size = MailboxSize { stream_bytes: i64::try_from(config.hub.mailbox_bytes).unwrap_or(i64::MAX) };
    Ok((HubSide { reach, public, size, keys: Arc::new(keys), admin: Arc::default() }, server))
}

/// The operator's own certificates, or those of an authority made here.
fn certificates(hub: &Hub, dir: &Path, host: &str) -> Result<HubTls, NodeError> {
    match (&hub.certificate, &hub.key, &hub.authority) {
        (Some(certificate), Some(key), Some(authority)) => {
            let unusable = |error: rustls::pki_types::pem::Error| {
                NodeError::Usage(format!("hub.authority {} is not a certificate: {error}", authority.display()))
            };
            let ca = CertificateDer::from_pem_file(authority).map_err(unusable)?;
            let (cert_file, key_file) = (certificate.clone(), key.clone());
            Ok(HubTls { ca_der: ca.to_vec(), cert_file, key_file, renewed: false })
        }
        (None, None, None) => Ok(HubTls::load_or_create(&dir.join("tls"), &[host.to_owned()], clock::now())?),
        _ => Err(NodeError::Usage(
            "hub.certificate, hub.key and hub.authority go together: set all three, or none".to_owned(),
        )),
    }
}

/// Looks every day whether the hub's certificate is near its end, and has the hub read the new one.
async fn renew(side: HubSide, config: Config) {
    let dir = config.node.data_dir.join("hub");
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let renewed = match certificates(&config.hub, &dir, host_of(side.public.as_str())) {
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

fn hub_config<'a>(hub: &Hub, dir: &'a Path, tls: &'a HubTls, keys: &'a HubKeys) -> HubConfig<'a> {
    HubConfig {
        server_name: "commonweal-hub",
        listen: hub.listen,
        websocket: hub.websocket_listen,
        store_dir: dir,
        max_disk_bytes: hub.disk_bytes,
        tls,
        keys,
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
