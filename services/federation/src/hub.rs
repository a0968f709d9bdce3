//! The hub: the one NATS server beside the backbone that partners dial, and what administers it.
//!
//! It carries bytes in and out of mailboxes and knows nothing of entries, spaces or events.
//!
//! * Every linked node has an account of its own on the hub, its *mailbox*: stream `UP` is
//!   written by the node and read by the backbone, stream `DOWN` the other way round.
//! * The server runs in operator mode: [`keys`] are held by the backbone, [`jwt`] signs what the
//!   server believes, [`admin`] tells it. The server's own configuration ([`config`]) never
//!   changes, so partners come and go without a restart.
//! * All connections are TLS against the authority of [`tls`], whose certificate travels whole
//!   in the invitation.
//! * The server's disk is a road, not a store: [`admin::HubAdmin::open_mailbox`] rebuilds a
//!   mailbox from the backbone's records as often as needed.

pub mod admin;
pub mod claims;
pub mod config;
pub mod credentials;
mod dial;
pub mod enrol;
pub mod error;
mod inlet;
pub mod jwt;
pub mod keys;
mod line;
pub mod mailbox;
mod outlet;
pub mod road;
pub mod tls;

pub use admin::{HubAdmin, MailboxSize};
pub use config::HubConfig;
pub use credentials::{EnrolmentCredentials, HubAddress, HubReach, NodeCredentials};
pub use dial::Dialler;
pub use enrol::{EnrolmentDesk, Knock, enrol};
pub use error::{HubError, MailboxError};
pub use inlet::{Ack, Frame};
pub use keys::{HubKeys, MailboxKeys, new_user_seed};
pub use mailbox::{BackboneMailbox, NodeMailbox};
pub use outlet::{MAX_MESSAGE_BYTES, Sent};
pub use road::Road;
pub use tls::HubTls;
