//! A node's keys as their file has them.

use std::path::Path;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use proto::federation::NodeKey;
use serde::{Deserialize, Serialize};

use super::{KeyError, array, verify_chain};
use crate::names::NodeId;
use crate::strongbox::{self, BoxError};

/// The chain with the secrets of its last keys.
pub(super) struct Held {
    pub(super) current: SigningKey,
    /// Those before it that are still needed, in the order of the chain: none but while a change is under way. Others
    /// are not kept, for they could only be stolen.
    pub(super) former: Vec<SigningKey>,
    pub(super) chain: Vec<NodeKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    secret: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<String>,
    chain: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    public_key: String,
    #[serde(default)]
    signature: String,
}

impl Held {
    /// Reads a file, and verifies what it says; `None` where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<(NodeId, Self)>, KeyError> {
        let Some(content) = strongbox::read(path)? else { return Ok(None) };
        let malformed = || BoxError::Malformed { path: path.to_owned(), what: "a node's chain of keys" };
        let stored: Stored = serde_json::from_slice(&content).map_err(|_| malformed())?;
        let bytes = |text: &str| HEXLOWER.decode(text.as_bytes()).map_err(|_| malformed());
        let secret = |text: &String| -> Result<SigningKey, BoxError> {
            let secret: [u8; 32] = bytes(text)?.try_into().map_err(|_| malformed())?;
            Ok(SigningKey::from_bytes(&secret))
        };
        let mut chain = Vec::with_capacity(stored.chain.len());
        for key in &stored.chain {
            chain
                .push(NodeKey { public_key: bytes(&key.public_key)?.into(), signature: bytes(&key.signature)?.into() });
        }
        let first = chain.first().and_then(|key| array(&key.public_key)).ok_or_else(malformed)?;
        let id = NodeId::of_key(&first);
        let publics = verify_chain(&id, &chain)?;
        let former = stored.former.iter().map(secret).collect::<Result<Vec<_>, _>>()?;
        let held = Self { current: secret(&stored.secret)?, former, chain };
        let secrets: Vec<[u8; 32]> = held.secrets().map(|secret| secret.verifying_key().to_bytes()).collect();
        if !publics.ends_with(&secrets) {
            return Err(malformed().into());
        }
        Ok(Some((id, held)))
    }

    /// Every secret there is, in the order of the chain.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SigningKey> {
        self.former.iter().chain([&self.current])
    }

    /// What the file is to say.
    pub(super) fn written(&self) -> Vec<u8> {
        let chain = self.chain.iter().map(|key| StoredKey {
            public_key: HEXLOWER.encode(&key.public_key),
            signature: HEXLOWER.encode(&key.signature),
        });
        let secret = |key: &SigningKey| HEXLOWER.encode(key.as_bytes());
        let former = self.former.iter().map(secret).collect();
        let stored = Stored { secret: secret(&self.current), former, chain: chain.collect() };
        // A struct of texts always has a JSON form.
        serde_json::to_vec_pretty(&stored).unwrap_or_default()
    }
}
