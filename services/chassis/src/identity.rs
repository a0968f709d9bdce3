//! Who a node is: a chain of ed25519 keys, of which the first gives the node its id and each signs the next.

pub mod root;

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use proto::federation::NodeKey;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::names::NodeId;
use crate::strongbox::{self, BoxError};

/// What a key signs its successor over, before the successor's public key.
pub const SUCCESSION: &[u8] = b"commonweal-key-1";
/// The most keys in a chain: no node changes its key so often.
pub const MOST_KEYS: usize = 1000;
const FILE: &str = "node.key";

/// Why a key, a chain or a signature does not hold.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file of a key cannot be used.
    #[error(transparent)]
    File(#[from] BoxError),
    /// The operating system gives no randomness.
    #[error("no randomness to make a key from: {0}")]
    Randomness(String),
    /// Not 32 bytes that are a point of the curve, or 64 that are a signature.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The signature is not of this key over this message.
    #[error("the signature does not hold")]
    Signature,
    /// The chain does not begin with the key that gives the node its id.
    #[error("the first key is not the one that gives node {0} its id")]
    OtherNode(NodeId),
    /// A link of the chain does not hold.
    #[error("key {0} is not signed by the key before it")]
    Broken(usize),
    /// No key, or more than anybody has.
    #[error("a chain of {0} keys is none")]
    Length(usize),
    /// The appointment is of another root, or of a format this version does not know.
    #[error("the appointment is {0}")]
    Appointment(&'static str),
}

/// The keys of this node.
pub struct NodeKeys {
    current: SigningKey,
    chain: Vec<NodeKey>,
    id: NodeId,
    path: PathBuf,
}

/// As the file has it. Former secrets are not kept: they could only be stolen.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    secret: String,
    chain: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    public_key: String,
    #[serde(default)]
    signature: String,
}

impl NodeKeys {
    /// Makes the first key of a new node in its data directory.
    ///
    /// # Errors
    /// Where the node has keys already, or they cannot be written.
    pub fn create(data_dir: &Path) -> Result<Self, KeyError> {
        let current = fresh()?;
        let public_key = current.verifying_key().to_bytes();
        let chain = vec![NodeKey { public_key: public_key.to_vec().into(), signature: Default::default() }];
        let keys = Self { current, chain, id: NodeId::of_key(&public_key), path: data_dir.join(FILE) };
        strongbox::make(&keys.path, &keys.stored())?;
        Ok(keys)
    }

    /// The keys in a data directory; `None` where the node has none yet.
    ///
    /// # Errors
    /// Where the file cannot be read, or what it says does not hold.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, KeyError> {
        let path = data_dir.join(FILE);
        let Some(content) = strongbox::read(&path)? else { return Ok(None) };
        let malformed = || BoxError::Malformed { path: path.clone(), what: "a node's chain of keys" };
        let stored: Stored = serde_json::from_slice(&content).map_err(|_| malformed())?;
        let bytes = |text: &str| HEXLOWER.decode(text.as_bytes()).map_err(|_| malformed());
        let mut chain = Vec::with_capacity(stored.chain.len());
        for key in &stored.chain {
            chain
                .push(NodeKey { public_key: bytes(&key.public_key)?.into(), signature: bytes(&key.signature)?.into() });
        }
        let first = chain.first().and_then(|key| array(&key.public_key)).ok_or_else(malformed)?;
        let id = NodeId::of_key(&first);
        let publics = verify_chain(&id, &chain)?;
        let secret: [u8; 32] = bytes(&stored.secret)?.try_into().map_err(|_| malformed())?;
        let current = SigningKey::from_bytes(&secret);
        if publics.last() != Some(&current.verifying_key().to_bytes()) {
            return Err(malformed().into());
        }
        Ok(Some(Self { current, chain, id, path }))
    }

    /// The keys in a data directory, made where there are none.
    ///
    /// # Errors
    /// Where they can be neither read nor made.
    pub fn open(data_dir: &Path) -> Result<Self, KeyError> {
        match Self::load(data_dir)? {
            Some(keys) => Ok(keys),
            None => Self::create(data_dir),
        }
    }

    /// The node's id: that of its first key.
    pub fn id(&self) -> &NodeId {
        &self.id
    }

    /// Signs a message with the current key. What is signed begins with what it is for, as in "commonweal-seal-1".
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.current.sign(message).to_bytes()
    }

    /// The current public key.
    pub fn public(&self) -> [u8; 32] {
        self.current.verifying_key().to_bytes()
    }

    /// All keys, first to current.
    pub fn chain(&self) -> Vec<NodeKey> {
        self.chain.clone()
    }

    fn stored(&self) -> Vec<u8> {
        let chain = self.chain.iter().map(|key| StoredKey {
            public_key: HEXLOWER.encode(&key.public_key),
            signature: HEXLOWER.encode(&key.signature),
        });
        let stored = Stored { secret: HEXLOWER.encode(self.current.as_bytes()), chain: chain.collect() };
        // A struct of texts always has a JSON form.
        serde_json::to_vec_pretty(&stored).unwrap_or_default()
    }
}

