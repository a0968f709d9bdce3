//! Taking messages out of a mailbox through a durable consumer made beforehand.
//!
//! The pull protocol is spoken here by hand, since the library's own needs rights that a node
//! does not have: ask for a number of messages, and they come to an inbox of one's own.

use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subject, Subscriber};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::error::MailboxError;
use super::road::Road;

/// Messages asked for at a time; more are asked for when half of them have come.
const BATCH: usize = 32;
/// How long the server keeps a request open.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server says that it still knows of the request.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Silence after which the request counts as lost.
const SILENCE: Duration = Duration::from_secs(12);
/// Pause after the server turned a request down.
const PAUSE: Duration = Duration::from_millis(500);

/// One message out of a box.
#[derive(Debug)]
pub struct Frame {
    /// What the other side sent.
    pub bytes: Bytes,
    /// To say that it is safe here. Without it the message comes again.
    pub ack: Ack,
}

/// The handle with which a message is taken out of its box for good.
#[derive(Debug)]
pub struct Ack {
    client: Client,
    reply: Option<Subject>,
}

impl Ack {
    /// Done with: the box may forget the message. Call it after what it says is committed.
    pub async fn done(self) -> Result<(), MailboxError> {
        self.answer("+ACK".into()).await
    }

    /// Not now: the message is to come again after this time.
    pub async fn later(self, delay: Duration) -> Result<(), MailboxError> {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        self.answer(format!("-NAK {}", json!({"delay": nanos}))).await
    }

    async fn answer(self, text: String) -> Result<(), MailboxError> {
        let Some(reply) = self.reply else { return Ok(()) };
        let sent = self.client.publish(reply, text.into()).await;
        sent.map_err(|error| MailboxError::Broker(error.to_string()))
    }
}

/// One consumer to read from.
pub(super) struct Inlet {
    client: Client,
    road: watch::Receiver<Road>,
    next_subject: String,
    info_subject: String,
    pull: Mutex<Pull>,
}

/// The state of asking. Only what has not arrived counts as wanted.
struct Pull {
    road: watch::Receiver<Road>,
    inbox: Option<(Subject, Subscriber)>,
    wanted: usize,
    not_before: Option<Instant>,
}

impl Inlet {
    pub(super) fn new(client: Client, stream: &str, consumer: &str, road: watch::Receiver<Road>) -> Self {
        Self {
            client,
            next_subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            info_subject: format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            pull: Mutex::new(Pull { road: road.clone(), inbox: None, wanted: 0, not_before: None }),
            road,
        }
    }

    /// Waits, however long the road is closed, until at least one message is here, and returns
    /// what has arrived by then, at most `max`. Nothing is lost when the call is dropped.
    pub(super) async fn pull(&self, max: usize) -> Result<Vec<Frame>, MailboxError> {
        let mut pull = self.pull.lock().await;
        loop {
            self.ask(&mut pull).await?;
            let Some(message) = pull.wait().await else { continue };
            let mut frames = Vec::new();
            frames.extend(self.sort(&mut pull, message)?);
            while frames.len() < max.max(1) {
                let Some(message) = pull.at_hand() else { break };
                // A bad status behind good messages must not take them along.
                match self.sort(&mut pull, message) {
                    Ok(frame) => frames.extend(frame),
                    Err(_) if !frames.is_empty() => break,
                    Err(error) => return Err(error),
                }
            }
            if !frames.is_empty() {
                return Ok(frames);
            }
        }
    }

    /// How many messages lie in the box for us, those under way included.
    pub(super) async fn backlog(&self) -> Result<u64, MailboxError> {
        if !self.road.borrow().is_open() {
            return Err(MailboxError::Away);
        }
        let answer =
            self.client.request(self.info_subject.clone(), Bytes::new()).await.map_err(|error| match error.kind() {
                async_nats::RequestErrorKind::NoResponders => MailboxError::Missing,
                _ => MailboxError::Unconfirmed,
            })?;
        let info: Value =
            serde_json::from_slice(&answer.payload).map_err(|error| MailboxError::Broker(error.to_string()))?;
        let count = |name: &str| info.get(name).and_then(Value::as_u64);
        match (count("num_pending"), count("num_ack_pending")) {
            (Some(pending), Some(under_way)) => Ok(pending + under_way),
            _ => Err(MailboxError::Missing),
        }
    }

