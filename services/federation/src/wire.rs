//! The bytes that cross the border: chains, digests, seals. Everything here is a pure function; what is wrong with
//! bytes from another node gets a name.

mod acceptance;
mod error;
mod reading;

use std::collections::BTreeMap;

use bytes::Bytes;
use chassis::event::{Event, EventError};
use chassis::identity;
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::entry_header::Run;
use proto::federation::{Entry, EntryBody, EntryHeader, Frame, Seal};
use sha2::{Digest, Sha256};

pub use acceptance::{Step, accept, read_step};
pub use error::WireError;
pub use reading::{Chain, read};

/// The version of the wire format that this node writes, and the only one it reads.
pub const FORMAT: u32 = 1;
/// The first run of a feed. Each later one starts when its node was restored.
pub const FIRST_EPOCH: u32 = 1;
/// The largest frame: what fits the hub's message limit with room for the acceptance around it.
pub const FRAME_BYTES: usize = 192 * 1024;
/// The most entries in a frame: were all of them refused, frame and acceptance still fit one message.
pub const FRAME_ENTRIES: u16 = 192;
/// The largest event that fits a frame with its header.
pub const EVENT_BYTES: usize = chassis::ledger::MAX_EVENT_BYTES;
/// The longest name of an event's type: it becomes part of a subject and of a header on every node's own broker.
pub const TYPE_BYTES: usize = 200;
/// The longest reason in a refusal; what is longer is cut.
pub const REASON_BYTES: usize = 256;
/// The most entries that one entry erases: with them its header fits a frame beside the largest event.
pub const ERASED_AT_MOST: u16 = 6000;
/// Bytes of a salt: were any number allowed, salt and event could trade bytes under the same digest.
pub const SALT_BYTES: usize = 16;
/// What a chain starts from.
pub const GENESIS: [u8; 32] = [0; 32];
/// What a seal signs before the head of the chain: a signature made for another purpose is never a seal.
pub const SEAL_CONTEXT: &[u8] = b"commonweal-seal-1";

/// The longest code of a refusal.
pub const CODE_BYTES: usize = 28;

/// Code and framing of a refusal around its reason, and everything else of a message around entries and refusals.
const REFUSAL_OVERHEAD: usize = CODE_BYTES + 20;
const MESSAGE_OVERHEAD: usize = 1024;
/// Public key and signature with their framing; two chains of them go to a follower.
const KEY_BYTES: usize = 102;
/// A sequence takes at most nine bytes; the seal and everything else around an entry is smaller than the rest.
const _: () = assert!(ERASED_AT_MOST as usize * 9 + EVENT_BYTES + 4096 <= FRAME_BYTES);
const _: () = assert!(
    FRAME_BYTES
        + FRAME_ENTRIES as usize * (REASON_BYTES + REFUSAL_OVERHEAD)
        + MESSAGE_OVERHEAD
        + 2 * identity::MOST_KEYS * KEY_BYTES
        <= crate::hub::MAX_MESSAGE_BYTES
);

/// A SHA-256 digest.
pub type Head = [u8; 32];

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
pub fn entry(
    feed: &FeedName,
    sequence: u64,
    previous: &Head,
    event: &Event,
    bytes: Bytes,
    salt: [u8; SALT_BYTES],
) -> Link {
    erasing_entry(feed, sequence, previous, event, bytes, salt, Runs::new())
}

/// Entries by the run of the feed in which they stand, in ascending order.
pub type Runs = BTreeMap<u32, Vec<u64>>;

/// The same for an event that erases these entries before it, in this run or an earlier one.
pub fn erasing_entry(
    feed: &FeedName,
    sequence: u64,
    previous: &Head,
    event: &Event,
    bytes: Bytes,
    salt: [u8; SALT_BYTES],
    mut erases: Runs,
) -> Link {
    let here = erases.remove(&feed.epoch).unwrap_or_default();
    let earlier = erases.into_iter().map(|(epoch, sequences)| Run { epoch, sequences }).collect();
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
        erases: here,
        erases_earlier: earlier,
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

/// Seals a head with a key of the node's chain; with the current one where that one's secret is not there any more.
pub fn seal_with(keys: &identity::NodeKeys, key: &Head, head: &Head) -> Seal {
    match keys.sign_with(key, &sealed(head)) {
        Some(signature) => Seal {
            head: Bytes::copy_from_slice(head),
            key: Bytes::copy_from_slice(key),
            signature: Bytes::copy_from_slice(&signature),
        },
        None => seal(keys, head),
    }
}

/// Checks a seal against a head and the keys that a node had, of which only the last may have made it.
///
/// # Errors
/// See [`check_seal`]; and where it was made with a former key.
pub fn check_current(seal: &Seal, head: &Head, node: &NodeId, keys: &[Head]) -> Result<(), WireError> {
    check_seal(seal, head, node, keys)?;
    match keys.last() {
        Some(current) if seal.key.as_ref() == current => Ok(()),
        _ => Err(WireError::FormerKey(node.clone())),
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

/// A digest or key of 32 bytes; `None` where there are more or fewer.
pub fn head(bytes: &[u8]) -> Option<Head> {
    bytes.try_into().ok()
}

/// Which entries of its feed, by run, a header, once read, says to erase.
pub fn erases(header: &[u8]) -> Runs {
    let Ok(header) = EntryHeader::decode(header) else { return Runs::new() };
    let mut erases: Runs = header.erases_earlier.into_iter().map(|run| (run.epoch, run.sequences)).collect();
    if !header.erases.is_empty() {
        erases.insert(header.epoch, header.erases);
    }
    erases
}

/// The event in a body.
///
/// # Errors
/// Where it is none.
pub fn event(body: &EntryBody) -> Result<Event, EventError> {
    Event::decode(&body.event)
}
