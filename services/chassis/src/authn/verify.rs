//! From a token to a caller, or to words on what is wrong with it. The token itself is in none of them.

use http::HeaderValue;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;
use tonic::Status;

use super::Caller;
use super::keys::{KeySource, Keys, KeysError};
use super::local::LocalIssuer;
use crate::names::Reference;
use crate::{clock, errors};

/// What is taken; never `none`, never a shared secret.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256];
/// Clocks of issuer and node may differ by so many seconds.
const LEEWAY: f64 = 60.0;
const LONGEST_TOKEN: usize = 16 * 1024;
const LONGEST_SUBJECT: usize = 256;
const MOST_REMEMBERED: usize = 4096;
/// What was verified is believed for so many seconds.
const REMEMBERED_SECONDS: i64 = 60;

/// Why a call has no caller.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// There is none.
    #[error("this call needs a token: send it as `authorization: Bearer <token>`")]
    Missing,
    /// It is not a bearer token, or no JWT.
    #[error("the token is not a signed JWT sent as `authorization: Bearer <token>`")]
    Malformed,
    /// It is signed in a way that is not taken.
    #[error("the token is signed in a way that is not taken here: EdDSA, ES256 and RS256 are")]
    Algorithm,
    /// Its key is not one of the issuer's.
    #[error("the token is signed with a key that issuer {0} does not have")]
    UnknownKey(String),
    /// Somebody changed it, or signed it with another key.
    #[error("the token's signature does not hold")]
    Signature,
    /// It is of another issuer.
    #[error("the token is of another issuer; {0} is the one that counts here")]
    Issuer(String),
    /// It is meant for another service.
    #[error("the token is meant for another audience; it has to name {0}")]
    Audience(String),
    /// Its time is over.
    #[error("the token expired at {0}")]
    Expired(OffsetDateTime),
    /// Its time is to come.
    #[error("the token does not count before {0}")]
    NotYet(OffsetDateTime),
    /// A claim is missing or malformed.
    #[error("the token's claim \"{claim}\" {wrong}")]
    Claim {
        /// Which.
        claim: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// The issuer's keys cannot be had now.
    #[error("tokens cannot be checked now: {0}")]
    Keys(#[from] KeysError),
}

impl Denied {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::UnknownKey(_) => "TOKEN_KEY",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Issuer(_) => "TOKEN_ISSUER",
            Self::Audience(_) => "TOKEN_AUDIENCE",
            Self::Expired(_) => "TOKEN_EXPIRED",
            Self::NotYet(_) => "TOKEN_NOT_YET",
            Self::Claim { .. } => "TOKEN_CLAIM",
            Self::Keys(_) => "ISSUER_AWAY",
        }
    }
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Keys(error) => {
                tracing::warn!(%error, "tokens cannot be checked");
                errors::unavailable("the issuer's keys cannot be read now: try again")
            }
            denied => errors::unauthenticated(denied.reason(), denied.to_string()),
        }
    }
}

/// Whose tokens count, and how they are read.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name: the `iss` of its tokens.
    pub name: String,
    /// This node's name there: the `aud` of tokens for it.
    pub audience: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// The claim that lists references of organizations.
    pub organizations_claim: String,
    /// The claim that is true for who operates this node.
    pub operator_claim: String,
}

/// Makes callers of tokens.
pub struct Authenticator {
    name: String,
    organizations_claim: String,
    operator_claim: String,
    audience: String,
    validation: Validation,
    keys: Keys,
    pseudonyms: ring::hmac::Key,
    /// Signatures are checked once a minute, not with every call: digest of the token, its caller, until when.
    remembered: Mutex<HashMap<[u8; 32], (Caller, i64)>>,
}

impl Authenticator {
    /// Takes the tokens of the node's own issuer. `secret` makes the pseudonyms; it must never change.
    pub fn local(issuer: &LocalIssuer, secret: &[u8; 32]) -> Self {
        let keys = Keys::local(issuer);
        Self::new(issuer.name(), LocalIssuer::AUDIENCE, ("organizations", "operator"), keys, secret)
    }

    /// Takes the tokens of another issuer.
    pub fn external(issuer: Issuer, secret: &[u8; 32]) -> Self {
        let claims = (issuer.organizations_claim.as_str(), issuer.operator_claim.as_str());
        Self::new(&issuer.name, &issuer.audience, claims, Keys::of(issuer.keys.clone()), secret)
    }

