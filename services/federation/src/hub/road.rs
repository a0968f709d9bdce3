//! The state of the road between this process and the hub, as people and `status` see it.

use async_nats::{ClientError, Event, ServerError};

/// How a connection to the hub stands. It is restored without anyone's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Road {
    /// The first attempt is under way.
    Connecting,
    /// Messages flow.
    Connected,
    /// The hub answers and does not let us in; the reason is for people. It is tried again now and
    /// then, since a node may be admitted anew.
    Refused(String),
    /// The connection was lost or never came about; the reason is for people. Tried again.
    Disconnected(String),
}

impl Road {
    /// Whether messages flow.
    pub fn is_open(&self) -> bool {
        *self == Self::Connected
    }

    /// The road after an event of the connection, or `None` when it stays as it is.
    pub(super) fn after(&self, event: &Event) -> Option<Self> {
        match event {
            Event::Connected => Some(Self::Connected),
            // The reason was told just before, or the next attempt will tell it.
            Event::Disconnected if matches!(self, Self::Refused(_)) => None,
            Event::Disconnected => Some(Self::Disconnected("connection lost".into())),
            Event::Closed => Some(Self::Disconnected("closed".into())),
            Event::ServerError(ServerError::AuthorizationViolation) => Some(refused()),
            Event::ServerError(ServerError::Other(text)) => {
                is_about_authentication(text).then(|| Self::Refused(text.clone()))
            }
            Event::ClientError(ClientError::Other(text)) => {
                Some(if is_about_authentication(text) { refused() } else { Self::Disconnected(text.clone()) })
            }
            _ => None,
        }
    }
}

fn refused() -> Road {
    Road::Refused("revoked or not yet admitted".into())
}

/// A denied publish ("Permissions Violation") is about one subject, not about the connection.
fn is_about_authentication(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["authorization violation", "authentication", "revoked", "expired"].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stays_visible_when_the_socket_closes_behind_it() {
        let refused = Road::Connected.after(&Event::ServerError(ServerError::AuthorizationViolation)).unwrap();
        assert!(matches!(refused, Road::Refused(_)));
        assert_eq!(refused.after(&Event::Disconnected), None);
    }

    #[test]
    fn a_denied_subject_is_not_a_refusal() {
        let denied = "Permissions Violation for Publish to \"down.x\"".to_owned();
        assert_eq!(Road::Connected.after(&Event::ServerError(ServerError::Other(denied))), None);
    }
}
