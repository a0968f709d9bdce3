//! Why the rules say no, in words for the person who asked.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference};

/// A rule of communication says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only its home changes a resource.
    #[error("{what} lives on node {home}: it is changed there")]
    LivesElsewhere {
        /// What.
        what: &'static str,
        /// Its home.
        home: NodeId,
    },
    /// An organization that lives elsewhere writes there.
    #[error("organization {organization} lives on node {}: it writes there", .organization.node)]
    AuthorElsewhere {
        /// The organization.
        organization: Reference,
    },
    /// Announcements are the backbone's.
    #[error("announcements are made by the backbone's staff, on the backbone's node")]
    BackboneAnnounces,
    /// A closed channel.
    #[error("the channel {name} was closed ({reason}): it takes no more messages")]
    ChannelClosed {
        /// Its name.
        name: String,
        /// Why it was closed.
        reason: String,
    },
    /// Not the first message of a thread of this channel.
    #[error("{0} begins no thread in this channel: name the first message of the thread, which answers none itself")]
    NoThread(Reference),
    /// What does not hold together, field by field.
    #[error("what was asked does not hold together")]
    Flawed(Vec<Flaw>),
    /// A cancelled meeting.
    #[error("the meeting was cancelled ({reason}): call another")]
    MeetingCancelled {
        /// Why.
        reason: String,
    },
    /// Taken back, or void.
    #[error("it was taken back or is void: there is nothing to change")]
    DoesNotStand,
}
