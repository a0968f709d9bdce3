//! Every token that is not good, and why.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderValue, Request};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::*;
use crate::clock;
use crate::names::NodeId;

struct Scene {
    issuer: LocalIssuer,
    authenticator: Authenticator,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let issuer = LocalIssuer::open(folder.path(), &NodeId::of_key(&[1; 32])).unwrap();
    let authenticator = Authenticator::local(&issuer, &[7; 32]);
    Scene { issuer, authenticator, _folder: folder }
}

impl Scene {
    async fn ask(&self, token: &str) -> Result<Caller, Denied> {
        self.authenticator.authenticate(Some(&HeaderValue::from_str(&format!("Bearer {token}")).unwrap())).await
    }

    /// The reason a token is denied for; its message must not echo the token.
    async fn denied(&self, token: &str) -> String {
        let status = tonic::Status::from(self.ask(token).await.unwrap_err());
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{status}");
        assert!(token.split('.').all(|part| part.len() < 8 || !status.message().contains(part)), "{status}");
        tonic_types::StatusExt::get_details_error_info(&status).unwrap().reason
    }

    fn token(&self) -> String {
        self.issuer.token("ana", &[], false, Duration::from_secs(60)).unwrap()
    }

    /// A token by the local issuer's own key with these claims in the place of the usual ones.
    fn altered(&self, claims: Value) -> String {
        let mut whole = json!({
            "iss": self.issuer.name(), "aud": LocalIssuer::AUDIENCE, "sub": "ana",
            "exp": clock::now().unix_timestamp() + 60,
        });
        for (claim, value) in claims.as_object().unwrap() {
            match value {
                Value::Null => whole.as_object_mut().unwrap().remove(claim),
                value => whole.as_object_mut().unwrap().insert(claim.clone(), value.clone()),
            };
        }
        self.issuer.sign(&whole).unwrap()
    }
}

#[tokio::test]
async fn a_token_says_who_calls() {
    let scene = scene();
    let organization = Reference::born_on(&NodeId::of_key(&[2; 32]));
    let token = scene.issuer.token("ana", std::slice::from_ref(&organization), true, Duration::from_secs(60)).unwrap();
    let caller = scene.ask(&token).await.unwrap();
    assert_eq!((caller.subject.as_str(), caller.operator), ("ana", true));
    assert_eq!(caller.only_organization(), Some(&organization));
    assert_eq!(scene.ask(&token).await.unwrap(), caller);
}

#[tokio::test]
async fn a_pseudonym_is_stable_and_tells_nothing() {
    let scene = scene();
    let caller = scene.ask(&scene.token()).await.unwrap();
    let later = Authenticator::local(&scene.issuer, &[7; 32]);
    let header = HeaderValue::from_str(&format!("Bearer {}", scene.token())).unwrap();
    assert_eq!(later.authenticate(Some(&header)).await.unwrap().person, caller.person);
    let elsewhere = Authenticator::local(&scene.issuer, &[8; 32]);
    assert_ne!(elsewhere.authenticate(Some(&header)).await.unwrap().person, caller.person);
    assert_eq!(caller.person.len(), 32);
    assert!(!caller.person.contains("ana"));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said() {
    let scene = scene();
    let now = clock::now().unix_timestamp();
    let table = [
        (json!({"iss": "https://elsewhere.example"}), "TOKEN_ISSUER"),
        (json!({"iss": null}), "TOKEN_CLAIM"),
        (json!({"aud": "billing"}), "TOKEN_AUDIENCE"),
        (json!({"aud": ["billing", "mail"]}), "TOKEN_AUDIENCE"),
        (json!({"aud": null}), "TOKEN_CLAIM"),
        (json!({"sub": null}), "TOKEN_CLAIM"),
        (json!({"sub": ""}), "TOKEN_CLAIM"),
        (json!({"sub": "x".repeat(300)}), "TOKEN_CLAIM"),
        (json!({"exp": now - 61}), "TOKEN_EXPIRED"),
        (json!({"exp": null}), "TOKEN_CLAIM"),
        (json!({"exp": "tomorrow"}), "TOKEN_CLAIM"),
        (json!({"nbf": now + 120}), "TOKEN_NOT_YET"),
        (json!({"organizations": ["Hartford"]}), "TOKEN_CLAIM"),
        (json!({"organizations": {"a": 1}}), "TOKEN_CLAIM"),
        (json!({"operator": "yes"}), "TOKEN_CLAIM"),
    ];
    for (claims, reason) in table {
        assert_eq!(scene.denied(&scene.altered(claims.clone())).await, reason, "{claims}");
    }
    assert!(
        scene.ask(&scene.altered(json!({"exp": now - 30, "nbf": now + 30}))).await.is_ok(),
        "clocks differ a little"
    );
    assert!(scene.ask(&scene.altered(json!({"aud": ["mail", "commonweal"]}))).await.is_ok());
}

#[tokio::test]
async fn a_token_that_nobody_signed_is_refused() {
    let scene = scene();
    let token = scene.token();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("three parts") };
    let encoded = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let none = encoded(json!({"alg": "none", "kid": "local"}));
    let other = encoded(json!({"alg": "EdDSA", "kid": "other"}));
    let claimed = encoded(json!({"sub": "root", "operator": true}));
    assert_eq!(scene.denied(&format!("{none}.{claims}.")).await, "TOKEN_MALFORMED");
    assert_eq!(scene.denied(&format!("{none}.{claims}.{signature}")).await, "TOKEN_MALFORMED");
    assert_eq!(scene.denied(&format!("{header}.{claimed}.{signature}")).await, "TOKEN_SIGNATURE");
    assert_eq!(scene.denied(&format!("{other}.{claims}.{signature}")).await, "TOKEN_KEY");
    assert_eq!(scene.denied("x").await, "TOKEN_MALFORMED");
    assert_eq!(scene.denied(&"x".repeat(20_000)).await, "TOKEN_MALFORMED");
    let missing = tonic::Status::from(scene.authenticator.authenticate(None).await.unwrap_err());
    assert_eq!(missing.code(), tonic::Code::Unauthenticated);
    let basic = HeaderValue::from_static("Basic YTpi");
    assert!(matches!(scene.authenticator.authenticate(Some(&basic)).await, Err(Denied::Malformed)));
}

