//! Words and rules of communication: who may open, post, edit and take back. Knows no database and no wire.

pub mod calendar;
pub mod channel;
pub mod cursor;
pub mod meeting;
pub mod message;
pub mod practice_card;
mod refusal;
#[cfg(test)]
mod tests;

use chassis::names::Reference;
use time::OffsetDateTime;

pub use channel::Channel;
pub use cursor::Cursor;
pub use meeting::Meeting;
pub use message::Message;
pub use practice_card::PracticeCard;
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
    /// A meeting was called.
    MeetingScheduled(meeting::Definition),
    /// A meeting's definition changed to this.
    MeetingRevised(meeting::Definition),
    /// Somebody wrote down what came of a meeting.
    MinutesRecorded {
        /// The whole minutes.
        minutes: String,
    },
    /// A meeting does not take place.
    MeetingCancelled {
        /// Why.
        reason: String,
    },
    /// A practice card was published.
    PracticeCardPublished {
        /// Who publishes it.
        organization: Reference,
        /// What it says.
        said: practice_card::Said,
    },
    /// A practice card was changed.
    PracticeCardRevised {
        /// Who publishes it.
        organization: Reference,
        /// What it says now.
        said: practice_card::Said,
    },
    /// A practice card was taken back.
    PracticeCardRetracted {
        /// Who had published it.
        organization: Reference,
        /// Why.
        reason: String,
        /// When it was published.
        published_at: OffsetDateTime,
        /// How many events made the card, this one included.
        version: i64,
    },
    /// Somebody has read a channel so far.
    ReadPositionMoved {
        /// The channel.
        channel: Reference,
        /// Cursor of the last entry that was read.
        cursor: String,
    },
}
