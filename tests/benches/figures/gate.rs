//! A gate on the way to the hub: closed, nobody gets through and who was through is cut off.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::figure::Outcome;

/// The gate.
pub struct Gate {
    /// Where one comes in.
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    passed: watch::Receiver<Option<Instant>>,
    standing: JoinHandle<()>,
}

impl Gate {
    /// An open gate before an address.
    pub async fn before(hub: SocketAddr) -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (open, watched) = watch::channel(true);
        let (passing, passed) = watch::channel(None);
        let standing = tokio::spawn(stand(listener, hub, watched, Arc::new(passing)));
        Ok(Self { address, open, passed, standing })
    }

    /// Closes it.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Opens it, and waits until somebody has come through to the hub: when that was.
    pub async fn open(&mut self) -> Outcome<Instant> {
        self.passed.mark_unchanged();
        self.open.send_replace(true);
        self.passed.changed().await?;
        Ok(self.passed.borrow().ok_or("nobody came through")?)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.standing.abort();
    }
}

async fn stand(
    listener: TcpListener,
    hub: SocketAddr,
    open: watch::Receiver<bool>,
    passed: Arc<watch::Sender<Option<Instant>>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if !*open.borrow() {
            continue;
        }
        let (mut open, passed) = (open.clone(), passed.clone());
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(hub).await else { return };
            passed.send_replace(Some(Instant::now()));
            // Whoever waits for answers must not wait for the packet to fill.
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (mut near, mut far) = (near, far);
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = open.wait_for(|open| !open) => {}
            }
        });
    }
}
