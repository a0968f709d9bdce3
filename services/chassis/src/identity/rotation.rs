//! How a node's key changes: the new one is signed by the one before it, and takes its place in the file. The secret of
//! the one before stays beside it until whoever must know of the change does.

use std::fs::File;
use std::path::Path;
use std::sync::PoisonError;

use ed25519_dalek::Signer;
use proto::federation::NodeKey;

use super::stored::Held;
use super::{BoxError, FILE, KeyError, MOST_KEYS, NodeKeys, fresh, strongbox, succession};

impl NodeKeys {
    /// Makes the next key of a node in its data directory, whether the node runs or not: a running one follows its file.
    ///
    /// # Errors
    /// Where the node has no keys yet, or has had as many as it may, or the file cannot be written.
    pub fn rotate(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(FILE);
        let alone = alone(data_dir)?;
        let missing = || BoxError::Malformed { path: path.clone(), what: "there yet: start the node once" };
        let (_, held) = Held::read(&path)?.ok_or_else(missing)?;
        let Held { current, mut former, mut chain } = held;
        if chain.len() >= MOST_KEYS {
            return Err(KeyError::Spent);
        }
        let next = fresh()?;
        let public_key = next.verifying_key().to_bytes();
        let signature = current.sign(&succession(&public_key)).to_bytes();
        chain.push(NodeKey { public_key: public_key.to_vec().into(), signature: signature.to_vec().into() });
        former.push(current);
        strongbox::replace(&path, &Held { current: next, former, chain }.written())?;
        drop(alone);
        Self::load(data_dir)?.ok_or_else(|| missing().into())
    }

    /// Takes over what stands in the file by now; whether that is another key.
    ///
    /// # Errors
    /// Where it cannot be read, or holds keys that do not follow on those of before.
    pub fn follow(&self) -> Result<bool, KeyError> {
        let (_, now) = Held::read(&self.path)?.ok_or_else(|| KeyError::OtherKeys(self.path.clone()))?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if !now.chain.starts_with(&held.chain) {
            return Err(KeyError::OtherKeys(self.path.clone()));
        }
        let changed = now.chain.len() > held.chain.len();
        *held = now;
        Ok(changed)
    }

    /// Whether the secrets of former keys are still there: a change of the key is under way.
    pub fn is_changing(&self) -> bool {
        self.with(|held| !held.former.is_empty())
    }

    /// Signs with a key of the chain; `None` where its secret is not there any more.
    pub fn sign_with(&self, public: &[u8; 32], message: &[u8]) -> Option<[u8; 64]> {
        self.with(|held| {
            let mut secrets = held.secrets();
            let secret = secrets.find(|secret| secret.verifying_key().as_bytes() == public)?;
            Some(secret.sign(message).to_bytes())
        })
    }

    /// Forgets the secrets of all keys but the current one, if that is still the one with which this process signs.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn forget_former(&self) -> Result<(), KeyError> {
        let _alone = alone(self.path.parent().unwrap_or(Path::new(".")))?;
        // Another key may have been made just now: then nothing is over yet.
        if self.follow()? || !self.is_changing() {
            return Ok(());
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let former = std::mem::take(&mut held.former);
        if let Err(error) = strongbox::replace(&self.path, &held.written()) {
            held.former = former;
            return Err(error.into());
        }
        Ok(())
    }
}

/// Two that write the file of a folder take turns: otherwise the key that one just made could be lost to the other.
fn alone(folder: &Path) -> Result<File, BoxError> {
    let lock = || {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(folder)
    };
    lock().map_err(|source| BoxError::Io { verb: "lock the folder", path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::verify;

    #[test]
    fn a_running_node_follows_its_file_and_forgets_the_former_key_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::create(folder.path()).unwrap();
        let first = keys.public();
        assert!(!keys.follow().unwrap() && !keys.is_changing());
        let next = NodeKeys::rotate(folder.path()).unwrap().public();
        assert_eq!(keys.public(), first, "it signs with the key it has until it follows");
        assert!(keys.follow().unwrap() && keys.is_changing());
        assert_eq!(keys.public(), next);
        verify(&first, b"message", &keys.sign_with(&first, b"message").unwrap()).unwrap();
        verify(&next, b"message", &keys.sign_with(&next, b"message").unwrap()).unwrap();

        keys.forget_former().unwrap();
        assert!(!keys.is_changing() && keys.sign_with(&first, b"message").is_none());
        let again = NodeKeys::load(folder.path()).unwrap().unwrap();
        assert_eq!((again.public(), again.is_changing()), (next, false));
        let file = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!file.contains("former"), "{file}");
    }

    #[test]
    fn a_key_that_is_made_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::create(folder.path()).unwrap();
        NodeKeys::rotate(folder.path()).unwrap();
        keys.follow().unwrap();
        let newest = NodeKeys::rotate(folder.path()).unwrap().public();
        keys.forget_former().unwrap();
        assert_eq!((keys.public(), keys.is_changing()), (newest, true));
        assert_eq!(NodeKeys::load(folder.path()).unwrap().unwrap().public(), newest);
    }

    #[test]
    fn a_node_goes_on_with_the_keys_it_has_when_its_file_holds_others() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = NodeKeys::create(here.path()).unwrap();
        let old = std::fs::read(here.path().join(FILE)).unwrap();
        NodeKeys::rotate(here.path()).unwrap();
        keys.follow().unwrap();
        NodeKeys::create(there.path()).unwrap();
        let foreign = std::fs::read(there.path().join(FILE)).unwrap();
        for other in [old, foreign] {
            strongbox::replace(&here.path().join(FILE), &other).unwrap();
            assert!(matches!(keys.follow(), Err(KeyError::OtherKeys(_))));
        }
        assert_eq!(keys.chain().len(), 2);
    }

    #[test]
    fn a_node_has_only_so_many_keys() {
        let folder = tempfile::tempdir().unwrap();
        NodeKeys::create(folder.path()).unwrap();
        for _ in 1..MOST_KEYS {
            NodeKeys::rotate(folder.path()).unwrap();
        }
        let spent = NodeKeys::rotate(folder.path()).map(|_| ()).unwrap_err();
        assert!(matches!(spent, KeyError::Spent), "{spent}");
        assert_eq!(NodeKeys::load(folder.path()).unwrap().unwrap().chain().len(), MOST_KEYS);
    }
}
