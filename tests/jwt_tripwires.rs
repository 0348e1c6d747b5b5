//! What `jsonwebtoken` does by itself, where a rule of ours answers it: it checks signatures, and is no policy. If an
//! upgrade changes one of these facts, its test fails, and the rule that goes with it can be thought over.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

use std::time::SystemTime;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};
use tower_lambda_authorizer::testing::{TestKey, TestToken, WEAK_RSA_JWK, WEAK_RSA_TOKEN};

#[cfg(feature = "jwt")]
use jsonwebtoken::crypto::aws_lc;
#[cfg(feature = "jwt-rust-crypto")]
use jsonwebtoken::crypto::rust_crypto;

const ISS: &str = "https://issuer.example";
const AUD: &str = "tests";

/// The backend that the features of this crate chose.
#[cfg(feature = "jwt")]
static PROVIDER: &CryptoProvider = &aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
static PROVIDER: &CryptoProvider = &rust_crypto::DEFAULT_PROVIDER;

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn key() -> TestKey {
    TestKey::rs256("a")
}

fn decoding_key(jwk: &Value) -> DecodingKey {
    DecodingKey::from_jwk(&serde_json::from_value(jwk.clone()).unwrap()).unwrap()
}

/// Issuer and audience are set, and all else is as it comes.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISS]);
    validation.set_audience(&[AUD]);
    validation
}

fn accepts(token: &str, validation: &Validation) -> bool {
    // Another test may have been first.
    let _ = PROVIDER.install_default();
    decode::<Value>(token, &decoding_key(&key().public_jwk()), validation).is_ok()
}

/// Good claims with one changed; null takes it away.
fn but(name: &str, value: Value) -> String {
    let mut claims = json!({ "iss": ISS, "aud": AUD, "sub": "me", "exp": now() + 3600 });
    let claims_of = claims.as_object_mut().unwrap();
    if value.is_null() {
        claims_of.remove(name);
    } else {
        claims_of.insert(name.to_owned(), value);
    }
    key().token(&claims)
}

/// Claims are read by us, with exact types and no repeated names.
#[test]
fn f27_jsonwebtoken_accepts_claims_that_are_none() {
    let as_it_comes = validation();
    assert!(accepts(&but("sub", json!("me")), &as_it_comes));
    for (name, value) in [
        ("iss", json!([ISS, "https://evil.example"])),
        ("iss", json!(null)),
        ("iss", json!(7)),
        ("iss", json!({"a": 1})),
        ("aud", json!(null)),
        ("aud", json!(7)),
        ("aud", json!({"a": 1})),
        ("aud", json!([AUD, 7])),
        ("exp", json!(now() - 50)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(1e18)),
        ("exp", json!(now() as f64 + 60.5)),
        ("nbf", json!(now() + 3600)),
        ("iat", json!(now() + 3600)),
    ] {
        let token = but(name, value.clone());
        assert!(accepts(&token, &as_it_comes), "{name} {value}");
    }
    // One that is there as null is absent.
    let claims = json!({ "iss": null, "aud": null, "exp": now() + 3600 });
    assert!(accepts(&key().token(&claims), &as_it_comes));
    // To require a claim helps against its absence, and not against a list of issuers.
    let mut strict = validation();
    strict.set_required_spec_claims(&["exp", "iss", "aud"]);
    assert!(accepts(&but("iss", json!([ISS, "https://evil.example"])), &strict));
    assert!(!accepts(&but("iss", json!(null)), &strict));
    assert!(!accepts(&but("aud", json!([AUD, 7])), &strict));
    assert!(!accepts(&but("iss", json!("https://evil.example")), &as_it_comes));
    assert!(!accepts(&but("exp", json!(now() - 120)), &as_it_comes));
}

/// Headers are read by us: what changes the meaning of a token is refused, what brings a key is not looked at.
#[test]
fn f27_jsonwebtoken_ignores_most_of_the_header() {
    let claims = json!({ "iss": ISS, "aud": AUD, "exp": now() + 3600 });
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!(["https://example.com/unknown"])),
        ("typ", json!("dpop+jwt")),
        ("zip", json!("DEF")),
        ("jku", json!("https://evil.example")),
        ("jwk", key().other().public_jwk()),
        ("kid", json!("nobody's")),
    ] {
        let token = TestToken::new(&claims).with_header(name, value.clone()).signed_by(&key());
        assert!(accepts(&token, &validation()), "{name} {value}");
    }
}

