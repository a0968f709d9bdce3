//! Cursors as callers hold them: opaque to them, and good for the list they came from only.

use chassis::errors::Violations;
use chassis::names::Reference;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::Cursor;
use crate::domain::cursor::MOST_PENDING;

const DIGEST_BYTES: usize = 8;

/// Reads a cursor of a channel, or of a thread in it; empty for the beginning.
pub fn read(
    violations: &mut Violations,
    field: &str,
    text: &str,
    channel: &Reference,
    thread: Option<&Reference>,
) -> Option<Cursor> {
    if text.is_empty() {
        return Some(Cursor::default());
    }
    let cursor = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| decode(&bytes, channel, thread));
    if cursor.is_none() {
        violations.add(field, "is not a cursor of this list");
    }
    cursor
}

fn decode(bytes: &[u8], channel: &Reference, thread: Option<&Reference>) -> Option<Cursor> {
    let bytes = bytes.strip_prefix(&digest(channel, thread))?;
    let (position, bytes) = bytes.split_first_chunk::<8>()?;
    let (event, pending) = bytes.split_first_chunk::<16>()?;
    let (pending, rest) = pending.as_chunks::<16>();
    let place = (i64::from_be_bytes(*position), Uuid::from_bytes(*event));
    let right = rest.is_empty() && pending.len() <= MOST_PENDING && place.0 >= 0;
    let pending = pending.iter().copied().map(Uuid::from_bytes).collect();
    right.then(|| Cursor { place: (place.0 > 0).then_some(place), pending })
}

/// A cursor as callers hold it.
pub fn write(cursor: &Cursor, channel: &Reference, thread: Option<&Reference>) -> String {
    let (position, event) = cursor.after();
    let mut bytes = digest(channel, thread).to_vec();
    bytes.extend(position.to_be_bytes());
    bytes.extend(event.as_bytes());
    bytes.extend(cursor.pending.iter().flat_map(|event| event.as_bytes()));
    BASE64URL_NOPAD.encode(&bytes)
}

/// What tells the list it came from from others.
fn digest(channel: &Reference, thread: Option<&Reference>) -> [u8; DIGEST_BYTES] {
    let list = format!("{channel} {}", thread.map(ToString::to_string).unwrap_or_default());
    let whole: [u8; 32] = Sha256::digest(list).into();
    let mut digest = [0; DIGEST_BYTES];
    digest.iter_mut().zip(whole).for_each(|(short, long)| *short = long);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::clock;
    use chassis::names::NodeId;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written_and_by_its_own_list_only() {
        let node = NodeId::of_key(&[7; 32]);
        let (channel, thread) = (Reference::born_on(&node), Reference::born_on(&node));
        for cursor in [
            Cursor::default(),
            Cursor { place: Some((7, clock::new_id())), pending: vec![clock::new_id(), clock::new_id()] },
        ] {
            let text = write(&cursor, &channel, Some(&thread));
            let read = |channel: &Reference, thread: Option<&Reference>, text: &str| {
                let mut violations = Violations::default();
                let cursor = read(&mut violations, "cursor", text, channel, thread);
                violations.is_empty().then_some(cursor).flatten()
            };
            assert_eq!(read(&channel, Some(&thread), &text), Some(cursor));
            assert_eq!(read(&channel, None, &text), None);
            assert_eq!(read(&thread, Some(&thread), &text), None);
            assert_eq!(read(&channel, Some(&thread), text.get(1..).unwrap()), None);
            assert_eq!(read(&channel, Some(&thread), "nonsense"), None);
        }
    }
}
