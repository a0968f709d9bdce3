//! Words and rules of communication: who may open, post, edit and take back. Knows no database and no wire.

pub mod channel;
pub mod cursor;
pub mod message;
mod refusal;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

pub use channel::Channel;
pub use cursor::Cursor;
pub use message::Message;
pub use refusal::Refusal;

/// What was decided: a past fact about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A channel was opened.
    ChannelOpened(channel::Definition),
    /// A channel takes no more messages.
    ChannelClosed {
        /// Why.
        reason: String,
    },
    /// A message was posted.
    MessagePosted {
        /// Where it belongs.
        heading: message::Heading,
        /// What it says.
        body: String,
        /// How the author signs.
        byline: String,
    },
    /// A message was given another body.
    MessageEdited {
        /// What it says now.
        body: String,
    },
    /// A message was taken back.
    MessageWithdrawn {
        /// Where it belonged.
        heading: message::Heading,
        /// When it was posted.
        posted_at: OffsetDateTime,
        /// How many events made the message, this one included.
        version: i64,
    },
    /// Somebody has read a channel so far.
    ReadPositionMoved {
        /// The channel.
        channel: chassis::names::Reference,
        /// Cursor of the last entry that was read.
        cursor: String,
    },
}
