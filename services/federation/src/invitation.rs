//! The one line that a backbone hands to a newcomer, and what can be wrong with it.

use data_encoding::BASE64URL_NOPAD;
use prost::Message;
use proto::federation::Invitation;
use time::OffsetDateTime;

use crate::wire;

const PREFIX: &str = "commonweal1:";
const CHECK: usize = 4;

/// What is wrong with an invitation, in words for the one who holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Not an invitation at all.
    #[error("this is not an invitation: one begins with \"{PREFIX}\"")]
    NotOne,
    /// From another version.
    #[error("this invitation was made by another version of Commonweal: update this node, or ask for a new one")]
    OtherVersion,
    /// Some of it is missing or changed.
    #[error("this invitation is damaged: copy the whole line, without spaces or line breaks")]
    CutShort,
    /// Too late.
    #[error("this invitation expired on {0}: ask the backbone for a new one")]
    Expired(OffsetDateTime),
}

/// Writes an invitation as one line.
pub fn write(invitation: &Invitation) -> String {
    let mut bytes = invitation.encode_to_vec();
    let check = wire::digest(&bytes);
    bytes.extend(check.iter().take(CHECK));
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
}

/// Reads the line.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &str, now: OffsetDateTime) -> Result<Invitation, InvitationError> {
    let line = line.trim();
    let Some(text) = line.strip_prefix(PREFIX) else {
        let ours = line.starts_with("commonweal") && line.contains(':');
        return Err(if ours { InvitationError::OtherVersion } else { InvitationError::NotOne });
    };
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvitationError::CutShort)?;
    let (body, check) = bytes.split_at_checked(bytes.len().saturating_sub(CHECK)).ok_or(InvitationError::CutShort)?;
    if wire::digest(body).get(..CHECK) != Some(check) {
        return Err(InvitationError::CutShort);
    }
    let invitation = Invitation::decode(body).map_err(|_| InvitationError::OtherVersion)?;
    let expires_at = invitation.expires_at.as_ref().and_then(chassis::event::instant);
    match expires_at {
        Some(expires_at) if expires_at > now => Ok(invitation),
        Some(expires_at) => Err(InvitationError::Expired(expires_at)),
        None => Err(InvitationError::OtherVersion),
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
        assert_eq!(read(&format!(" {}\n", made(now)), now).unwrap().hub, "tls://hub.example:4433");
    }

    #[test]
    fn a_broken_invitation_says_what_is_wrong_with_it() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let line = made(now);
        let changed = line.replacen('a', "b", 1);
        assert_eq!(read("hello", now), Err(InvitationError::NotOne));
        assert_eq!(read(&line.replace("commonweal1", "commonweal2"), now), Err(InvitationError::OtherVersion));
        for cut in PREFIX.len()..line.len() {
            assert_eq!(read(&line[..cut], now), Err(InvitationError::CutShort), "cut at {cut}");
        }
        assert!(read(&changed, now).is_err());
        assert_eq!(
            read(&line, now + Duration::hours(1)).unwrap_err().to_string(),
            "this invitation expired on 1970-01-01 1:00:00.0 +00:00:00: ask the backbone for a new one"
        );
    }
}
