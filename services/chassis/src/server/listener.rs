//! The port: plain on this machine, TLS beyond it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::ServerError;
use crate::config::Listen;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Callers that have shaken hands and wait to be served.
const WAITING: usize = 128;

/// Callers whom the operating system lets wait before they are taken in.
const KNOCKING: u32 = 1024;

/// A port that was taken, and where nobody is listened to yet.
pub(super) struct Place {
    socket: TcpSocket,
    wanted: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Place {
    pub(super) fn take(listen: &Listen) -> Result<Self, ServerError> {
        let tls = match (&listen.certificate, &listen.key) {
            (Some(certificate), Some(key)) => Some(acceptor(certificate, key)?),
            _ => None,
        };
        if tls.is_none() && !listen.grpc.ip().is_loopback() && !listen.insecure {
            return Err(ServerError::Unguarded(listen.grpc));
        }
        let socket = bound(listen.grpc).map_err(|source| ServerError::Bind { address: listen.grpc, source })?;
        Ok(Self { socket, wanted: listen.grpc, tls })
    }

    pub(super) fn open(self) -> Result<Door, ServerError> {
        let Self { socket, wanted, tls } = self;
        let bind = |source| ServerError::Bind { address: wanted, source };
        let listener = socket.listen(KNOCKING).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Door { listener, address, tls })
    }
}

/// As the operating system gives it: what was just left by another process can be had again at once.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A port where callers are listened to.
pub(super) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Door {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn guarded(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) async fn serve(self, router: Router, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        match self.tls {
            None => {
                let listener = self.listener.tap_io(|stream| at_once(stream));
                axum::serve(listener, router).with_graceful_shutdown(stop).await
            }
            Some(tls) => {
                let (sender, ready) = mpsc::channel(WAITING);
                let shaking = tokio::spawn(shake_hands(self.listener, tls, sender));
                let guarded = Guarded { ready, address: self.address };
                let served = axum::serve(guarded, router).with_graceful_shutdown(stop).await;
                shaking.abort();
                served
            }
        }
    }
}

/// Small messages go out as they are, not when more have gathered.
fn at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "connection closed before it was served");
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ServerError> {
    let wrong = |path: &Path, reason: String| ServerError::Tls { path: path.to_owned(), reason };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| wrong(certificate, error.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificate, error.to_string()))?;
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Callers who have shaken hands.
struct Guarded {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Guarded {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // Whoever shakes hands was told to stop: nobody comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// Shakes hands with each caller on its own, so that a slow one keeps nobody waiting.
async fn shake_hands(
    mut listener: TcpListener,
    tls: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let (stream, from) = Listener::accept(&mut listener).await;
        at_once(&stream);
        let (tls, ready) = (tls.clone(), ready.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
                // A server that is gone needs no callers.
                Ok(Ok(stream)) => drop(ready.send((stream, from)).await),
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        });
    }
}
