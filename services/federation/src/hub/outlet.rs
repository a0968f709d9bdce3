//! Putting messages into a stream of a mailbox, many in flight.

use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, Subject};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::error::MailboxError;
use super::road::Road;

/// The largest message the hub takes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Messages sent and not yet confirmed; at most 16 MiB of memory and of the hub's attention.
const WINDOW: usize = 64;
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// One stream to write to.
pub(super) struct Outlet {
    jetstream: jetstream::Context,
    subject: Subject,
    road: watch::Receiver<Road>,
}

impl Outlet {
    pub(super) fn new(client: Client, subject: &'static str, road: watch::Receiver<Road>) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(CONFIRM_TIMEOUT)
            // Confirmations nobody waits for give their place back soon.
            .ack_timeout(Duration::from_secs(1))
            .max_ack_inflight(WINDOW)
            .backpressure_on_inflight(true)
            .build(client);
        Self { jetstream, subject: Subject::from_static(subject), road }
    }

    /// Sends, waiting only while the window is full. The order of calls is the order in the box.
    pub(super) async fn send(&self, bytes: Bytes) -> Result<Sent, MailboxError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MailboxError::TooLarge { bytes: bytes.len(), limit: MAX_MESSAGE_BYTES });
        }
        let mut road = self.road.clone();
        // Otherwise the library would keep the message until the hub is back, by when the cursors
        // may say something else.
        if !road.borrow_and_update().is_open() {
            return Err(MailboxError::Away);
        }
        let message = PublishMessage::build().payload(bytes);
        let confirmed =
            self.jetstream.send_publish(self.subject.clone(), message).await.map_err(|error| refusal(&error))?;
        // On its own, so that the window moves on however late the caller looks.
        Ok(Sent(tokio::spawn(settle(confirmed, road))))
    }
}

/// A message on its way. Resolves when the hub has it, which is not yet when the other side has.
#[must_use = "without the confirmation nobody knows whether the hub took the message"]
pub struct Sent(JoinHandle<Result<(), MailboxError>>);

impl Future for Sent {
    type Output = Result<(), MailboxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A task that is gone went with the process.
        Pin::new(&mut self.0).poll(cx).map(|result| result.unwrap_or(Err(MailboxError::Away)))
    }
}

async fn settle(confirmed: PublishAckFuture, mut road: watch::Receiver<Road>) -> Result<(), MailboxError> {
    tokio::select! {
        biased;
        result = confirmed.into_future() => match result {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(&error)),
        },
        // What was under way when the connection broke is never confirmed.
        _ = road.wait_for(|road| !road.is_open()) => Err(MailboxError::Away),
    }
}

fn refusal(error: &jetstream::context::PublishError) -> MailboxError {
    match error.kind() {
        PublishErrorKind::StreamNotFound => MailboxError::Missing,
        PublishErrorKind::TimedOut => MailboxError::Unconfirmed,
        PublishErrorKind::BrokenPipe => MailboxError::Away,
        _ if is_full(error) => MailboxError::Full,
        _ => MailboxError::Broker(error.to_string()),
    }
}

fn is_full(error: &jetstream::context::PublishError) -> bool {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>()).is_some_and(
        |refused| {
            let full = [
                ErrorCode::STREAM_STORE_FAILED,
                ErrorCode::STORAGE_RESOURCES_EXCEEDED,
                ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
            ];
            full.contains(&refused.error_code())
        },
    )
}
