//! The issuer's public keys: fixed, from a file, or fetched; looked up again when a token names one that is unknown.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch;
use super::local::LocalIssuer;

/// Tokens with invented key ids must not make this node ask the issuer without end.
const NOT_SOONER_THAN: Duration = Duration::from_secs(30);
/// A key that the issuer withdraws stops counting after so long, and what is remembered of its tokens, at the latest.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file with a JSON Web Key Set.
    File(PathBuf),
    /// An http or https address of one.
    Url(String),
}

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("cannot read the issuer's keys from {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The address cannot be read.
    #[error("cannot fetch the issuer's keys from {url}: {reason}")]
    Fetch {
        /// Which address.
        url: String,
        /// Why.
        reason: String,
    },
    /// What was read is not a key set.
    #[error("{whence} is not a JSON Web Key Set: {source}")]
    Malformed {
        /// File or address.
        whence: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// None of its keys is of a kind that is taken.
    #[error("{0} holds no key for EdDSA (Ed25519), ES256 or RS256 signatures")]
    Empty(String),
}

/// One key that verifies.
#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

/// The keys known now.
pub(super) struct Keys {
    source: Option<KeySource>,
    known: RwLock<Arc<[Key]>>,
    asked: Mutex<Option<Instant>>,
}

impl Keys {
    /// The one key of a local issuer.
    pub(super) fn local(issuer: &LocalIssuer) -> Self {
        let (id, decoding) = issuer.verifying_key();
        let key = Key { id: Some(id), algorithm: Algorithm::EdDSA, decoding };
        Self { source: None, known: RwLock::new([key].into()), asked: Mutex::new(None) }
    }

    /// Keys that are read when the first token comes.
    pub(super) fn of(source: KeySource) -> Self {
        Self { source: Some(source), known: RwLock::new([].into()), asked: Mutex::new(None) }
    }

    /// The keys that may verify a token: the one it names, or all of its algorithm where it names none.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<DecodingKey>, KeysError> {
        if self.matching(id, algorithm).is_empty() {
            self.refresh(|| self.matching(id, algorithm).is_empty()).await?;
        } else if self.aged().await
            && let Err(error) = self.refresh(|| true).await
        {
            // What was known goes on counting while the issuer is away.
            tracing::warn!(%error, "issuer's keys not read again");
        }
        Ok(self.matching(id, algorithm))
    }

    /// Whether the keys were read so long ago that one of them may have been withdrawn meanwhile.
    async fn aged(&self) -> bool {
        self.source.is_some() && self.asked.lock().await.is_none_or(|at| at.elapsed() >= READ_AGAIN_AFTER)
    }

    #[cfg(test)]
    pub(super) async fn forget_asking(&self) {
        *self.asked.lock().await = None;
    }

    fn matching(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fits = |key: &&Key| {
            key.algorithm == algorithm && id.is_none_or(|id| key.id.as_deref().is_none_or(|known| known == id))
        };
        known.iter().filter(fits).map(|key| key.decoding.clone()).collect()
    }

    /// Reads the source again, one call at a time and not too often.
    async fn refresh(&self, still_wanted: impl Fn() -> bool) -> Result<(), KeysError> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut asked = self.asked.lock().await;
        if !still_wanted() || asked.is_some_and(|at| at.elapsed() < NOT_SOONER_THAN) {
            return Ok(());
        }
        let read = read(source).await?;
        // Only an answer counts: an issuer that was away is asked again with the next token.
        *asked = Some(Instant::now());
        tracing::info!(keys = read.len(), "issuer's keys read");
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = read.into();
        Ok(())
    }
}

async fn read(source: &KeySource) -> Result<Vec<Key>, KeysError> {
    let (whence, text) = match source {
        KeySource::File(path) => {
            let text = tokio::fs::read(path).await;
            (path.display().to_string(), text.map_err(|source| KeysError::File { path: path.clone(), source })?)
        }
        KeySource::Url(url) => {
            let text = fetch::get(url).await;
            (url.clone(), text.map_err(|reason| KeysError::Fetch { url: url.clone(), reason })?)
        }
    };
    let set: JwkSet =
        serde_json::from_slice(&text).map_err(|source| KeysError::Malformed { whence: whence.clone(), source })?;
    let keys: Vec<Key> = set.keys.iter().filter_map(key).collect();
    if keys.is_empty() { Err(KeysError::Empty(whence)) } else { Ok(keys) }
}

/// A key of a kind that is taken. Never a shared secret, whatever the set says.
fn key(jwk: &Jwk) -> Option<Key> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return None,
    };
    let named = jwk.common.key_algorithm;
    let agrees = match algorithm {
        Algorithm::EdDSA => matches!(named, None | Some(KeyAlgorithm::EdDSA)),
        Algorithm::ES256 => matches!(named, None | Some(KeyAlgorithm::ES256)),
        _ => matches!(named, None | Some(KeyAlgorithm::RS256)),
    };
    let decoding = DecodingKey::from_jwk(jwk).ok().filter(|_| agrees)?;
    Some(Key { id: jwk.common.key_id.clone(), algorithm, decoding })
}
