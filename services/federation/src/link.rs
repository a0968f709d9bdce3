//! A link to one other node: its mailbox, one task that sends and one that takes in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::clock;
use chassis::names::NodeId;
use chassis::telemetry;
use prost::Message;
use proto::federation::{Have, LinkMessage, link_message};
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::accept::{self, Outcome};
use crate::border::{Border, BorderError};
use crate::hub::{self, BackboneMailbox, NodeMailbox, Road};
use crate::meters::{link_meters, peer};
use crate::pace::{Pace, Say};
use crate::store::nodes::Initiative;
use crate::store::{feeds, links};
use crate::{have, receive, send};

/// How often each side says what it has, whatever else happens.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// How many messages are taken in within one transaction.
const BATCH: usize = 32;
const PAUSE: Duration = Duration::from_millis(250);

/// The near end of a mailbox.
pub enum Mailbox {
    /// A partner's, to its backbone.
    Node(NodeMailbox),
    /// The backbone's, to one partner.
    Backbone(BackboneMailbox),
}

impl Mailbox {
    /// Puts a message on the road and waits until the hub has it.
    ///
    /// # Errors
    /// Where the hub does not take it.
    pub async fn send(&self, bytes: Bytes) -> Result<(), BorderError> {
        let hub = |error: hub::MailboxError| BorderError::Hub(error.to_string());
        let sent = match self {
            Self::Node(mailbox) => mailbox.send_up(bytes).await,
            Self::Backbone(mailbox) => mailbox.send_down(bytes).await,
        };
        sent.map_err(hub)?.await.map_err(hub)
    }

    async fn pull(&self) -> Result<Vec<hub::Frame>, hub::MailboxError> {
        match self {
            Self::Node(mailbox) => mailbox.pull_down(BATCH).await,
            Self::Backbone(mailbox) => mailbox.pull_up(BATCH).await,
        }
    }

    /// How many messages of the other side still lie at the hub; `None` where it cannot be reached.
    pub async fn backlog(&self) -> Option<u64> {
        let backlog = match self {
            Self::Node(mailbox) => mailbox.backlog().await,
            Self::Backbone(mailbox) => mailbox.backlog().await,
        };
        backlog.ok()
    }

    /// How the connection stands, now and later.
    pub fn road(&self) -> watch::Receiver<Road> {
        match self {
            Self::Node(mailbox) => mailbox.road(),
            Self::Backbone(mailbox) => mailbox.road(),
        }
    }
}

/// A link at work.
pub struct Link {
    /// The border it belongs to.
    pub border: Border,
    /// In which initiative.
    pub initiative: Initiative,
    /// The node at the other end.
    pub peer: NodeId,
    /// The mailbox.
    pub mailbox: Mailbox,
    /// How far it has sent.
    pub pace: Pace,
}

impl Link {
    /// Whether this node is the backbone at this link.
    pub fn is_backbone(&self) -> bool {
        self.initiative.backbone == *self.border.node()
    }

