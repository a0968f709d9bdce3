//! The bytes that cross the border: chains, digests, seals. Everything here is a pure function; what is wrong with
//! bytes from another node gets a name.

use bytes::Bytes;
use chassis::event::{Event, EventError};
use chassis::identity;
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::{Entry, EntryBody, EntryHeader, Frame, Seal};
use sha2::{Digest, Sha256};

/// The version of the wire format that this node writes, and the only one it reads.
pub const FORMAT: u32 = 1;
/// The largest frame: what fits the hub's message limit with room for the acceptance around it.
pub const FRAME_BYTES: usize = 192 * 1024;
/// The largest event that fits a frame with its header.
pub const EVENT_BYTES: usize = chassis::ledger::MAX_EVENT_BYTES;
/// What a chain starts from.
pub const GENESIS: [u8; 32] = [0; 32];
/// What a seal signs before the head of the chain: a signature made for another purpose is never a seal.
pub const SEAL_CONTEXT: &[u8] = b"commonweal-seal-1";

/// A SHA-256 digest.
pub type Head = [u8; 32];

/// What is wrong with a frame. It says nothing about the feed: the same entries may come again, in order.
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
    /// No entries in it.
    #[error("it holds no entries")]
    Empty,
    /// Entries of more than one feed.
    #[error("it mixes entries of several feeds")]
    MixedFeeds,
    /// Sequences or digests do not follow one another.
    #[error("entry {0} does not follow the one before it")]
    BrokenChain(u64),
    /// The seal is not over the last entry.
    #[error("the seal is not over the last entry")]
    WrongHead,
    /// The seal was made with a key that is not its origin's.
    #[error("the seal was made with a key that does not belong to {0}")]
    ForeignKey(NodeId),
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
            Self::Empty => "EMPTY",
            Self::MixedFeeds => "MIXED_FEEDS",
            Self::BrokenChain(_) => "BROKEN_CHAIN",
            Self::WrongHead => "WRONG_HEAD",
            Self::ForeignKey(_) => "FOREIGN_KEY",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::WrongBody(_) => "WRONG_BODY",
        }
    }
}

/// Which chain an entry belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName {
    /// The space.
    pub space: Space,
    /// The node that writes it.
    pub origin: NodeId,
    /// Which run of it.
    pub epoch: u32,
}

/// An entry whose header was read.
#[derive(Clone, Debug)]
pub struct Link {
    /// Place in the feed.
    pub sequence: u64,
    /// Type of the event, as the header has it.
    pub event_type: String,
    /// The header's bytes.
    pub header: Bytes,
    /// Its digest.
    pub digest: Head,
    /// The body, where it came along.
    pub body: Option<EntryBody>,
}

/// A frame whose headers were read and follow one another; its seal is not yet checked.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The feed.
    pub feed: FeedName,
    /// Digest before the first entry, as the first header claims it.
    pub previous: Head,
    /// The entries; never empty.
    pub links: Vec<Link>,
    /// The origin's seal over the last.
    pub seal: Seal,
}

/// SHA-256.
pub fn digest(bytes: &[u8]) -> Head {
    Sha256::digest(bytes).into()
}

/// The digest that stands in a header for a body.
pub fn body_digest(body: &EntryBody) -> Head {
    let mut whole = Sha256::new();
    whole.update(&body.salt);
    whole.update(&body.event);
    whole.finalize().into()
}

/// Makes the entry of an event: the next of its feed.
pub fn entry(feed: &FeedName, sequence: u64, previous: &Head, event: &Event, bytes: Bytes, salt: [u8; 16]) -> Link {
    let body = EntryBody { event: bytes, salt: Bytes::copy_from_slice(&salt) };
    let header = EntryHeader {
        format: FORMAT,
        initiative: feed.space.initiative().map(ToString::to_string).unwrap_or_default(),
        space: within(&feed.space),
        origin: feed.origin.to_string(),
        epoch: feed.epoch,
        sequence,
        event_type: event.type_name.clone(),
        previous: Bytes::copy_from_slice(previous),
        body_digest: Bytes::copy_from_slice(&body_digest(&body)),
        key_id: String::new(),
    };
    let header = Bytes::from(header.encode_to_vec());
    let digest = digest(&header);
    Link { sequence, event_type: event.type_name.clone(), header, digest, body: Some(body) }
}

/// A space within its initiative, as headers write it.
pub fn within(space: &Space) -> String {
    match space {
        Space::Local => "local".to_owned(),
        Space::Of(_, within) => within.to_string(),
    }
}

/// Seals a head.
pub fn seal(keys: &identity::NodeKeys, head: &Head) -> Seal {
    Seal {
        head: Bytes::copy_from_slice(head),
        key: Bytes::copy_from_slice(&keys.public()),
        signature: Bytes::copy_from_slice(&keys.sign(&sealed(head))),
    }
}

