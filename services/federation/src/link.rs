//! A link to one other node: its mailbox, one task that sends and one that takes in.

use std::time::Duration;

use bytes::Bytes;
use chassis::names::NodeId;
use tokio::sync::watch;

use crate::border::{Border, BorderError};
use crate::domain::Holder;
use crate::hello::Hello;
use crate::hub::{self, BackboneMailbox, NodeMailbox, Road};
use crate::outgoing::Outgoing;
use crate::pace::{Pace, Say};
use crate::send;
use crate::store::nodes::Initiative;

/// How often each side says what it has, whatever else happens.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// How many messages are taken in within one transaction.
const BATCH: usize = 32;
/// How long a link rests after something failed.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// The near end of a mailbox.
pub enum Mailbox {
    /// A partner's, to its backbone.
    Node(NodeMailbox),
    /// The backbone's, to one partner.
    Backbone(BackboneMailbox),
}

impl Mailbox {
    /// Puts a message on the road. What comes back tells when the hub has it.
    ///
    /// # Errors
    /// Where the road is closed.
    pub async fn send(&self, bytes: Bytes) -> Result<hub::Sent, BorderError> {
        let sent = match self {
            Self::Node(mailbox) => mailbox.send_up(bytes).await,
            Self::Backbone(mailbox) => mailbox.send_down(bytes).await,
        };
        sent.map_err(|error| BorderError::Hub(error.to_string()))
    }

    pub(crate) async fn pull(&self) -> Result<Vec<hub::Frame>, hub::MailboxError> {
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
    /// Whether the node that is not the backbone only follows the initiative.
    pub follower: bool,
    /// The mailbox.
    pub mailbox: Mailbox,
    /// How far it has sent.
    pub pace: Pace,
    /// What it has put on the road.
    pub outgoing: Outgoing,
    /// What is asked after a restore, by either side.
    pub hello: Hello,
}

impl Link {
    /// Whether this node is the backbone at this link.
    pub fn is_backbone(&self) -> bool {
        self.initiative.backbone == *self.border.node()
    }

    /// The node that is not the backbone at this link, as one to whom spaces are sent.
    pub fn partner(&self) -> Holder<'_> {
        let node = if self.is_backbone() { &self.peer } else { self.border.node() };
        Holder { node, follower: self.follower }
    }

    /// Works for ever.
    pub(crate) async fn work(&self) {
        tokio::select! {
            () = self.send_for_ever() => {}
            () = self.take_for_ever() => {}
            () = self.pace.ask_for_ever() => {}
            () = self.pace.confirm_for_ever() => {}
            () = self.send_again_for_ever() => {}
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

    /// Comes when messages flow: until then there is nothing to try, and nothing to complain of.
    pub(crate) async fn road_open(&self) {
        if self.mailbox.road().wait_for(Road::is_open).await.is_err() {
            // Nobody looks after the road any more: the link is about to stop.
            std::future::pending::<()>().await;
        }
    }

    async fn send_for_ever(&self) {
        let mut moved = self.border.moved.subscribe();
        let mut failing = false;
        loop {
            self.road_open().await;
            let outcome = send::pending(self).await;
            failing = self.note(failing, &outcome, "sending");
            if failing {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = self.pace.wake.notified() => {}
                () = tokio::time::sleep(SAY_EVERY) => {}
            }
        }
    }

    /// Goes back when something did not get to the hub.
    async fn send_again_for_ever(&self) {
        loop {
            let error = self.outgoing.failed().await;
            tracing::debug!(peer = %self.peer, %error, "not at the hub: sent again");
            tokio::time::sleep(PAUSE).await;
            self.road_open().await;
            self.pace.go_back();
            // What it had to say may be among it.
            self.pace.say(Say { answer: true, resume: true });
        }
    }

    /// Logs a failure once, and its end.
    pub(crate) fn note(&self, failing: bool, outcome: &Result<(), BorderError>, doing: &str) -> bool {
        match outcome {
            Ok(()) => {
                if failing {
                    tracing::info!(peer = %self.peer, doing, "link goes on");
                }
                false
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(peer = %self.peer, %error, doing, "link waits and tries again");
                }
                true
            }
        }
    }
}