    /// Works until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.send_for_ever() => {}
            () = self.take_for_ever() => {}
            () = self.greet_for_ever() => {}
        }
    }

    /// Says what it has whenever the road opens, and every 30 s.
    async fn greet_for_ever(&self) {
        let mut road = self.mailbox.road();
        loop {
            if road.borrow_and_update().is_open() {
                self.pace.say(Say { answer: true, resume: true });
            }
            // A road that is gone for good changes no more; what is left is the regular word.
            if let Ok(Err(_)) = tokio::time::timeout(SAY_EVERY, road.changed()).await {
                tokio::time::sleep(SAY_EVERY).await;
            }
        }
    }

    async fn send_for_ever(&self) {
        let mut moved = self.border.moved.subscribe();
        let mut failing = false;
        loop {
            let outcome = send::pending(self).await;
            failing = self.note(failing, &outcome, "sending");
            if failing {
                tokio::time::sleep(PAUSE).await;
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = self.pace.wake.notified() => {}
                () = tokio::time::sleep(SAY_EVERY) => {}
            }
        }
    }

    async fn take_for_ever(&self) {
        let mut failing = false;
        loop {
            let outcome = match self.mailbox.pull().await {
                Ok(frames) => self.take(frames).await,
                Err(error) => Err(BorderError::Hub(error.to_string())),
            };
            failing = self.note(failing, &outcome, "taking in");
            if failing {
                tokio::time::sleep(PAUSE).await;
                self.pace.say(Say { answer: false, resume: true });
            }
        }
    }

    /// Logs a failure once, until it is over.
    fn note(&self, failing: bool, outcome: &Result<(), BorderError>, doing: &str) -> bool {
        match outcome {
            Ok(()) => false,
            Err(error) => {
                if !failing {
                    tracing::warn!(peer = %self.peer, %error, doing, "link waits and tries again");
                }
                true
            }
        }
    }

    /// Takes in messages, and only when that is committed lets the hub forget them.
    async fn take(&self, frames: Vec<hub::Frame>) -> Result<(), BorderError> {
        if frames.is_empty() {
            return Ok(());
        }
        let messages: Vec<Result<LinkMessage, &Bytes>> =
            frames.iter().map(|frame| LinkMessage::decode(frame.bytes.clone()).map_err(|_| &frame.bytes)).collect();
        let span = self.led_to_by(&messages);
        let (progress, say) = self.take_messages(messages).instrument(span).await?;
        for frame in frames {
            if let Err(error) = frame.ack.done().await {
                tracing::debug!(peer = %self.peer, %error, "not acknowledged: it will come again and be dropped");
            }
        }
        if progress {
            self.border.committed();
        }
        if say.is_some() || (progress && !self.is_backbone()) {
            self.pace.say(say.unwrap_or_default());
        }
        Ok(())
    }

    /// The span of taking in a batch: linked, not parented, to the works at the other end that led to it.
    fn led_to_by(&self, messages: &[Result<LinkMessage, &Bytes>]) -> Span {
        let span = tracing::info_span!("take", peer = %self.peer, messages = messages.len());
        let traces: BTreeSet<&str> = messages.iter().flatten().map(|message| message.traceparent.as_str()).collect();
        for traceparent in traces.into_iter().filter(|traceparent| !traceparent.is_empty()) {
            telemetry::link(&span, traceparent);
        }
        span
    }

    /// Takes in messages in one transaction. Tells whether anything new was held, and what to say to the other side.
    async fn take_messages(
        &self,
        messages: Vec<Result<LinkMessage, &Bytes>>,
    ) -> Result<(bool, Option<Say>), BorderError> {
        let mut transaction = self.border.pool.begin().await?;
        let (mut progress, mut say) = (false, None);
        for message in messages {
            match self.message(&mut transaction, message).await? {
                Outcome::Accepted => {
                    progress = true;
                    link_meters().received.add(1, &peer(&self.peer));
                }
                Outcome::Gap => {
                    say = Some(Say { answer: false, resume: true });
                    link_meters().gaps.add(1, &peer(&self.peer));
                }
                Outcome::Dropped | Outcome::Quarantined => {}
            }
        }
        links::contacted(&mut transaction, &self.peer, &self.initiative.initiative, clock::now()).await?;
        transaction.commit().await?;
        self.border.follow_trace();
        Ok((progress, say))
    }

    async fn message(
        &self,
        connection: &mut PgConnection,
        message: Result<LinkMessage, &Bytes>,
    ) -> Result<Outcome, BorderError> {
        let message = match message {
            Ok(message) => message,
            Err(bytes) => return accept::malformed(connection, &self.peer, bytes).await,
        };
        match (message.message, self.is_backbone()) {
            (Some(link_message::Message::Frame(frame)), true) => {
                accept::frame(&self.border, connection, &self.initiative, &self.peer, &frame).await
            }
            (Some(link_message::Message::Accepted(accepted)), false) => {
                receive::accepted(&self.border, connection, &self.initiative, &accepted).await
            }
            (Some(link_message::Message::Have(have)), _) => {
                self.heard(connection, &have).await?;
                Ok(Outcome::Dropped)
            }
            // A message in the wrong direction, or of a kind that this version does not know.
            (other, _) => {
                let bytes = LinkMessage { message: other, traceparent: String::new() }.encode_to_vec();
                accept::malformed(connection, &self.peer, &bytes).await
            }
        }
    }

    /// The other side says what it has: that confirms, and where it asks to resume, this side goes back to it.
    async fn heard(&self, connection: &mut PgConnection, have: &Have) -> Result<(), BorderError> {
        if self.is_backbone() {
            let spaces = have::spaces_of(have, &self.initiative.initiative, &self.peer);
            links::confirm(connection, &self.peer, &spaces).await?;
            self.pace.confirmed(&spaces, have.resume);
        } else if have.resume {
            self.resume(connection, have).await?;
        }
        if have.answer {
            self.pace.say(Say { answer: false, resume: true });
        }
        Ok(())
    }

    /// Goes back to what the backbone has of this node's feeds, unless it has what this node does not.
    async fn resume(&self, connection: &mut PgConnection, have: &Have) -> Result<(), BorderError> {
        let mut resumed = Vec::new();
        for (name, sequence, digest) in have::feeds_of(have, self.border.node()) {
            let here = feeds::digest_at(connection, &name, sequence).await?;
            if here.is_some_and(|here| digest.as_ref() == here) {
                resumed.push((name, sequence));
            } else {
                tracing::error!(
                    space = %name.space, sequence,
                    "the backbone holds an entry of this node that this node does not: nothing more of that feed is sent"
                );
                resumed.push((name, u64::MAX));
            }
        }
        self.pace.resume_feeds(resumed.into_iter());
        Ok(())
    }
}
