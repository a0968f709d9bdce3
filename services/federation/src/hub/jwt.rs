//! Tokens in the form NATS believes: JWTs signed with nkeys, minted and read.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::KeyPair;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512_256};
use time::OffsetDateTime;

use super::error::HubError;

/// What a token says, before it is signed.
#[derive(Debug, Clone)]
pub struct Claims<'a> {
    /// A name for people who read server logs.
    pub name: &'a str,
    /// Public key the token is about.
    pub subject: &'a str,
    /// When it was made.
    pub issued_at: OffsetDateTime,
    /// From when on the server refuses it; `None` for never.
    pub expires_at: Option<OffsetDateTime>,
    /// The part that is NATS's own: type, limits, permissions.
    pub nats: Value,
}

/// Signs the claims with the issuer's key. The same claims and key give the same token.
pub fn mint(claims: &Claims<'_>, issuer: &KeyPair) -> Result<String, HubError> {
    let mut body = Map::new();
    body.insert("iat".into(), json!(claims.issued_at.unix_timestamp()));
    if let Some(expires_at) = claims.expires_at {
        body.insert("exp".into(), json!(expires_at.unix_timestamp()));
    }
    body.insert("iss".into(), json!(issuer.public_key()));
    body.insert("name".into(), json!(claims.name));
    body.insert("sub".into(), json!(claims.subject));
    body.insert("nats".into(), claims.nats.clone());
    // The server wants an id and every signer derives it like this, from the claims without one.
    let digest = Sha512_256::digest(Value::Object(body.clone()).to_string());
    body.insert("jti".into(), json!(BASE32_NOPAD.encode(&digest)));

    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"}).to_string();
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(Value::Object(body).to_string().as_bytes())
    );
    let signature = issuer.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// Reads a token and checks that its named issuer signed it. Whether that issuer may be believed
/// is the caller's question, and so is the expiry.
pub fn read(token: &str) -> Result<Value, HubError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(HubError::Token("no signature"))?;
    let (_, body) = signed.split_once('.').ok_or(HubError::Token("no body"))?;
    let body = decode(body)?;
    let claims: Value = serde_json::from_slice(&body).map_err(|_| HubError::Token("the body is not JSON"))?;
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or(HubError::Token("no issuer"))?;
    KeyPair::from_public_key(issuer)?
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| HubError::Token("the signature is not the issuer's"))?;
    Ok(claims)
}

fn decode(part: &str) -> Result<Vec<u8>, HubError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| HubError::Token("not base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkeys::KeyPairType;

    fn key(kind: KeyPairType, fill: u8) -> KeyPair {
        KeyPair::new_from_raw(kind, [fill; 32]).unwrap()
    }

    fn token() -> String {
        let operator = key(KeyPairType::Operator, 1);
        let account = key(KeyPairType::Account, 2).public_key();
        let claims = Claims {
            name: "alpha",
            subject: &account,
            issued_at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
            expires_at: Some(OffsetDateTime::from_unix_timestamp(1_700_003_600).unwrap()),
            nats: json!({"type": "account", "version": 2}),
        };
        mint(&claims, &operator).unwrap()
    }

    #[test]
    fn a_token_reads_back_as_minted() {
        let claims = read(&token()).unwrap();
        assert_eq!(claims["name"], "alpha");
        assert_eq!(claims["iss"], key(KeyPairType::Operator, 1).public_key());
        assert_eq!(claims["sub"], key(KeyPairType::Account, 2).public_key());
        assert_eq!(claims["iat"], 1_700_000_000);
        assert_eq!(claims["exp"], 1_700_003_600);
        assert_eq!(claims["nats"]["type"], "account");
        assert_eq!(claims["jti"].as_str().unwrap().len(), 52);
    }

    #[test]
    fn the_same_claims_give_the_same_token() {
        assert_eq!(token(), include_str!("jwt_vector.txt").trim());
    }

    #[test]
    fn a_token_changed_after_signing_is_not_read() {
        let token = token();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, body) = signed.split_once('.').unwrap();
        let body = String::from_utf8(decode(body).unwrap()).unwrap().replace("alpha", "omega");
        let forged = format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(body.as_bytes()));
        assert!(matches!(read(&forged), Err(HubError::Token(_))));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_a_panic() {
        for text in ["", ".", "..", "a.b.c", "e30.e30.e30", "☃.☃.☃"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