/// Checks a seal against a head and the keys that may have made it.
///
/// # Errors
/// Where the head is another, the key is not one of these, or the signature is wrong.
pub fn check_seal(seal: &Seal, head: &Head, node: &NodeId, keys: &[Head]) -> Result<(), WireError> {
    if seal.head.as_ref() != head {
        return Err(WireError::WrongHead);
    }
    let key = keys.iter().find(|key| seal.key.as_ref() == key.as_slice());
    let key = key.ok_or_else(|| WireError::ForeignKey(node.clone()))?;
    let verified = identity::verify(key, &sealed(head), &seal.signature);
    verified.map_err(|_| WireError::BadSignature)
}

fn sealed(head: &Head) -> Vec<u8> {
    [SEAL_CONTEXT, head].concat()
}

/// The message of a frame.
pub fn frame(links: &[Link], seal: Seal) -> Frame {
    let entries = links.iter().map(|link| Entry { header: link.header.clone(), body: link.body.clone() });
    Frame { entries: entries.collect(), seal: Some(seal) }
}

/// How many bytes an entry takes in a frame, a little rounded up.
pub fn weight(link: &Link) -> usize {
    let body = link.body.as_ref().map_or(0, |body| body.event.len() + body.salt.len());
    link.header.len() + body + 32
}

/// Reads a frame: every header in its written form, all of one feed, each following the one before, every body that
/// came along the one its header names. What the seal is worth, [`check_seal`] tells.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(frame: &Frame) -> Result<Chain, WireError> {
    let size = frame.encoded_len();
    if size > FRAME_BYTES {
        return Err(WireError::Oversize(size));
    }
    let mut links = Vec::with_capacity(frame.entries.len());
    let mut start: Option<(FeedName, Head)> = None;
    for entry in &frame.entries {
        let (feed, previous, link) = read_entry(entry)?;
        match (&start, links.last()) {
            (None, _) => start = Some((feed, previous)),
            (Some((first, _)), _) if *first != feed => return Err(WireError::MixedFeeds),
            (_, Some(before)) => follows(before, &link, &previous)?,
            _ => {}
        }
        links.push(link);
    }
    let (feed, previous) = start.ok_or(WireError::Empty)?;
    let seal = frame.seal.clone().ok_or(WireError::Malformed)?;
    Ok(Chain { feed, previous, links, seal })
}

fn follows(before: &Link, link: &Link, previous: &Head) -> Result<(), WireError> {
    let next = before.sequence.checked_add(1) == Some(link.sequence) && before.digest == *previous;
    if next { Ok(()) } else { Err(WireError::BrokenChain(link.sequence)) }
}

fn read_entry(entry: &Entry) -> Result<(FeedName, Head, Link), WireError> {
    let header = EntryHeader::decode(entry.header.clone()).map_err(|_| WireError::Malformed)?;
    if header.format != FORMAT {
        return Err(WireError::OtherFormat(header.format));
    }
    let space = Space::within(&header.initiative, &header.space).map_err(|_| WireError::Malformed)?;
    let origin = header.origin.parse().map_err(|_| WireError::Malformed)?;
    let previous = head(&header.previous).ok_or(WireError::Malformed)?;
    // From 1, and within what Postgres counts.
    if header.sequence == 0 || header.epoch == 0 || i64::try_from(header.sequence).is_err() || header.epoch > 1_000_000
    {
        return Err(WireError::Malformed);
    }
    if let Some(body) = &entry.body
        && body_digest(body) != header.body_digest.as_ref()
    {
        return Err(WireError::WrongBody(header.sequence));
    }
    let link = Link {
        sequence: header.sequence,
        event_type: header.event_type,
        header: entry.header.clone(),
        digest: digest(&entry.header),
        body: entry.body.clone(),
    };
    Ok((FeedName { space, origin, epoch: header.epoch }, previous, link))
}

/// A digest or key of 32 bytes; `None` where there are more or fewer.
pub fn head(bytes: &[u8]) -> Option<Head> {
    bytes.try_into().ok()
}

/// The event in a body.
///
/// # Errors
/// Where it is none.
pub fn event(body: &EntryBody) -> Result<Event, EventError> {
    Event::decode(&body.event)
}

impl Chain {
    /// First sequence.
    pub fn first(&self) -> u64 {
        self.links.first().map_or(0, |link| link.sequence)
    }

    /// Last sequence.
    pub fn last(&self) -> u64 {
        self.links.last().map_or(0, |link| link.sequence)
    }

    /// Digest of the last header.
    pub fn head(&self) -> Head {
        self.links.last().map_or(GENESIS, |link| link.digest)
    }

    /// Digest of the header with this sequence, if it is in the chain; of the one before the first, too.
    pub fn digest_at(&self, sequence: u64) -> Option<Head> {
        if sequence + 1 == self.first() {
            return Some(self.previous);
        }
        self.links.iter().find(|link| link.sequence == sequence).map(|link| link.digest)
    }

    /// Checks the origin's seal.
    ///
    /// # Errors
    /// See [`check_seal`].
    pub fn check(&self, keys: &[Head]) -> Result<(), WireError> {
        check_seal(&self.seal, &self.head(), &self.feed.origin, keys)
    }
}
