//! The seeds behind the hub: the operator's own, kept in one file, and those of each mailbox,
//! kept by the caller.

use std::fmt;
use std::path::Path;

use chassis::strongbox::{self, BoxError};
use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::claims;
use super::credentials::EnrolmentCredentials;
use super::error::{HubError, unusable};

/// The backbone's keys over the hub. Whoever holds them holds the hub.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubKeys {
    /// When they were made; tokens in the server's configuration bear this time, so that the
    /// configuration comes out the same at every start.
    #[serde(with = "time::serde::timestamp")]
    created_at: OffsetDateTime,
    operator: String,
    system_account: String,
    system_user: String,
    enrolment_account: String,
}

impl HubKeys {
    /// Reads the keys, or makes them when the file does not exist yet.
    pub fn load_or_create(path: &Path, now: OffsetDateTime) -> Result<Self, HubError> {
        if let Some(keys) = Self::load(path)? {
            return Ok(keys);
        }
        let keys = Self {
            // Whole seconds, as they come back from the file.
            created_at: now.replace_nanosecond(0).unwrap_or(now),
            operator: KeyPair::new_operator().seed()?,
            system_account: KeyPair::new_account().seed()?,
            system_user: KeyPair::new_user().seed()?,
            enrolment_account: KeyPair::new_account().seed()?,
        };
        let text = serde_json::to_vec_pretty(&keys).map_err(|error| unusable(path, &error))?;
        match strongbox::make(path, &text) {
            Ok(()) => Ok(keys),
            // Another process of this node was faster: its keys count.
            Err(BoxError::There(_)) => Self::load(path)?.ok_or_else(|| unusable(path, &"it comes and goes")),
            Err(error) => Err(error.into()),
        }
    }

    fn load(path: &Path) -> Result<Option<Self>, HubError> {
        let Some(text) = strongbox::read(path)? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| unusable(path, &error))
    }

    /// The operator, who signs accounts.
    pub(super) fn operator(&self) -> Result<KeyPair, HubError> {
        Ok(KeyPair::from_seed(&self.operator)?)
    }

    /// The account where invited parties knock.
    pub(super) fn enrolment_account(&self) -> Result<KeyPair, HubError> {
        Ok(KeyPair::from_seed(&self.enrolment_account)?)
    }

    /// Operator token and system account (public key, token) for the server's configuration.
    pub(super) fn for_config(&self) -> Result<(String, String, String), HubError> {
        let operator = self.operator()?;
        let system = KeyPair::from_seed(&self.system_account)?.public_key();
        Ok((
            claims::operator(&operator, &system, self.created_at)?,
            system.clone(),
            claims::system_account(&operator, &system, self.created_at)?,
        ))
    }

    /// Token and seed of the administrator.
    pub(super) fn admin_user(&self) -> Result<(String, String), HubError> {
        let account = KeyPair::from_seed(&self.system_account)?;
        let user = KeyPair::from_seed(&self.system_user)?;
        let token = claims::system_user(&account, &user.public_key(), self.created_at)?;
        Ok((token, self.system_user.clone()))
    }

    /// Credentials for the holder of one invitation, of no use after `expires_at`. They admit
    /// to the enrolment desk only; see [`super::enrol`]. Always the same for the same invitation.
    pub fn enrolment_credentials(
        &self,
        invitation: &str,
        expires_at: OffsetDateTime,
    ) -> Result<EnrolmentCredentials, HubError> {
        let user = KeyPair::new_from_raw(KeyPairType::User, self.derived("user", invitation)?)?;
        EnrolmentCredentials::new(&self.enrolment_account()?, user, invitation, expires_at, self.created_at)
    }

    /// The secret of one invitation.
    pub fn invitation_secret(&self, invitation: &str) -> Result<[u8; 32], HubError> {
        self.derived("secret", invitation)
    }

    /// Secret bytes that follow from these keys: made again where they are needed again, so that
    /// they need not be kept anywhere. Nothing else is ever signed that begins like this.
    fn derived(&self, purpose: &str, invitation: &str) -> Result<[u8; 32], HubError> {
        let text = format!("commonweal-invitation-{purpose}-1 {invitation}");
        Ok(Sha256::digest(self.enrolment_account()?.sign(text.as_bytes())?).into())
    }
}

impl fmt::Debug for HubKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubKeys").field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// The seeds of one node's mailbox, made by the backbone when it admits the node and kept by it:
/// with them the mailbox can be rebuilt on an empty hub.
#[derive(Clone, Serialize, Deserialize)]
pub struct MailboxKeys {
    /// The node's id, for server logs.
    pub node: String,
    /// Seed of the account; the backbone's own users are signed with it.
    pub account_seed: String,
    /// Seed of the key that signs the node's user. A node that is admitted anew after a
    /// revocation gets another.
    pub signing_seed: String,
}

impl MailboxKeys {
    /// New keys for a node.
    pub fn new(node: impl Into<String>) -> Result<Self, HubError> {
        Ok(Self {
            node: node.into(),
            account_seed: KeyPair::new_account().seed()?,
            signing_seed: KeyPair::new_account().seed()?,
        })
    }

    pub(super) fn account(&self) -> Result<KeyPair, HubError> {
        Ok(KeyPair::from_seed(&self.account_seed)?)
    }

    pub(super) fn signing(&self) -> Result<KeyPair, HubError> {
        Ok(KeyPair::from_seed(&self.signing_seed)?)
    }

    /// The token with which the holder of `user` (a public user key, `U...`) opens this mailbox
    /// as its node. It never expires; revoking is taking the signing key out of the account.
    pub fn node_token(&self, user: &str, now: OffsetDateTime) -> Result<String, HubError> {
        let key = KeyPair::from_public_key(user)?;
        if !user.starts_with('U') {
            return Err(HubError::Key(format!("{user} is not a user key")));
        }
        claims::node_user(&self.signing()?, &self.account()?.public_key(), &key.public_key(), now)
    }

    /// Token and seed of a fresh user of the backbone's in this mailbox.
    pub(super) fn backbone_user(&self, now: OffsetDateTime) -> Result<(String, String), HubError> {
        let user = KeyPair::new_user();
        Ok((claims::backbone_user(&self.account()?, &user.public_key(), now)?, user.seed()?))
    }
}

impl fmt::Debug for MailboxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailboxKeys").field("node", &self.node).finish_non_exhaustive()
    }
}

/// A new user key for a node's connection to the hub: (seed, public key).
pub fn new_user_seed() -> Result<(String, String), HubError> {
    let user = KeyPair::new_user();
    Ok((user.seed()?, user.public_key()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub/keys.json");
        let made = HubKeys::load_or_create(&path, OffsetDateTime::UNIX_EPOCH).unwrap();
        let later = OffsetDateTime::UNIX_EPOCH + time::Duration::DAY;
        let read = HubKeys::load_or_create(&path, later).unwrap();
        assert_eq!(made.for_config().unwrap(), read.for_config().unwrap());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn seeds_do_not_show_in_debug_output() {
        let keys = MailboxKeys::new("alpha").unwrap();
        let shown = format!("{keys:?}");
        assert!(!shown.contains(&keys.account_seed) && !shown.contains(&keys.signing_seed));
    }

    #[test]
    fn only_a_user_key_gets_a_node_token() {
        let keys = MailboxKeys::new("alpha").unwrap();
        let account = KeyPair::new_account().public_key();
        assert!(keys.node_token(&account, OffsetDateTime::UNIX_EPOCH).is_err());
        assert!(keys.node_token("nonsense", OffsetDateTime::UNIX_EPOCH).is_err());
    }
}
