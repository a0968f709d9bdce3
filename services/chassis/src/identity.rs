//! Who a node is: a chain of ed25519 keys, of which the first gives the node its id and each signs the next.

pub mod root;
mod rotation;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use proto::federation::NodeKey;

use crate::clock;
use crate::names::NodeId;
use crate::strongbox::{self, BoxError};
use stored::Held;

/// What a key signs its successor over, before the successor's public key.
pub const SUCCESSION: &[u8] = b"commonweal-key-1";
/// The most keys in a chain: one a year for a generation. Two chains of them travel beside a step of an order to whoever
/// only follows it, and must fit one message with the largest frame.
pub const MOST_KEYS: usize = 30;
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
    /// A node changes its key only so often.
    #[error(
        "this node has had {MOST_KEYS} keys, the most that a node may have: make a new node, and invite it in this one's place"
    )]
    Spent,
    /// The file is not the later one of the keys that this process has.
    #[error("{0} holds other keys than this node runs with, and none that follow them: put the newest copy there")]
    OtherKeys(PathBuf),
    /// The appointment is of another root, or of a format this version does not know.
    #[error("the appointment is {0}")]
    Appointment(&'static str),
}

/// The keys of this node. They may change while it runs: see [`NodeKeys::follow`].
pub struct NodeKeys {
    id: NodeId,
    path: PathBuf,
    held: RwLock<Held>,
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
        let held = Held { current, former: Vec::new(), chain };
        let path = data_dir.join(FILE);
        strongbox::make(&path, &held.written())?;
        Ok(Self { id: NodeId::of_key(&public_key), path, held: RwLock::new(held) })
    }

    /// The keys in a data directory; `None` where the node has none yet.
    ///
    /// # Errors
    /// Where the file cannot be read, or what it says does not hold.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, KeyError> {
        let path = data_dir.join(FILE);
        let Some((id, held)) = Held::read(&path)? else { return Ok(None) };
        Ok(Some(Self { id, path, held: RwLock::new(held) }))
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
        self.with(|held| held.current.sign(message).to_bytes())
    }

    /// The current public key.
    pub fn public(&self) -> [u8; 32] {
        self.with(|held| held.current.verifying_key().to_bytes())
    }

    /// All keys, first to current.
    pub fn chain(&self) -> Vec<NodeKey> {
        self.with(|held| held.chain.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
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

    #[test]
    fn a_node_keeps_its_id_when_its_key_changes() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::create(folder.path()).unwrap();
        let (id, first) = (keys.id().clone(), keys.public());
        assert_eq!(NodeId::of_key(&first), id);
        NodeKeys::rotate(folder.path()).unwrap();
        let keys = NodeKeys::rotate(folder.path()).unwrap();
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
        NodeKeys::create(one.path()).unwrap();
        let impostor = NodeKeys::create(two.path()).unwrap();
        let alpha = NodeKeys::rotate(one.path()).unwrap();
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
