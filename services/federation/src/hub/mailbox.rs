//! The two ends of a mailbox: the node's and the backbone's.
//!
//! Both connect by themselves, stay connected, and tell through [`Road`] how they fare. Neither
//! promises more than bytes in and bytes out: order may break after a crash, and messages may
//! come twice or not at all. Sequences and cursors in what is carried make up for that.

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::claims::{BACKBONE_INBOX, NODE_INBOX};
use super::credentials::{HubReach, NodeCredentials};
use super::dial::Dialler;
use super::error::{HubError, MailboxError};
use super::inlet::{Frame, Inlet};
use super::keys::MailboxKeys;
use super::line::{Line, Login, OWNER, PARTNER};
use super::outlet::{Outlet, Sent};
use super::road::Road;

/// Stream the node writes, and the consumer by which the backbone reads it.
pub(super) const UP: (&str, &str) = ("UP", "relay");
/// Stream the backbone writes, and the consumer by which the node reads it.
pub(super) const DOWN: (&str, &str) = ("DOWN", "node");
const UP_SUBJECT: &str = "up.frame";
const DOWN_SUBJECT: &str = "down.frame";

/// The node's end.
pub struct NodeMailbox {
    end: End,
}

impl NodeMailbox {
    /// Starts connecting and returns at once; see [`Self::road`].
    pub async fn connect(credentials: &NodeCredentials) -> Result<Self, HubError> {
        let login = Login {
            reach: &credentials.hub,
            token: credentials.user_token.clone(),
            seed: &credentials.user_seed,
            inbox: NODE_INBOX,
            name: "node",
            longest: PARTNER,
        };
        Ok(Self { end: End::new(login.start().await?, UP_SUBJECT, DOWN) })
    }

    /// Sends to the backbone. Waits only while too many are unconfirmed; the result tells when
    /// the hub has it. [`MailboxError::Full`] is the backbone's way of saying "slower".
    pub async fn send_up(&self, bytes: Bytes) -> Result<Sent, MailboxError> {
        self.end.outlet.send(bytes).await
    }

    /// Waits for messages from the backbone; at most `max`. May be dropped at any time.
    pub async fn pull_down(&self, max: usize) -> Result<Vec<Frame>, MailboxError> {
        self.end.inlet.pull(max).await
    }

    /// How many messages lie on the hub for this node.
    pub async fn backlog(&self) -> Result<u64, MailboxError> {
        self.end.inlet.backlog().await
    }

    /// How the connection stands, now and later.
    pub fn road(&self) -> watch::Receiver<Road> {
        self.end.line.road.clone()
    }
}

/// The backbone's end of one node's mailbox.
pub struct BackboneMailbox {
    end: End,
}

impl BackboneMailbox {
    /// Starts connecting and returns at once. [`Road::Refused`], like
    /// [`MailboxError::Missing`] later, means that the hub does not know the mailbox (any more):
    /// open it again through [`super::HubAdmin::open_mailbox`].
    pub async fn connect(reach: &HubReach, keys: &MailboxKeys, now: OffsetDateTime) -> Result<Self, HubError> {
        let (token, seed) = keys.backbone_user(now)?;
        let login = Login { reach, token, seed: &seed, inbox: BACKBONE_INBOX, name: "backbone", longest: OWNER };
        Ok(Self { end: End::new(login.start().await?, DOWN_SUBJECT, UP) })
    }

    /// Sends to the node. Waits only while too many are unconfirmed; the result tells when the
    /// hub has it. A full box drops its oldest, which the node sees as a gap and asks for.
    pub async fn send_down(&self, bytes: Bytes) -> Result<Sent, MailboxError> {
        self.end.outlet.send(bytes).await
    }

    /// Waits for messages from the node; at most `max`. May be dropped at any time.
    pub async fn pull_up(&self, max: usize) -> Result<Vec<Frame>, MailboxError> {
        self.end.inlet.pull(max).await
    }

    /// To be used once the hub was told of the mailbox.
    pub fn dialler(&self) -> Dialler {
        self.end.line.dialler()
    }

    /// How many messages of the node's lie on the hub for the backbone.
    pub async fn backlog(&self) -> Result<u64, MailboxError> {
        self.end.inlet.backlog().await
    }

    /// How the connection stands, now and later.
    pub fn road(&self) -> watch::Receiver<Road> {
        self.end.line.road.clone()
    }
}

/// What both ends are made of. The line goes last: dropping it ends the connection.
struct End {
    outlet: Outlet,
    inlet: Inlet,
    line: Line,
}

impl End {
    fn new(line: Line, subject: &'static str, (stream, consumer): (&str, &str)) -> Self {
        Self {
            outlet: Outlet::new(line.client.clone(), subject, line.road.clone()),
            inlet: Inlet::new(line.client.clone(), stream, consumer, line.road.clone()),
            line,
        }
    }
}
