//! Tokens for tests are what they say.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde_json::{Value, json};
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::jwt::{KeySet, SkipReason};
use tower_lambda_authorizer::testing::{
    TestKey, TestToken, WEAK_RSA_JWK, WEAK_RSA_TOKEN, claims, cognito_access_claims, cognito_id_claims, jwks,
};

#[cfg(feature = "jwt")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

const SECRET: [u8; 64] = [7; 64];

fn all_keys() -> Vec<TestKey> {
    vec![
        TestKey::rs256("k"),
        TestKey::rs384("k"),
        TestKey::rs512("k"),
        TestKey::ps256("k"),
        TestKey::ps384("k"),
        TestKey::ps512("k"),
        TestKey::es256("k"),
        TestKey::es384("k"),
        TestKey::eddsa("k"),
        TestKey::hs256("k", SECRET),
        TestKey::hs384("k", SECRET),
        TestKey::hs512("k", SECRET),
    ]
}

fn is_signed_by(token: &str, key: &DecodingKey, algorithm: Algorithm) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key).unwrap();
    verifier.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_str(&text(token, index)).unwrap()
}

fn text(token: &str, index: usize) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[test]
fn every_key_signs_what_its_public_key_accepts_and_no_other_does() {
    for key in all_keys() {
        let algorithm: Algorithm = key.algorithm().parse().unwrap();
        let own: Jwk = serde_json::from_value(key.public_jwk()).unwrap();
        let own = DecodingKey::from_jwk(&own).unwrap();
        let other = key.clone().other();
        // A secret of equal bytes reads the same backwards.
        let same = key.algorithm().starts_with("HS");
        let token = key.token(&json!({ "sub": "alice" }));
        assert!(is_signed_by(&token, &own, algorithm), "{key:?}");
        assert_eq!(is_signed_by(&other.token(&json!({ "sub": "alice" })), &own, algorithm), same, "{key:?}");
        assert!(!is_signed_by(&TestToken::new(&json!({})).forged_by(&key), &own, algorithm), "{key:?}");
        assert_eq!(part(&token, 0), json!({ "alg": key.algorithm(), "kid": "k", "typ": "JWT" }));
        assert_eq!(part(&token, 1), json!({ "sub": "alice" }));
    }
}

#[test]
fn public_keys_are_good_for_key_sets_and_secrets_are_not() {
    for key in all_keys() {
        let set = KeySet::from_jwks(jwks([&key]).as_bytes()).unwrap();
        let is_secret = key.algorithm().starts_with("HS");
        assert_eq!(set.is_empty(), is_secret, "{key:?}");
        assert_eq!(set.skipped().iter().any(|key| key.reason() == SkipReason::Secret), is_secret);
        assert_eq!(KeySet::from_pem(key.public_pem().as_bytes()).is_ok(), !is_secret, "{key:?}");
    }
    let weak = KeySet::from_jwks(format!(r#"{{"keys":[{WEAK_RSA_JWK}]}}"#).as_bytes()).unwrap();
    assert!(weak.is_empty());
    assert_eq!(weak.skipped().len(), 1);
    assert_eq!(part(WEAK_RSA_TOKEN, 0)["kid"], "weak");
    assert_eq!(part(WEAK_RSA_TOKEN, 1)["iss"], "https://issuer.example");
}

#[cfg(feature = "jwt-rust-crypto")]
#[test]
fn the_weak_token_is_rightly_signed() {
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

    let key = DecodingKey::from_jwk(&serde_json::from_str(WEAK_RSA_JWK).unwrap()).unwrap();
    let (message, signature) = WEAK_RSA_TOKEN.rsplit_once('.').unwrap();
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key).unwrap();
    assert!(verifier.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok());
}

#[test]
fn headers_and_payloads_are_whatever_a_test_wants() {
    let key = TestKey::es256("k");
    let claims = json!({ "sub": "alice" });
    let changed = TestToken::new(&claims).with_header("kid", 7).without_header("typ").with_header("x", "y");
    assert_eq!(part(&changed.signed_by(&key), 0), json!({ "alg": "ES256", "kid": 7, "x": "y" }));
    let twice = r#"{"alg":"ES256","alg":"none"}"#;
    assert_eq!(text(&TestToken::new(&claims).with_header_text(twice).signed_by(&key), 0), twice);
    assert_eq!(text(&TestToken::from_text("not json").signed_by(&key), 1), "not json");
    let unsigned = TestToken::new(&claims).with_header("alg", "none").unsigned();
    assert_eq!(part(&unsigned, 0), json!({ "alg": "none", "typ": "JWT" }));
    assert!(unsigned.ends_with('.'));
    assert!(TestToken::new(&claims).with_signature(b"\xff").ends_with("._w"));
}

#[test]
fn claims_are_those_of_the_issuer_and_of_the_clock() {
    let clock = ManualClock::default();
    let now = clock.wall().as_secs();
    let plain = claims("https://issuer.example", "api", &clock);
    assert_eq!(plain["exp"], now + 3600);
    let id = cognito_id_claims("eu-west-1_abc", "c", &clock);
    let access = cognito_access_claims("eu-west-1_abc", "c", &clock);
    for claims in [&id, &access] {
        assert_eq!(claims["iss"], "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 3600)));
    }
    assert_eq!((&id["aud"], &id["client_id"], &id["token_use"]), (&json!("c"), &Value::Null, &json!("id")));
    assert_eq!(
        (&access["aud"], &access["client_id"], &access["token_use"]),
        (&Value::Null, &json!("c"), &json!("access"))
    );
}