/// Verifies that keys are a node's, first to current, and gives them as arrays.
///
/// # Errors
/// Where the chain does not begin with the node's first key, or a link does not hold.
pub fn verify_chain(node: &NodeId, keys: &[NodeKey]) -> Result<Vec<[u8; 32]>, KeyError> {
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(KeyError::Length(keys.len()));
    }
    let mut publics: Vec<[u8; 32]> = Vec::with_capacity(keys.len());
    for (number, key) in keys.iter().enumerate() {
        let public = array(&key.public_key).ok_or(KeyError::Malformed("a public key"))?;
        match publics.last() {
            None if NodeId::of_key(&public) != *node => return Err(KeyError::OtherNode(node.clone())),
            // One form only: a first key has no one to sign it.
            None if !key.signature.is_empty() => return Err(KeyError::Broken(1)),
            None => {}
            Some(before) => {
                verify(before, &succession(&public), &key.signature).map_err(|_| KeyError::Broken(number + 1))?
            }
        }
        publics.push(public);
    }
    Ok(publics)
}

/// Verifies a signature, strictly: no weak keys, no second form of the same signature.
///
/// # Errors
/// Where it does not hold.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Malformed("a public key"))?;
    let signature = Signature::from_slice(signature).map_err(|_| KeyError::Malformed("a signature"))?;
    key.verify_strict(message, &signature).map_err(|_| KeyError::Signature)
}

fn succession(public: &[u8; 32]) -> Vec<u8> {
    [SUCCESSION, public.as_slice()].concat()
}

fn fresh() -> Result<SigningKey, KeyError> {
    let secret = clock::random::<32>().map_err(|error| KeyError::Randomness(error.to_string()))?;
    Ok(SigningKey::from_bytes(&secret))
}

fn array(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new key, signed by the present one, takes its place in the file.
    fn succeed(keys: &mut NodeKeys) {
        let next = fresh().unwrap();
        let public_key = next.verifying_key().to_bytes();
        let signature = keys.sign(&succession(&public_key));
        keys.chain.push(NodeKey { public_key: public_key.to_vec().into(), signature: signature.to_vec().into() });
        keys.current = next;
        strongbox::replace(&keys.path, &keys.stored()).unwrap();
    }

    #[test]
    fn a_node_keeps_its_id_when_its_key_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = NodeKeys::create(folder.path()).unwrap();
        let (id, first) = (keys.id().clone(), keys.public());
        assert_eq!(NodeId::of_key(&first), id);
        succeed(&mut keys);
        succeed(&mut keys);
        let loaded = NodeKeys::load(folder.path()).unwrap().unwrap();
        assert_eq!((loaded.id(), loaded.public()), (&id, keys.public()));
        let publics = verify_chain(&id, &loaded.chain()).unwrap();
        assert_eq!((publics.len(), publics[0], publics[2]), (3, first, keys.public()));
        verify(&publics[2], b"message", &loaded.sign(b"message")).unwrap();
        assert!(verify(&publics[1], b"message", &loaded.sign(b"message")).is_err());
    }

    #[test]
    fn a_chain_with_a_foreign_link_does_not_hold() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut alpha = NodeKeys::create(one.path()).unwrap();
        let impostor = NodeKeys::create(two.path()).unwrap();
        succeed(&mut alpha);
        let chain = alpha.chain();
        assert!(matches!(verify_chain(impostor.id(), &chain), Err(KeyError::OtherNode(_))));
        assert!(matches!(verify_chain(alpha.id(), &[]), Err(KeyError::Length(0))));

        let mut grafted = chain.clone();
        grafted[1].public_key = impostor.public().to_vec().into();
        assert!(matches!(verify_chain(alpha.id(), &grafted), Err(KeyError::Broken(2))));

        let mut signed_by_itself = chain.clone();
        signed_by_itself[1].public_key = impostor.public().to_vec().into();
        signed_by_itself[1].signature = impostor.sign(&succession(&impostor.public())).to_vec().into();
        assert!(matches!(verify_chain(alpha.id(), &signed_by_itself), Err(KeyError::Broken(2))));

        let mut short = chain;
        short[1].public_key = vec![1; 31].into();
        assert!(matches!(verify_chain(alpha.id(), &short), Err(KeyError::Malformed(_))));
    }

    #[test]
    fn a_node_has_one_set_of_keys() {
        let folder = tempfile::tempdir().unwrap();
        let id = NodeKeys::open(folder.path()).unwrap().id().clone();
        assert!(NodeKeys::create(folder.path()).is_err());
        assert_eq!(NodeKeys::open(folder.path()).unwrap().id(), &id);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        strongbox::make(&folder.path().join(FILE), b"{}").unwrap();
        let error = NodeKeys::load(folder.path()).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with("node.key is not a node's chain of keys"), "{error}");
    }
}