    /// Asks for more when less than half of what was asked for is still to come.
    async fn ask(&self, pull: &mut Pull) -> Result<(), MailboxError> {
        if let Some(until) = pull.not_before {
            tokio::time::sleep_until(until).await;
            pull.not_before = None;
        }
        pull.forget_if_reconnected();
        if pull.wanted > BATCH / 2 || !pull.road.borrow().is_open() {
            return Ok(());
        }
        let broker = |error: &dyn std::fmt::Display| MailboxError::Broker(error.to_string());
        let inbox = match &pull.inbox {
            Some((inbox, _)) => inbox.clone(),
            None => {
                let inbox = Subject::from(self.client.new_inbox());
                let messages = self.client.subscribe(inbox.clone()).await.map_err(|error| broker(&error))?;
                pull.inbox = Some((inbox.clone(), messages));
                inbox
            }
        };
        let request = json!({
            "batch": BATCH, "expires": nanos(EXPIRES), "idle_heartbeat": nanos(HEARTBEAT),
        });
        self.client
            .publish_with_reply(self.next_subject.clone(), inbox, request.to_string().into())
            .await
            .map_err(|error| broker(&error))?;
        pull.wanted += BATCH;
        Ok(())
    }

    /// A message, or what a status says about the requests under way.
    fn sort(&self, pull: &mut Pull, message: Message) -> Result<Option<Frame>, MailboxError> {
        match message.status {
            None | Some(StatusCode::OK) => {
                pull.wanted = pull.wanted.saturating_sub(1);
                let ack = Ack { client: self.client.clone(), reply: message.reply };
                Ok(Some(Frame { bytes: message.payload, ack }))
            }
            Some(StatusCode::IDLE_HEARTBEAT) => Ok(None),
            Some(StatusCode::NO_RESPONDERS) => Err(pull.turned_down(MailboxError::Missing)),
            Some(_) if message.description.as_deref() == Some("Consumer Deleted") => {
                Err(pull.turned_down(MailboxError::Missing))
            }
            Some(_) => {
                match unserved(&message) {
                    Some(count) => pull.wanted = pull.wanted.saturating_sub(count),
                    None => drop(pull.turned_down(MailboxError::Away)),
                }
                Ok(None)
            }
        }
    }
}

impl Pull {
    /// The server forgets requests with the connection they came by.
    fn forget_if_reconnected(&mut self) {
        if self.road.has_changed().unwrap_or(false) {
            self.road.mark_unchanged();
            self.wanted = 0;
        }
    }

    /// The next message, or `None` when it is time to ask again.
    async fn wait(&mut self) -> Option<Message> {
        let Some((_, messages)) = &mut self.inbox else {
            // Nothing was asked for yet, so the road is closed.
            let _ = self.road.wait_for(Road::is_open).await;
            return None;
        };
        tokio::select! {
            biased;
            message = messages.next() => {
                if message.is_none() {
                    self.inbox = None;
                    self.wanted = 0;
                }
                message
            }
            changed = self.road.changed() => {
                self.wanted = 0;
                if changed.is_err() {
                    // The line is gone, and with it the sender of these messages.
                    std::future::pending::<()>().await;
                }
                None
            }
            () = tokio::time::sleep(SILENCE), if self.wanted > 0 => {
                self.wanted = 0;
                None
            }
        }
    }

    /// A message that has arrived already.
    fn at_hand(&mut self) -> Option<Message> {
        self.inbox.as_mut().and_then(|(_, messages)| messages.next().now_or_never()).flatten()
    }

    fn turned_down(&mut self, error: MailboxError) -> MailboxError {
        self.wanted = 0;
        self.not_before = Some(Instant::now() + PAUSE);
        error
    }
}

/// How many messages of an ended request did not come, when the status says so.
fn unserved(status: &Message) -> Option<usize> {
    let headers = status.headers.as_ref()?;
    headers.get("Nats-Pending-Messages")?.as_str().parse().ok()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
