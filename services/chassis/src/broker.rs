//! The road within a node: the local broker, its stream and the subjects on it.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::ConnectErrorKind;
use async_nats::jetstream::{self, stream};
use tokio::time::{Interval, MissedTickBehavior};

use crate::backoff::Backoff;

/// The stream that keeps what the services of this node tell, for an hour.
pub const STREAM: &str = "EVENTS";

/// How often each side says how far it is, so that nothing waits longer for a message that was lost.
pub const ROLL_CALL_EVERY: Duration = Duration::from_secs(30);

/// How long between two attempts to reach the local broker, the first time and at the longest.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often it is looked whether the broker was away.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long a look at a broker may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// Where a service tells an event of a type (full name).
pub fn events_subject(source: &str, type_name: &str) -> String {
    let short = type_name.rsplit('.').next().unwrap_or(type_name);
    format!("commonweal.events.{source}.{short}")
}

/// Every event of every service.
pub const ALL_EVENTS: &str = "commonweal.events.>";

/// Where a relay says how far it is.
pub fn head_subject(source: &str) -> String {
    format!("commonweal.head.{source}")
}

/// Every relay's word on how far it is.
pub const ALL_HEADS: &str = "commonweal.head.*";

/// Asks every relay to say how far it is.
pub const ROLL_CALL: &str = "commonweal.rollcall";

/// Where a relay answers `AskRange`.
pub fn range_subject(source: &str) -> String {
    format!("commonweal.range.{source}")
}

/// Where a service answers `AskDigest`.
pub fn digest_subject(source: &str) -> String {
    format!("commonweal.digest.{source}")
}

/// Where a service answers `AskStanding`.
pub fn standing_subject(source: &str) -> String {
    format!("commonweal.standing.{source}")
}

/// Where a node's border says whether the node may write.
pub const GATE: &str = "commonweal.gate";

/// Where a service is asked to try again at once what it holds.
pub fn retry_subject(service: &str) -> String {
    format!("commonweal.retry.{service}")
}

/// The service named in a subject of three or more parts.
pub(crate) fn source_of(subject: &str) -> Option<&str> {
    subject.split('.').nth(2)
}

/// Connects to the local broker; keeps trying in the background while it is away. User and password may stand in the address.
///
/// # Errors
/// Where the address is not one.
pub async fn connect(url: &str) -> Result<async_nats::Client, async_nats::ConnectError> {
    let backoff = Mutex::new(Backoff::between(RECONNECT.0, RECONNECT.1));
    credentials(url)
        .name("commonweal")
        .retry_on_initial_connect()
        .subscription_capacity(4096)
        .reconnect_delay_callback(move |attempts| {
            let mut backoff = backoff.lock().unwrap_or_else(PoisonError::into_inner);
            // The first attempt after it was connected.
            if attempts <= 1 {
                backoff.reset();
            }
            backoff.step()
        })
        .event_callback(|event| async move {
            match event {
                async_nats::Event::Connected => tracing::info!("local broker connected"),
                async_nats::Event::Disconnected => tracing::warn!("local broker away: events wait in Postgres"),
                other => tracing::debug!(event = %other, "local broker"),
            }
        })
        .connect(url)
        .await
}

/// Sees that the broker was away and is back: what was told meanwhile, and a moment before, may not have reached us.
#[derive(Debug)]
pub(crate) struct Returns {
    client: async_nats::Client,
    connects: u64,
    looks: Interval,
}

impl Returns {
    /// Counts from now on.
    pub(crate) fn of(client: &async_nats::Client) -> Self {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { client: client.clone(), connects: connects(client), looks }
    }

    /// Comes when it is back. May be dropped at any time.
    pub(crate) async fn next(&mut self) {
        loop {
            self.looks.tick().await;
            let now = connects(&self.client);
            if std::mem::replace(&mut self.connects, now) != now {
                return;
            }
        }
    }
}

fn connects(client: &async_nats::Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

/// Why a broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Nobody answers there now; later somebody may.
    #[error("no answer: {0}")]
    Away(String),
    /// It will not do as it is: not an address, not our password, no JetStream.
    #[error("{0}")]
    Unusable(String),
}

/// Asks a broker once whether it lets us in, and gives the bytes that its JetStream stores.
///
/// # Errors
/// Why it cannot be used.
pub async fn look(url: &str) -> Result<u64, BrokerError> {
    match tokio::time::timeout(LOOK_WITHIN, stored(url)).await {
        Ok(answer) => answer,
        Err(_) => Err(BrokerError::Away(format!("waited {} s", LOOK_WITHIN.as_secs()))),
    }
}

async fn stored(url: &str) -> Result<u64, BrokerError> {
    let client = credentials(url).name("commonweal").connect(url).await.map_err(|error| match error.kind() {
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Authentication
        | ConnectErrorKind::AuthorizationViolation
        | ConnectErrorKind::Tls => BrokerError::Unusable(error.to_string()),
        _ => BrokerError::Away(error.to_string()),
    })?;
    let account = jetstream::new(client).query_account().await;
    account.map(|account| account.storage).map_err(|error| {
        BrokerError::Unusable(format!("it has no JetStream for us ({error}): start it with JetStream enabled"))
    })
}

/// The client itself passes over what stands before the `@`.
fn credentials(url: &str) -> async_nats::ConnectOptions {
    let address: Option<async_nats::ServerAddr> = url.parse().ok();
    let pair = address.as_ref().and_then(|address| Some((address.username()?, address.password()?)));
    match pair {
        Some((user, password)) => {
            async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        }
        None => async_nats::ConnectOptions::new(),
    }
}

/// How long the stream keeps what it was told. Nobody depends on it: whoever misses something asks the relay, which reads
/// it in Postgres. So the words of an event that was erased are not in it for longer.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// Makes the stream, or what it is to be by now.
pub(crate) async fn ensure_stream(context: &jetstream::Context) -> Result<(), jetstream::context::CreateStreamError> {
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![ALL_EVENTS.to_owned()],
        max_age: KEPT_FOR,
        max_bytes: 1 << 30,
        discard: stream::DiscardPolicy::Old,
        ..stream::Config::default()
    };
    context.create_or_update_stream(config).await.map(|_| ())
}
