//! Reading a frame.

use chassis::names::Space;
use prost::Message;
use proto::federation::entry_header::Run;
use proto::federation::{Entry, EntryHeader, Frame, Seal};

use super::{
    FORMAT, FRAME_BYTES, FRAME_ENTRIES, FeedName, GENESIS, Head, Link, SALT_BYTES, TYPE_BYTES, WireError, body_digest,
    check_current, check_seal, digest, head,
};

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
        if sequence.checked_add(1) == Some(self.first()) {
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

    /// Checks that the origin's seal was made with the last of the keys it had.
    ///
    /// # Errors
    /// See [`check_current`].
    pub fn check_current(&self, keys: &[Head]) -> Result<(), WireError> {
        check_current(&self.seal, &self.head(), &self.feed.origin, keys)
    }
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
    if frame.entries.len() > usize::from(FRAME_ENTRIES) {
        return Err(WireError::TooManyEntries);
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
    if !counts(header.sequence, header.epoch)
        || !precede(&header.erases, header.sequence)
        || !are_earlier(&header.erases_earlier, header.epoch)
    {
        return Err(WireError::Malformed);
    }
    if !is_type(&header.event_type) {
        return Err(WireError::BadEventType(header.sequence));
    }
    if let Some(body) = &entry.body
        && (body.salt.len() != SALT_BYTES || body_digest(body) != header.body_digest.as_ref())
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

/// From 1, and within what Postgres counts.
pub(super) fn counts(sequence: u64, epoch: u32) -> bool {
    sequence > 0 && epoch > 0 && i64::try_from(sequence).is_ok() && i32::try_from(epoch).is_ok()
}

/// Ascending, and all before an entry.
fn precede(erased: &[u64], sequence: u64) -> bool {
    let ascending = erased.iter().zip(erased.iter().skip(1)).all(|(one, next)| one < next);
    ascending && erased.first() != Some(&0) && erased.last().is_none_or(|last| *last < sequence)
}

/// Runs in ascending order, all before a run, each with entries in ascending order.
fn are_earlier(runs: &[Run], epoch: u32) -> bool {
    let ascending = runs.iter().zip(runs.iter().skip(1)).all(|(one, next)| one.epoch < next.epoch);
    let entries = |run: &Run| !run.sequences.is_empty() && precede(&run.sequences, i64::MAX.unsigned_abs());
    ascending && runs.iter().all(|run| run.epoch > 0 && run.epoch < epoch && entries(run))
}

/// Whether a text is the full name of a protobuf message. An unknown type is passed on to the rooms' broker, where it
/// becomes part of a subject and a header: nothing else may stand in it.
fn is_type(text: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    };
    text.len() <= TYPE_BYTES && text.contains('.') && text.split('.').all(word)
}

#[cfg(test)]
mod tests {
    use super::is_type;

    #[test]
    fn a_type_is_the_full_name_of_a_message_and_nothing_else() {
        for good in ["a.B", "commonweal.federation.v1.NodeEnded", "_x.y_2.Z"] {
            assert!(is_type(good), "{good}");
        }
        let long = format!("a.{}", "b".repeat(200));
        let bad =
            ["", "Said", ".Said", "a.", "a..B", "a.B c", "a.B\r\nPUB x 1\r\n", "a.*", "a.>", "a.2", "a.B\0", "a.É"];
        for bad in bad.into_iter().chain([long.as_str()]) {
            assert!(!is_type(bad), "{bad:?}");
        }
    }
}
