//! The hub: whether it can be reached from here, until when its certificate holds, and whether the backbone's clock is
//! ours.

use std::sync::Arc;
use std::time::Duration;

use chassis::config::Config;
use chassis::identity::NodeKeys;
use chassis::names::NodeId;
use chassis::{clock, database};
use federation::hub::{HubReach, NodeCredentials};
use federation::store::links;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sqlx::PgPool;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Finding, certificate};
use crate::ground::nearby;
use crate::words;

const CHECK: &str = "hub";
const CERTIFICATE: &str = "hub's certificate";
const CLOCK: &str = "clock and backbone";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const SOON: time::Duration = time::Duration::days(14);
/// More than this, in seconds, and terms and lags are wrong.
const CLOCKS_APART: f64 = 2.0;
/// A greeting is one line of JSON, much shorter.
const LONGEST_GREETING: usize = 16 * 1024;

pub(super) async fn examine(config: &Config, database: Option<&str>, node_runs: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    if config.hub.enabled {
        match own(config).filter(|_| node_runs) {
            Some(reach) => found.extend(reached(&reach).await),
            None => found.push(Finding::skipped(CHECK, "starts with the node, which does not run")),
        }
    }
    let Some(url) = database else { return found };
    let Ok(pool) = database::look(url, federation::NAME).await else { return found };
    for reach in others(&pool).await {
        found.extend(reached(&reach).await);
    }
    if let Ok(Some(keys)) = NodeKeys::load(&config.node.data_dir) {
        found.extend(clocks(&pool, keys.id()).await);
    }
    found
}

/// This node's own hub, where it reaches it.
fn own(config: &Config) -> Option<HubReach> {
    let authority = match &config.hub.authority {
        Some(file) => file.clone(),
        None => config.node.data_dir.join("hub/tls/ca.crt"),
    };
    let ca_der = CertificateDer::from_pem_file(authority).ok()?.to_vec();
    let address = config.hub.server.clone().unwrap_or_else(|| format!("tls://{}", nearby(config.hub.listen)));
    Some(HubReach { address: address.parse().ok()?, ca_der })
}

/// The hubs over which this node is linked to backbones.
async fn others(pool: &PgPool) -> Vec<HubReach> {
    let rows = async { links::all(&mut *pool.acquire().await?).await };
    let Ok(rows) = rows.await else { return Vec::new() };
    let standing = rows.into_iter().filter(|row| row.ended_at.is_none());
    // At the backbone a link's keys are others: they do not read as a node's.
    standing.filter_map(|row| Some(serde_json::from_value::<NodeCredentials>(row.mailbox).ok()?.hub)).collect()
}

async fn reached(reach: &HubReach) -> Vec<Finding> {
    let address = reach.address.as_str();
    let handshake = tokio::time::timeout(ANSWER_WITHIN, handshake(reach)).await;
    match handshake.unwrap_or_else(|_| Err("no answer within 5 s".to_owned())) {
        Ok(der) => {
            let mut found = vec![Finding::well(CHECK, format!("{address} answers, with the right authority"))];
            found.extend(holds(&der));
            found
        }
        Err(reason) => {
            let words = format!("cannot reach {address} from here: {reason}");
            let remedy = "let this machine connect there (a firewall, a proxy?), or ask whoever runs the hub; until then \
                          everything waits here and nothing is lost";
            vec![Finding::wrong(CHECK, words, remedy)]
        }
    }
}

/// Shakes hands as a link does and gives the server's certificate.
async fn handshake(reach: &HubReach) -> Result<Vec<u8>, String> {
    let spoken = |error: &dyn std::error::Error| error.to_string();
    let (scheme, rest) = reach.address.as_str().split_once("://").ok_or("not an address")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| spoken(&error))?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(reach.ca_der.clone())).map_err(|error| spoken(&error))?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut stream = TcpStream::connect(authority).await.map_err(|error| spoken(&error))?;
    if scheme == "tls" {
        // A broker greets before it turns to TLS.
        greeting(&mut stream).await.map_err(|error| spoken(&error))?;
    }
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| spoken(&error))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    chain.first().map(|certificate| certificate.to_vec()).ok_or_else(|| "it shows no certificate".to_owned())
}

/// Reads one line, byte by byte: what follows belongs to TLS.
async fn greeting(stream: &mut TcpStream) -> std::io::Result<()> {
    for _ in 0..LONGEST_GREETING {
        if stream.read_u8().await? == b'\n' {
            return Ok(());
        }
    }
    Err(std::io::Error::other("what answers there is no hub"))
}

fn holds(der: &[u8]) -> Option<Finding> {
    let end = certificate::ends(der)?;
    let left = end - clock::now();
    let words = format!("holds until {}", end.date());
    let remedy =
        "its backbone renews it when its node is started; an operator's own certificate is renewed by the operator";
    Some(if left < SOON { Finding::advice(CERTIFICATE, words, remedy) } else { Finding::well(CERTIFICATE, words) })
}

/// What was exchanged bounds how far the clocks are apart: nothing arrives before it was accepted, and nothing is
/// accepted before it was written.
async fn clocks(pool: &PgPool, node: &NodeId) -> Option<Finding> {
    let (behind, ahead): (Option<f64>, Option<f64>) = sqlx::query_as(
        "select (select max(extract(epoch from accepted_at - recorded_at))::float8
                   from (select accepted_at, recorded_at from log where accepted_at is not null
                          order by position desc limit 100) taken),
                (select max(extract(epoch from e.written_at - a.accepted_at))::float8
                   from (select * from federation.acceptances where origin = $1 order by accepted_at desc limit 100) a
                   join federation.entries e
                     on e.space = a.space and e.origin = a.origin and e.epoch = a.epoch and e.sequence = a.last)
          where exists (select from federation.initiatives where backbone <> $1)",
    )
    .bind(node.as_str())
    .fetch_optional(pool)
    .await
    .ok()??;
    let apart = |seconds: Option<f64>| seconds.filter(|seconds| *seconds > CLOCKS_APART).map(words::duration);
    let remedy = "set the machine's clock by a time server (chrony, systemd-timesyncd)";
    if let Some(behind) = apart(behind) {
        return Some(Finding::wrong(CLOCK, format!("this node's is at least {behind} behind"), remedy));
    }
    if let Some(ahead) = apart(ahead) {
        return Some(Finding::wrong(CLOCK, format!("this node's is at least {ahead} ahead"), remedy));
    }
    behind.or(ahead).map(|_| Finding::well(CLOCK, "agree, by what was exchanged"))
}
