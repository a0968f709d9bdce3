//! A proxy on a link that can do to it what networks do: cut it, cut one way of it, delay and narrow it.
//!
//! What TCP has taken it delivers in order or not at all, so nothing is dropped or turned around within a connection:
//! a way that is cut holds back what comes, and a link that is cut ends its connections and lets no new one in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const CHUNK: usize = 16 * 1024;

/// How one way of a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Nothing gets through; what comes waits.
    pub held: bool,
    /// How much longer each chunk of up to 16 KiB takes.
    pub delay: Duration,
    /// Bytes in a second; 0 for as many as come.
    pub bytes_per_second: u32,
}

/// How a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Whoever is through is cut off, and nobody gets through.
    pub cut: bool,
    /// From the one who dials to the one who listens.
    pub up: Way,
    /// The other way.
    pub down: Way,
}

/// A proxy before an address.
pub struct Proxy {
    /// Where one comes in.
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    passed: watch::Receiver<Option<Instant>>,
    standing: JoinHandle<()>,
}

impl Proxy {
    /// Stands before an address; all gets through.
    ///
    /// # Errors
    /// Where this machine has no free port.
    pub async fn before(there: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (weather, watched) = watch::channel(Weather::default());
        let (passing, passed) = watch::channel(None);
        let standing = tokio::spawn(stand(listener, there, watched, Arc::new(passing)));
        Ok(Self { address, weather, passed, standing })
    }

    /// Makes the link like this from now on.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Lets all through, and waits until somebody has come through: when that was. `None` where the proxy has ended.
    pub async fn clear(&mut self) -> Option<Instant> {
        self.passed.mark_unchanged();
        self.set(Weather::default());
        self.passed.changed().await.ok()?;
        *self.passed.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.standing.abort();
    }
}

async fn stand(
    listener: TcpListener,
    there: SocketAddr,
    weather: watch::Receiver<Weather>,
    passed: Arc<watch::Sender<Option<Instant>>>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if !weather.borrow().cut {
            tokio::spawn(join(near, there, weather.clone(), passed.clone()));
        }
    }
}

async fn join(
    near: TcpStream,
    there: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    passed: Arc<watch::Sender<Option<Instant>>>,
) {
    let Ok(far) = TcpStream::connect(there).await else { return };
    passed.send_replace(Some(Instant::now()));
    // Whoever waits for answers must not wait for the packet to fill.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = carry(from_near, to_far, weather.clone(), |weather| weather.up) => {}
        () = carry(from_far, to_near, weather.clone(), |weather| weather.down) => {}
        _ = weather.wait_for(|weather| weather.cut) => {}
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    way: fn(&Weather) -> Way,
) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let Ok(count @ 1..) = from.read(&mut chunk).await else { return };
        let Ok(way) = weather.wait_for(|weather| !way(weather).held).await.map(|weather| way(&weather)) else { return };
        let narrow = match way.bytes_per_second {
            0 => Duration::ZERO,
            rate => Duration::from_secs_f64(count as f64 / f64::from(rate)),
        };
        if way.delay + narrow > Duration::ZERO {
            sleep(way.delay + narrow).await;
        }
        let Some(bytes) = chunk.get(..count) else { return };
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy, somebody who came in by it, the one whom they reached, and the door to more of those.
    async fn linked() -> (Proxy, TcpStream, TcpStream, TcpListener) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::before(listener.local_addr().unwrap()).await.unwrap();
        let near = TcpStream::connect(proxy.address).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (proxy, near, far, listener)
    }

    async fn hears(stream: &mut TcpStream) -> [u8; 4] {
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.unwrap();
        word
    }

    #[tokio::test]
    async fn a_way_that_is_held_loses_nothing_and_leaves_the_other_open() {
        let (proxy, mut near, mut far, _door) = linked().await;
        proxy.set(Weather { up: Way { held: true, ..Way::default() }, ..Weather::default() });
        near.write_all(b"ping").await.unwrap();
        far.write_all(b"pong").await.unwrap();
        assert_eq!(&hears(&mut near).await, b"pong");
        let early = tokio::time::timeout(Duration::from_millis(100), hears(&mut far)).await;
        assert!(early.is_err(), "the way was held");
        proxy.set(Weather::default());
        assert_eq!(&hears(&mut far).await, b"ping");
    }

    #[tokio::test]
    async fn a_link_that_is_cut_ends_and_lets_nobody_in_until_it_is_clear() {
        let (mut proxy, mut near, _far, _door) = linked().await;
        proxy.set(Weather { cut: true, ..Weather::default() });
        assert_eq!(near.read(&mut [0; 4]).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(refused.read(&mut [0; 4]).await.unwrap_or(0), 0);
        let address = proxy.address;
        let dialling = async {
            // The proxy is clear only once it is waited for.
            tokio::task::yield_now().await;
            TcpStream::connect(address).await.unwrap()
        };
        let (passed, _again) = tokio::join!(proxy.clear(), dialling);
        assert!(passed.is_some());
    }

    #[tokio::test]
    async fn a_slow_way_takes_its_time() {
        let (proxy, mut near, mut far, _door) = linked().await;
        proxy.set(Weather {
            up: Way { delay: Duration::from_millis(40), bytes_per_second: 100, held: false },
            ..Weather::default()
        });
        let started = Instant::now();
        near.write_all(b"ping").await.unwrap();
        hears(&mut far).await;
        assert!(started.elapsed() >= Duration::from_millis(80));
    }
}
