//! What can go wrong with the hub, apart from what can go wrong with one mailbox.

use std::path::PathBuf;

/// A failure to reach, configure or administer the hub.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The address is neither `tls://host:port` nor `wss://host[:port]`.
    #[error("hub address {0:?} is not of the form tls://host:port or wss://host[:port]")]
    Address(String),
    /// Nothing answers there, or its certificate is not from the pinned authority.
    #[error("the hub at {address} cannot be reached: {reason}")]
    Unreachable {
        /// The address tried.
        address: String,
        /// What the connection attempt ended with.
        reason: String,
    },
    /// The hub answers but does not take these credentials.
    #[error("the hub at {address} refuses these credentials: expired, revoked or not yet admitted")]
    Refused {
        /// The address tried.
        address: String,
    },
    /// The hub would not take the account.
    #[error("the hub did not take account {account}: {answer}")]
    AccountNotTaken {
        /// Public key of the account.
        account: String,
        /// The server's answer.
        answer: String,
    },
    /// The hub took the account but could not reserve disk for it.
    #[error(
        "the hub has no room for account {account}: {asked} bytes of disk asked, {granted} granted; raise max_file"
    )]
    NoRoom {
        /// Public key of the account.
        account: String,
        /// Bytes asked for.
        asked: i64,
        /// Bytes granted; zero when JetStream is off for the account.
        granted: i64,
    },
    /// The server refused to make or delete a stream or consumer, or to reload.
    #[error("the hub refused to {what}: {reason}")]
    NotDone {
        /// What was asked.
        what: &'static str,
        /// The server's answer.
        reason: String,
    },
    /// Nobody answered an enrolment in time.
    #[error("the backbone did not answer the enrolment: {0}")]
    Unanswered(String),
    /// An invitation id that cannot be a part of a subject.
    #[error("invitation id {0:?} must be 1 to 64 letters, digits, '-' or '_'")]
    InvitationId(String),
    /// A seed, public key or signature that is not what it should be.
    #[error("key: {0}")]
    Key(String),
    /// A token that is malformed or not signed by its issuer.
    #[error("token: {0}")]
    Token(&'static str),
    /// Certificates could not be made or read.
    #[error("certificate: {0}")]
    Certificate(String),
    /// A file of the hub could not be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system, or the parser, said.
        reason: String,
    },
    /// A private file could not be read or written, or others may read it.
    #[error(transparent)]
    Private(#[from] chassis::strongbox::BoxError),
}

/// An error that names the file.
pub(super) fn unusable(path: &std::path::Path, reason: &dyn std::fmt::Display) -> HubError {
    HubError::File { path: path.to_owned(), reason: reason.to_string() }
}

impl From<nkeys::error::Error> for HubError {
    fn from(error: nkeys::error::Error) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<rcgen::Error> for HubError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// Why a message did not go into, or come out of, a mailbox. None of them loses data: what was
/// not confirmed by the other side is sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// There is no connection at present; wait for [`super::Road::Connected`].
    #[error("no connection to the hub")]
    Away,
    /// The box is full until the other side has taken something out.
    #[error("the mailbox is full")]
    Full,
    /// The account has no such stream or consumer: the hub's disk was lost, or the mailbox closed.
    #[error("the mailbox does not exist on the hub")]
    Missing,
    /// The message is larger than the hub takes.
    #[error("a message of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Size of the message.
        bytes: usize,
        /// Largest size taken.
        limit: usize,
    },
    /// The hub did not confirm in time. A denied publish looks like this too.
    #[error("the hub did not confirm in time")]
    Unconfirmed,
    /// Anything else the server said.
    #[error("hub: {0}")]
    Broker(String),
}
