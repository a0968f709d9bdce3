//! Making and reading one step of a space's order.

use bytes::Bytes;
use chassis::event::{instant, timestamp};
use chassis::names::Space;
use prost::Message;
use proto::federation::{Acceptance, Refusal};
use time::OffsetDateTime;

use super::reading::counts;
use super::{Chain, FORMAT, FRAME_ENTRIES, FeedName, Head, REASON_BYTES, WireError, digest, head, within};

/// The longest code of a refusal.
const CODE_BYTES: usize = 32;

/// One step of a space's order: an acceptance that was made here or read.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it says.
    pub acceptance: Acceptance,
    /// The same, byte for byte as the backbone made it.
    pub bytes: Bytes,
    /// SHA-256 of the bytes.
    pub digest: Head,
    /// Which feed it is about.
    pub feed: FeedName,
    /// When it was made.
    pub at: OffsetDateTime,
}

/// Makes the step that gives a chain its place. `refused` are sequence, code and reason, in order.
pub fn accept(
    chain: &Chain,
    position: u64,
    previous: &Head,
    governance_position: u64,
    at: OffsetDateTime,
    refused: impl Iterator<Item = (u64, &'static str, String)>,
) -> Step {
    let feed = &chain.feed;
    let acceptance = Acceptance {
        format: FORMAT,
        initiative: feed.space.initiative().map(ToString::to_string).unwrap_or_default(),
        space: within(&feed.space),
        position,
        origin: feed.origin.to_string(),
        epoch: feed.epoch,
        from: chain.first(),
        to: chain.last(),
        head: Bytes::copy_from_slice(&chain.head()),
        governance_position,
        accepted_at: Some(timestamp(at)),
        refused: refused.map(|(sequence, code, reason)| refusal(sequence, code, reason)).collect(),
        previous: Bytes::copy_from_slice(previous),
    };
    let bytes = Bytes::from(acceptance.encode_to_vec());
    Step { digest: digest(&bytes), feed: feed.clone(), at, acceptance, bytes }
}

fn refusal(sequence: u64, code: &str, reason: String) -> Refusal {
    let mut reason = reason.replace(char::is_control, " ");
    reason.truncate(reason.floor_char_boundary(REASON_BYTES));
    Refusal { sequence, code: code.to_owned(), reason }
}

/// Reads a step: every part of it in its written form, the refusals in order and within what it covers. What its seal
/// is worth, [`super::check_seal`] tells.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_step(bytes: &Bytes) -> Result<Step, WireError> {
    let acceptance = Acceptance::decode(bytes.clone()).map_err(|_| WireError::Malformed)?;
    if acceptance.format != FORMAT {
        return Err(WireError::OtherFormat(acceptance.format));
    }
    let space = Space::within(&acceptance.initiative, &acceptance.space).map_err(|_| WireError::Malformed)?;
    let origin = acceptance.origin.parse().map_err(|_| WireError::Malformed)?;
    let at = acceptance.accepted_at.as_ref().and_then(instant).ok_or(WireError::Malformed)?;
    if !in_form(&acceptance) || at < OffsetDateTime::UNIX_EPOCH {
        return Err(WireError::Malformed);
    }
    let feed = FeedName { space, origin, epoch: acceptance.epoch };
    Ok(Step { digest: digest(bytes), bytes: bytes.clone(), feed, at, acceptance })
}

fn in_form(acceptance: &Acceptance) -> bool {
    let (from, to) = (acceptance.from, acceptance.to);
    let covers = from <= to && to - from < u64::from(FRAME_ENTRIES);
    let mut before = 0;
    let in_order = acceptance.refused.iter().all(|refused| {
        let next = refused.sequence > before && (from..=to).contains(&refused.sequence);
        before = refused.sequence;
        next && is_line(&refused.code, CODE_BYTES) && is_line(&refused.reason, REASON_BYTES)
    });
    let numbers = counts(from, acceptance.epoch)
        && counts(to, acceptance.epoch)
        && counts(acceptance.position, acceptance.epoch)
        && i64::try_from(acceptance.governance_position).is_ok();
    let digests = head(&acceptance.head).is_some() && head(&acceptance.previous).is_some();
    numbers && covers && in_order && digests
}

fn is_line(text: &str, bytes: usize) -> bool {
    text.len() <= bytes && !text.contains(char::is_control)
}
