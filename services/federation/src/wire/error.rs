//! What can be wrong with bytes from another node.

use chassis::names::NodeId;

use super::{FORMAT, FRAME_BYTES, FRAME_ENTRIES};

/// What is wrong with a frame, a seal or an acceptance. It says nothing about the feed: the same entries may come
/// again, in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not the protobuf message it should be.
    #[error("the message is cut short or not in the wire format")]
    Malformed,
    /// Written by a version this node does not read.
    #[error("it is written in format {0}; this node reads format {FORMAT}: one of the two needs an upgrade")]
    OtherFormat(u32),
    /// Larger than a frame may be.
    #[error("it has {0} bytes; a frame has at most {FRAME_BYTES}")]
    Oversize(usize),
    /// More entries than a frame may have.
    #[error("it has more than {FRAME_ENTRIES} entries")]
    TooManyEntries,
    /// No entries in it.
    #[error("it holds no entries")]
    Empty,
    /// Entries of more than one feed.
    #[error("it mixes entries of several feeds")]
    MixedFeeds,
    /// A type that is no full name of a protobuf message, or far too long a one.
    #[error("entry {0} names a type that no event can have")]
    BadEventType(u64),
    /// Sequences or digests do not follow one another.
    #[error("entry {0} does not follow the one before it")]
    BrokenChain(u64),
    /// The seal is not over the last entry.
    #[error("the seal is not over the last entry")]
    WrongHead,
    /// The seal was made with a key that is not its origin's.
    #[error("the seal was made with a key that does not belong to {0}")]
    ForeignKey(NodeId),
    /// The seal was made with a key that its origin had given up by then.
    #[error("the seal was made with a former key of {0}, which had another one by then")]
    FormerKey(NodeId),
    /// The signature does not verify.
    #[error("the signature of the seal is wrong")]
    BadSignature,
    /// A body that is not the one the header names.
    #[error("the body of entry {0} is not the one its header names")]
    WrongBody(u64),
}

impl WireError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::OtherFormat(_) => "OTHER_FORMAT",
            Self::Oversize(_) => "OVERSIZE",
            Self::TooManyEntries => "TOO_MANY_ENTRIES",
            Self::Empty => "EMPTY",
            Self::MixedFeeds => "MIXED_FEEDS",
            Self::BadEventType(_) => "BAD_EVENT_TYPE",
            Self::BrokenChain(_) => "BROKEN_CHAIN",
            Self::WrongHead => "WRONG_HEAD",
            Self::ForeignKey(_) => "FOREIGN_KEY",
            Self::FormerKey(_) => "FORMER_KEY",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::WrongBody(_) => "WRONG_BODY",
        }
    }
}