    fn new(name: &str, audience: &str, claims: (&str, &str), keys: Keys, secret: &[u8; 32]) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.algorithms = ALGORITHMS.to_vec();
        validation.set_issuer(&[name]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time is checked here, by the clock that the rest of the node goes by.
        validation.validate_exp = false;
        Self {
            name: name.to_owned(),
            audience: audience.to_owned(),
            organizations_claim: claims.0.to_owned(),
            operator_claim: claims.1.to_owned(),
            validation,
            keys,
            pseudonyms: ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret),
            remembered: Mutex::default(),
        }
    }

    /// The caller that an `authorization` header speaks for.
    ///
    /// # Errors
    /// Where there is no token, or it does not hold.
    pub async fn authenticate(&self, header: Option<&HeaderValue>) -> Result<Caller, Denied> {
        let header = header.ok_or(Denied::Missing)?.to_str().map_err(|_| Denied::Malformed)?;
        let (scheme, token) = header.split_once(' ').ok_or(Denied::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > LONGEST_TOKEN {
            return Err(Denied::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        let now = clock::now().unix_timestamp();
        if let Some(caller) = self.recall(&digest, now) {
            return Ok(caller);
        }
        let claims = self.claims(token.trim()).await?;
        let expires = in_time(&claims)?;
        let caller = self.caller(&claims)?;
        self.remember(digest, &caller, expires.min(now + REMEMBERED_SECONDS), now);
        Ok(caller)
    }

    async fn claims(&self, token: &str) -> Result<Map<String, Value>, Denied> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| self.denied(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Denied::Algorithm);
        }
        let keys = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        let mut denied = Denied::UnknownKey(self.name.clone());
        for key in keys {
            match jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => denied = self.denied(&error),
            }
            if !matches!(denied, Denied::Signature) {
                break;
            }
        }
        Err(denied)
    }

    /// As if the last look at the issuer's keys were long ago.
    #[cfg(test)]
    pub(super) async fn forget_asking(&self) {
        self.keys.forget_asking().await;
    }

    fn denied(&self, error: &jsonwebtoken::errors::Error) -> Denied {
        match error.kind() {
            ErrorKind::InvalidSignature => Denied::Signature,
            ErrorKind::InvalidIssuer => Denied::Issuer(self.name.clone()),
            ErrorKind::InvalidAudience => Denied::Audience(self.audience.clone()),
            ErrorKind::MissingRequiredClaim(claim) => Denied::Claim { claim: claim.clone(), wrong: "is missing" },
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
                Denied::Algorithm
            }
            _ => Denied::Malformed,
        }
    }

    fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Denied> {
        let claim = |claim: &str, wrong| Denied::Claim { claim: claim.to_owned(), wrong };
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(claim("sub", "must have 1 to 256 characters"));
        }
        let organizations = organizations(claims.get(&self.organizations_claim))
            .ok_or_else(|| claim(&self.organizations_claim, "must be a list of references: <node id>/<uuid>"))?;
        let operator = match claims.get(&self.operator_claim) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(operator)) => *operator,
            Some(_) => return Err(claim(&self.operator_claim, "must be true or false")),
        };
        let person = self.pseudonym(subject);
        Ok(Caller { subject: subject.to_owned(), organizations, operator, person })
    }

    fn pseudonym(&self, subject: &str) -> String {
        let tag = ring::hmac::sign(&self.pseudonyms, format!("{}|{subject}", self.name).as_bytes());
        let short = tag.as_ref().get(..20).unwrap_or(tag.as_ref());
        data_encoding::BASE32_NOPAD.encode(short).to_lowercase()
    }

    fn recall(&self, digest: &[u8; 32], now: i64) -> Option<Caller> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(digest).filter(|(_, until)| now < *until).map(|(caller, _)| caller.clone())
    }

    fn remember(&self, digest: [u8; 32], caller: &Caller, until: i64, now: i64) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(digest, (caller.clone(), until));
        }
    }
}

/// Checks `exp` and `nbf`; gives the second in which the token expires.
fn in_time(claims: &Map<String, Value>) -> Result<i64, Denied> {
    let wrong = |claim: &str| Denied::Claim { claim: claim.to_owned(), wrong: "must be seconds since 1970" };
    let seconds = |claim: &str| match claims.get(claim) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| wrong(claim)),
    };
    let now = clock::now().unix_timestamp() as f64;
    let instant = |seconds: f64| OffsetDateTime::from_unix_timestamp(seconds as i64);
    let expires = seconds("exp")?.ok_or_else(|| wrong("exp"))?;
    if expires + LEEWAY <= now {
        return Err(instant(expires).map_or_else(|_| wrong("exp"), Denied::Expired));
    }
    if let Some(begins) = seconds("nbf")?.filter(|begins| *begins > now + LEEWAY) {
        return Err(instant(begins).map_or_else(|_| wrong("nbf"), Denied::NotYet));
    }
    Ok(expires as i64)
}

/// The organizations a claim lists: a list of references, or one of them; none where the claim is missing.
fn organizations(claim: Option<&Value>) -> Option<Vec<Reference>> {
    match claim {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(one)) => Some(vec![one.parse().ok()?]),
        Some(Value::Array(several)) => several.iter().map(|one| one.as_str()?.parse().ok()).collect(),
        Some(_) => None,
    }
}
