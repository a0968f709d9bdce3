//! What one needs to dial the hub: its address, the pinned authority, a token and its seed.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

use super::claims;
use super::error::HubError;

/// Where a hub listens: `tls://host:port`, or `wss://host[:port]` through a web proxy.
/// Unencrypted schemes are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubAddress(String);

impl HubAddress {
    /// The address as a URL, always with a port.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HubAddress {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = || HubError::Address(text.to_owned());
        let server: async_nats::ServerAddr = text.parse().map_err(|_| wrong())?;
        let plain = server.username().is_none() && server.password().is_none();
        if !plain || server.host().is_empty() {
            return Err(wrong());
        }
        let (_, authority) = text.split_once("://").ok_or_else(wrong)?;
        let authority = authority.split('/').next().unwrap_or_default();
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port != 0));
        match server.scheme() {
            "tls" | "wss" if has_port => Ok(Self(text.to_owned())),
            "wss" => Ok(Self(text.replacen(authority, &format!("{authority}:443"), 1))),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for HubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for HubAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HubAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the hub is and whose certificates to believe there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubReach {
    /// The hub's address.
    pub address: HubAddress,
    /// Certificate (DER) of the one authority believed; the system's are not asked.
    #[serde(with = "base64")]
    pub ca_der: Vec<u8>,
}

/// What a node keeps to open its mailbox.
#[derive(Clone, Serialize, Deserialize)]
pub struct NodeCredentials {
    /// The hub.
    pub hub: HubReach,
    /// The token the backbone gave; see [`super::MailboxKeys::node_token`].
    pub user_token: String,
    /// Seed of the node's user key, which never leaves the node.
    pub user_seed: String,
}

impl fmt::Debug for NodeCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeCredentials").field("hub", &self.hub.address).finish_non_exhaustive()
    }
}

/// What an invitation holds to knock at the enrolment desk.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolmentCredentials {
    /// The invitation they belong to.
    pub invitation: String,
    /// Token, of no use after the invitation has expired.
    pub user_token: String,
    /// Seed of the token's key. It is in the invitation, so whoever reads that can knock; to be
    /// let in takes what the backbone asks for besides.
    pub user_seed: String,
}

impl EnrolmentCredentials {
    pub(super) fn new(
        account: &KeyPair,
        user: KeyPair,
        invitation: &str,
        expires_at: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Self, HubError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=64).contains(&invitation.len()) || !invitation.chars().all(allowed) {
            return Err(HubError::InvitationId(invitation.to_owned()));
        }
        let public = user.public_key();
        Ok(Self {
            invitation: invitation.to_owned(),
            user_token: claims::enrolment_user(account, &public, invitation, expires_at, now)?,
            user_seed: user.seed()?,
        })
    }
}

impl fmt::Debug for EnrolmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentCredentials").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

mod base64 {
    use super::{BASE64URL_NOPAD, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_ones_with_a_port() {
        for good in ["tls://hub.example:7422", "wss://127.0.0.1:8443", "tls://[::1]:7422"] {
            assert_eq!(good.parse::<HubAddress>().unwrap().as_str(), good);
        }
        let default: HubAddress = "wss://hub.example/road".parse().unwrap();
        assert_eq!(default.as_str(), "wss://hub.example:443/road");
        let wrong = [
            "",
            "hub",
            "hub.example:1",
            "nats://hub.example:1",
            "ws://hub.example:1",
            "tls://hub.example",
            "tls://user:secret@hub.example:1",
            "tls://hub.example:0",
            "tls://:1",
            "https://hub.example",
        ];
        for text in wrong {
            assert!(text.parse::<HubAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_survive_json_and_hide_their_seed() {
        let credentials = NodeCredentials {
            hub: HubReach { address: "tls://h:1".parse().unwrap(), ca_der: vec![0, 255, 7] },
            user_token: "token".into(),
            user_seed: "SUSECRET".into(),
        };
        let json = serde_json::to_string(&credentials).unwrap();
        let back: NodeCredentials = serde_json::from_str(&json).unwrap();
        assert_eq!(back.hub, credentials.hub);
        assert!(!format!("{credentials:?}").contains("SUSECRET"));
    }

    #[test]
    fn an_invitation_id_cannot_widen_its_subject() {
        let account = KeyPair::new_account();
        let now = OffsetDateTime::UNIX_EPOCH;
        for id in ["", "a.b", "*", ">", "a b", &"x".repeat(65)] {
            assert!(EnrolmentCredentials::new(&account, KeyPair::new_user(), id, now, now).is_err(), "{id}");
        }
        assert!(EnrolmentCredentials::new(&account, KeyPair::new_user(), "0197-ab_C", now, now).is_ok());
    }
}