/// The classic: the public key, which everybody has, taken for a shared secret.
#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let scene = scene();
    let public = scene.issuer.public_key();
    let header = Header { kid: Some("local".to_owned()), ..Header::new(Algorithm::HS256) };
    let claims = json!({"iss": scene.issuer.name(), "aud": "commonweal", "sub": "root", "exp": 9_999_999_999_u64});
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(scene.denied(&token).await, "TOKEN_ALGORITHM");
}

#[tokio::test]
async fn keys_of_another_issuer_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (signing, jwk) = es256("one");
    let shared = json!({"kty": "oct", "kid": "two", "alg": "HS256", "k": BASE64URL_NOPAD.encode(b"secret")});
    std::fs::write(&path, json!({"keys": [shared, jwk]}).to_string()).unwrap();
    let authenticator = external(KeySource::File(path));
    let caller = authenticator.authenticate(Some(&bearer(&signing, "one"))).await.unwrap();
    assert_eq!((caller.subject.as_str(), caller.operator), ("ana", true));
    let (impostor, _) = es256("one");
    let denied = authenticator.authenticate(Some(&bearer(&impostor, "one"))).await;
    assert!(matches!(denied, Err(Denied::Signature)));
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_fault_of_the_caller() {
    let (signing, _) = es256("one");
    let authenticator = external(KeySource::File("/nowhere/keys.json".into()));
    let status = tonic::Status::from(authenticator.authenticate(Some(&bearer(&signing, "one"))).await.unwrap_err());
    assert_eq!(status.code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_fetched_when_it_is_first_used() {
    let (first, one) = es256("one");
    let (second, two) = es256("two");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = [json!({"keys": [one]}), json!({"keys": [one, two]})];
    let server = tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /keys HTTP/1.1\r\n"));
            let body = answer.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    let authenticator = external(KeySource::Url(format!("http://{address}/keys")));
    authenticator.authenticate(Some(&bearer(&first, "one"))).await.unwrap();
    // Asked again so soon, the issuer is left alone; later the new key is found.
    let denied = authenticator.authenticate(Some(&bearer(&second, "two"))).await;
    assert!(matches!(denied, Err(Denied::UnknownKey(_))), "{denied:?}");
    authenticator.forget_asking().await;
    authenticator.authenticate(Some(&bearer(&second, "two"))).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn nobody_passes_the_gate_without_a_rule_or_a_token() {
    let scene = scene();
    let token = scene.token();
    let router = Router::new()
        .fallback(any(|request: axum::extract::Request| async move {
            request.extensions().get::<Call>().map_or("nobody".to_owned(), |call| format!("{:?}", call.caller))
        }))
        .layer(from_fn_with_state(Arc::new(scene.authenticator), gate));
    let ask = async |path: &str, token: Option<&str>| {
        let mut request = Request::post(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        response.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned())
    };
    assert!(proto::methods().count() > 0);
    for (path, rule) in proto::methods() {
        let expected = if rule.open { None } else { Some("16".to_owned()) };
        assert_eq!(ask(path, None).await, expected, "{path}");
        assert_eq!(ask(path, Some(&token)).await, None, "{path}");
    }
    assert_eq!(ask("/commonweal.nothing.v1.Nothing/Get", Some(&token)).await, Some("12".to_owned()));
    assert_eq!(ask("/", Some(&token)).await, Some("12".to_owned()));
    assert_eq!(ask("/grpc.health.v1.Health/Check", None).await, None);
}

fn external(keys: KeySource) -> Authenticator {
    let issuer = Issuer {
        name: "https://login.example".to_owned(),
        audience: "node".to_owned(),
        keys,
        organizations_claim: "orgs".to_owned(),
        operator_claim: "admin".to_owned(),
    };
    Authenticator::external(issuer, &[7; 32])
}

fn es256(id: &str) -> (EncodingKey, Value) {
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    let random = ring::rand::SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
    let jwk = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": x, "y": y});
    (EncodingKey::from_ec_der(document.as_ref()), jwk)
}

fn bearer(key: &EncodingKey, id: &str) -> HeaderValue {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::ES256) };
    let claims = json!({
        "iss": "https://login.example", "aud": "node", "sub": "ana", "admin": true,
        "exp": clock::now().unix_timestamp() + 60,
    });
    let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
    HeaderValue::from_str(&format!("Bearer {token}")).unwrap()
}
