//! One GET over http or https: all that reading an issuer's keys takes.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Failure = Box<dyn Error + Send + Sync>;

const WITHIN: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 256 * 1024;

/// The body of a 200 answer. Follows no redirects: the configured address is the one that is trusted.
pub(super) async fn get(url: &str) -> Result<Vec<u8>, String> {
    match tokio::time::timeout(WITHIN, over_the_wire(url)).await {
        Ok(answer) => answer.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!("no answer within {} s", WITHIN.as_secs())),
    }
}

async fn over_the_wire(url: &str) -> Result<Vec<u8>, Failure> {
    let uri: Uri = url.parse()?;
    let host = uri.host().ok_or("the address has no host")?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    match uri.scheme_str() {
        Some("http") => ask(TcpStream::connect((name, uri.port_u16().unwrap_or(80))).await?, &uri).await,
        Some("https") => {
            let stream = TcpStream::connect((name, uri.port_u16().unwrap_or(443))).await?;
            let server = ServerName::try_from(name.to_owned())?;
            ask(TlsConnector::from(Arc::new(trusting_the_machine()?)).connect(server, stream).await?, &uri).await
        }
        _ => Err("the address begins with neither http:// nor https://".into()),
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, uri: &Uri) -> Result<Vec<u8>, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; what goes wrong on the way shows in the answer.
    tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let request =
        Request::get(path).header(HOST, host).header(ACCEPT, "application/json").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()).into());
    }
    Ok(Limited::new(answer.into_body(), MOST_BYTES).collect().await?.to_bytes().to_vec())
}

/// Trusts what the machine trusts.
fn trusting_the_machine() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
