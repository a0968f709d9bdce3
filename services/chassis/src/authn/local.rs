//! The issuer a node has of its own, where no other is configured: for one machine, a demo, and tests.

use std::path::Path;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Value, json};

use crate::clock;
use crate::names::{NodeId, Reference};
use crate::strongbox::{self, BoxError};

const FILE: &str = "issuer.key";
const KEY_ID: &str = "local";
/// What precedes the 32 secret bytes in the PKCS #8 form of an ed25519 key (RFC 8410).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why no token could be made.
#[derive(Debug, thiserror::Error)]
pub enum LocalIssuerError {
    /// The key's file cannot be used.
    #[error(transparent)]
    File(#[from] BoxError),
    /// The token could not be signed.
    #[error("cannot sign a token: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Signs tokens with a key in the data directory: whoever may read that file operates the node anyway.
pub struct LocalIssuer {
    key: SigningKey,
    name: String,
}

impl LocalIssuer {
    /// The audience of its tokens, and of any issuer's unless configured otherwise.
    pub const AUDIENCE: &'static str = "commonweal";

    /// The issuer of the node with this data directory; its key is made once.
    ///
    /// # Errors
    /// Where the key can be neither read nor made.
    pub fn open(data_dir: &Path, node: &NodeId) -> Result<Self, LocalIssuerError> {
        let key = SigningKey::from_bytes(&strongbox::secret(&data_dir.join(FILE))?);
        Ok(Self { key, name: format!("urn:commonweal:{node}") })
    }

    /// The name of the issuer in its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A token for a subject, which speaks for organizations and may operate the node.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn token(
        &self,
        subject: &str,
        organizations: &[Reference],
        operator: bool,
        lifetime: Duration,
    ) -> Result<String, LocalIssuerError> {
        let now = clock::now();
        let claims = json!({
            "iss": self.name,
            "aud": Self::AUDIENCE,
            "sub": subject,
            "iat": now.unix_timestamp(),
            "exp": (now + lifetime).unix_timestamp(),
            "organizations": organizations,
            "operator": operator,
        });
        self.sign(&claims)
    }

    /// Signs claims as they are.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, LocalIssuerError> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let der = [PKCS8.as_slice(), self.key.as_bytes()].concat();
        Ok(jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&der))?)
    }

    /// What verifies its tokens.
    pub(super) fn verifying_key(&self) -> (String, DecodingKey) {
        let public = self.key.verifying_key();
        (KEY_ID.to_owned(), DecodingKey::from_ed_der(public.as_bytes()))
    }

    /// Its public key, which everybody may have.
    #[cfg(test)]
    pub(super) fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}