/// A secret is as long as its hash here.
#[test]
fn f27_jsonwebtoken_takes_an_empty_secret() {
    let token = TestKey::hs256("a", Vec::new()).token(&json!({ "exp": now() + 3600 }));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let verifies = |secret: &[u8]| {
        let factory = PROVIDER.verifier_factory;
        let verifier = factory(&Algorithm::HS256, &DecodingKey::from_secret(secret)).unwrap();
        let signature = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature);
        verifier.verify(message.as_bytes(), &signature.unwrap()).is_ok()
    };
    assert!(verifies(b""));
    assert!(!verifies(b"x"));
}

/// Key sets are read by us, and keys that are not for signatures are left out.
#[test]
fn f28_jsonwebtoken_reads_key_sets_without_asking_what_keys_are_for() {
    let secret: Jwk = serde_json::from_value(json!({ "kty": "oct", "kid": "a", "k": "c2VjcmV0" })).unwrap();
    assert_eq!(DecodingKey::from_jwk(&secret).unwrap().family(), Algorithm::HS256.family());
    let mut for_encryption = key().public_jwk();
    for_encryption["use"] = "enc".into();
    assert!(DecodingKey::from_jwk(&serde_json::from_value(for_encryption).unwrap()).is_ok());
    let twice = json!({ "keys": [key().public_jwk(), key().other().public_jwk()] });
    let set: JwkSet = serde_json::from_value(twice).unwrap();
    let found = serde_json::to_value(set.find("a").unwrap()).unwrap();
    assert_eq!(found["n"], key().public_jwk()["n"], "the first of a name");
    // Since version 11, a key of an unknown kind does no harm to the others.
    let strange = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "b", "pub": "AAAA" });
    let set = json!({ "keys": [strange, key().public_jwk()] });
    assert_eq!(serde_json::from_value::<JwkSet>(set).unwrap().keys.len(), 2);
}

/// RSA keys have 2,048 bits at least here, whatever the backend says.
#[test]
fn f28_only_one_backend_of_jsonwebtoken_refuses_short_rsa_keys() {
    let (message, signature) = WEAK_RSA_TOKEN.rsplit_once('.').unwrap();
    let signature =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature).unwrap();
    let weak = decoding_key(&serde_json::from_str(WEAK_RSA_JWK).unwrap());
    let verifies = |provider: &CryptoProvider| {
        let verifier = (provider.verifier_factory)(&Algorithm::RS256, &weak);
        verifier.is_ok_and(|verifier| verifier.verify(message.as_bytes(), &signature).is_ok())
    };
    #[cfg(feature = "jwt")]
    assert!(!verifies(&aws_lc::DEFAULT_PROVIDER));
    #[cfg(feature = "jwt-rust-crypto")]
    assert!(verifies(&rust_crypto::DEFAULT_PROVIDER));
}

/// No code of ours asks for jsonwebtoken's process-wide default: providers are named.
#[cfg(all(feature = "jwt", feature = "jwt-rust-crypto"))]
mod with_both_backends {
    use std::panic::catch_unwind;
    use std::process::Command;

    use super::*;

    /// It has a process of its own: the default is the process's.
    #[test]
    fn f29_with_both_backends_jsonwebtoken_panics_and_cannot_be_helped_afterwards() {
        let test = ["--exact", "--ignored", "with_both_backends::nobody_installed_a_provider"];
        let output = Command::new(std::env::current_exe().unwrap()).args(test).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    #[test]
    #[ignore = "the test above starts it"]
    fn nobody_installed_a_provider() {
        let token = but("sub", json!("me"));
        let decodes = || {
            let key = decoding_key(&key().public_jwk());
            catch_unwind(|| decode::<Value>(&token, &key, &validation()).is_ok())
        };
        assert!(decodes().is_err(), "it panics");
        assert!(PROVIDER.install_default().is_err(), "what panics has become the default");
        assert!(decodes().is_err(), "and stays it");
    }
}
