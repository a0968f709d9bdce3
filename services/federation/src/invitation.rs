//! The one line that a backbone hands to a newcomer, and what can be wrong with it.

use data_encoding::{BASE64URL_NOPAD, DecodeKind};
use prost::Message;
use proto::federation::Invitation;
use time::OffsetDateTime;

use crate::wire;

const PREFIX: &str = "commonweal1:";
const CHECK: usize = 4;

/// What mail and messengers put around a line or into it, and what harms nothing.
const QUOTES: &[char] =
    &['"', '\'', '`', '<', '>', '(', ')', '\u{ab}', '\u{bb}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];
/// Marks without a width, which look like nothing and stand between letters after some copying.
const UNSEEN: &[char] = &['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}'];
/// Nothing that is read as an invitation is longer.
const LONGEST: usize = 64 * 1024;

/// What is wrong with an invitation, in words for the one who holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Not an invitation at all.
    #[error("this is not an invitation: one begins with \"{PREFIX}\"")]
    NotOne,
    /// From another version.
    #[error("this invitation was made by another version of Commonweal: update this node, or ask for a new one")]
    OtherVersion,
    /// Some of it is missing.
    #[error("this invitation is cut short: copy the whole line, to its last letter")]
    CutShort,
    /// All of it is there, and not as it was made.
    #[error("this invitation was changed on the way: copy it once more, or ask for it on another way")]
    Changed,
    /// A letter in it that none has.
    #[error("no invitation has a {0:?} in it: copy the line once more, and nothing beside it")]
    Foreign(char),
    /// Too late.
    #[error("this invitation expired on {}: ask the backbone for a new one", day(.0))]
    Expired(OffsetDateTime),
}

/// A time as people read it, to the minute.
fn day(at: &OffsetDateTime) -> String {
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    format!("{date} {hour:02}:{minute:02} UTC")
}

/// Writes an invitation as one line.
pub fn write(invitation: &Invitation) -> String {
    let mut bytes = invitation.encode_to_vec();
    let check = wire::digest(&bytes);
    bytes.extend(check.iter().take(CHECK));
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
}

/// Reads the line, however it was wrapped or quoted on the way.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &str, now: OffsetDateTime) -> Result<Invitation, InvitationError> {
    if line.len() > LONGEST {
        return Err(InvitationError::NotOne);
    }
    let line: String = line.chars().filter(|letter| !letter.is_whitespace() && !UNSEEN.contains(letter)).collect();
    let line = line.trim_matches(QUOTES);
    let text = line.strip_prefix(PREFIX).ok_or_else(|| not_ours(line))?;
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|error| unreadable(text, error.kind))?;
    let (body, check) = bytes.split_at_checked(bytes.len().saturating_sub(CHECK)).ok_or(InvitationError::CutShort)?;
    let read = Invitation::decode(body);
    if wire::digest(body).get(..CHECK) != Some(check) {
        // Its fields stand in one order: where the last that all have is there, nothing is missing.
        let whole = read.is_ok_and(|invitation| invitation.expires_at.is_some());
        return Err(if whole { InvitationError::Changed } else { InvitationError::CutShort });
    }
    let invitation = read.map_err(|_| InvitationError::OtherVersion)?;
    let expires_at = invitation.expires_at.as_ref().and_then(chassis::event::instant);
    match expires_at {
        Some(expires_at) if expires_at > now => Ok(invitation),
        Some(expires_at) => Err(InvitationError::Expired(expires_at)),
        None => Err(InvitationError::OtherVersion),
    }
}

/// A line that does not begin as those of this version do.
fn not_ours(line: &str) -> InvitationError {
    let version = line.strip_prefix("commonweal").and_then(|rest| rest.split_once(':'));
    match version {
        Some((version, _)) if version.chars().all(|digit| digit.is_ascii_digit()) => InvitationError::OtherVersion,
        _ if !line.is_empty() && PREFIX.starts_with(line) => InvitationError::CutShort,
        _ => InvitationError::NotOne,
    }
}

/// Letters that are no bytes: some are missing at the end, or one is there that no invitation has.
fn unreadable(text: &str, kind: DecodeKind) -> InvitationError {
    let known = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match (kind, text.chars().find(|letter| !known(letter))) {
        (_, Some(foreign)) => InvitationError::Foreign(foreign),
        (DecodeKind::Symbol, None) => InvitationError::Changed,
        _ => InvitationError::CutShort,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::event::timestamp;
    use time::Duration;

    fn made(at: OffsetDateTime) -> String {
        let expires_at = Some(timestamp(at + Duration::hours(1)));
        write(&Invitation { hub: "tls://hub.example:4433".to_owned(), expires_at, ..Invitation::default() })
    }

    #[test]
    fn an_invitation_is_read_back_as_it_was_written() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(read(&made(now), now).unwrap().hub, "tls://hub.example:4433");
    }

    #[test]
    fn what_mail_and_messengers_do_to_an_invitation_is_forgiven() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let line = made(now);
        let wrapped: String = line
            .chars()
            .enumerate()
            .flat_map(|(nth, letter)| {
                let end = if nth % 20 == 19 { "\r\n  " } else { "" };
                std::iter::once(letter).chain(end.chars())
            })
            .collect();
        let unseen = line.replacen(':', ":\u{200b}\u{feff}", 1);
        for as_pasted in [
            format!(" {line}\n"),
            format!("\"{line}\""),
            format!("\u{201c}{line}\u{201d}"),
            format!("<{line}>"),
            format!("'{wrapped}'"),
            wrapped,
            unseen,
        ] {
            assert_eq!(read(&as_pasted, now).unwrap().hub, "tls://hub.example:4433", "{as_pasted:?}");
        }
    }

    #[test]
    fn a_broken_invitation_says_what_is_wrong_with_it() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let line = made(now);
        for other in ["hello", "", "commonwealth: a word", "https://example.org/commonweal1:abc"] {
            assert_eq!(read(other, now), Err(InvitationError::NotOne), "{other}");
        }
        assert_eq!(read(&"x".repeat(LONGEST + 1), now), Err(InvitationError::NotOne));
        assert_eq!(read(&line.replace("commonweal1", "commonweal2"), now), Err(InvitationError::OtherVersion));
        for cut in 1..line.len() {
            assert_eq!(read(&line[..cut], now), Err(InvitationError::CutShort), "cut at {cut}");
        }
        assert_eq!(read(&format!("{line}."), now), Err(InvitationError::Foreign('.')));
        assert_eq!(
            read(&line, now + Duration::hours(1)).unwrap_err().to_string(),
            "this invitation expired on 1970-01-01 01:00 UTC: ask the backbone for a new one"
        );
    }

    #[test]
    fn a_changed_letter_is_never_taken_and_nearly_always_called_changed() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let line = made(now);
        let mut changed = 0;
        for at in PREFIX.len()..line.len() {
            let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
            let broken = [&line[..at], other, &line[at + 1..]].concat();
            match read(&broken, now) {
                Err(InvitationError::Changed) => changed += 1,
                // A letter that says how long something is: then the rest seems to be missing.
                Err(InvitationError::CutShort) => {}
                unexpected => panic!("{at}: {unexpected:?}"),
            }
        }
        assert!(changed * 2 > line.len() - PREFIX.len(), "{changed}");
    }
}
