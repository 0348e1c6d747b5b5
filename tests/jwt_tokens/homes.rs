//! The configurations that tokens are sent to.

use std::time::Duration;

use serde_json::{Value, json};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, JwtAuthorizerBuilder, KeySet};
use tower_lambda_authorizer::testing::{TestKey, TestToken, jwks};
use tower_lambda_authorizer::{Authorizer, AuthorizerLayer};

use crate::common::stage;

pub const ISS: &str = "https://issuer.example";
pub const OTHER_ISS: &str = "https://other.example";
pub const AUD: &str = "tests";

/// What the clock says, everywhere.
pub const NOW: u64 = 1_767_225_600;

/// The algorithms with public keys.
pub const PUBLIC: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

pub const SECRET: [u8; 64] = *b"0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEG";

/// An authorizer, and a service behind it that must not be reached.
#[derive(Clone)]
pub struct Home {
    pub name: &'static str,
    /// Some can only be asked through a layer.
    pub authorizer: Option<JwtAuthorizer>,
    pub layer: AuthorizerLayer,
    pub cached: AuthorizerLayer,
    pub words: Words,
}

/// How refusals are worded in `WWW-Authenticate`.
#[derive(Clone, Copy)]
pub enum Words {
    HttpApi,
    None,
    Rfc6750,
}

impl Home {
    pub fn new(
        name: &'static str,
        configure: impl FnOnce(JwtAuthorizerBuilder) -> JwtAuthorizerBuilder,
    ) -> Self {
        let builder = JwtAuthorizer::builder().with_clock(ManualClock::default());
        let authorizer = configure(builder).build().unwrap();
        Self { authorizer: Some(authorizer.clone()), ..Self::of(name, authorizer, Words::Rfc6750) }
    }

    pub fn of(name: &'static str, authorizer: impl Authorizer + Clone, words: Words) -> Self {
        let token =
            |authorizer| AuthorizerLayer::token(authorizer, stage()).with_clock(ManualClock::default());
        let layer = token(authorizer.clone()).build().unwrap();
        let cached = token(authorizer).with_cache(MemoryCache::default()).build().unwrap();
        Self { name, authorizer: None, layer, cached, words }
    }

    /// One issuer with these keys.
    pub fn with_keys(name: &'static str, keys: KeySet) -> Self {
        Self::new(name, |builder| builder.with_issuer(Issuer::new(ISS, keys).with_audience(AUD)))
    }

    /// Two RSA keys, `a` and `b`, for RS256: what most issuers look like.
    pub fn two_keys() -> Self {
        Self::with_keys("two keys", set(&jwks([&a(), &b()])))
    }

    /// The RSA key `a` alone.
    pub fn one_key() -> Self {
        Self::with_keys("one key", set(&jwks([&a()])))
    }

    /// A key without a name.
    pub fn pem() -> Self {
        Self::with_keys("PEM", KeySet::from_pem(a().public_pem().as_bytes()).unwrap())
    }

    /// One key of each kind and every algorithm with public keys. The keys are called after their kind.
    pub fn every_algorithm() -> Self {
        let keys =
            [TestKey::rs256("rsa"), TestKey::es256("p256"), TestKey::es384("p384"), TestKey::eddsa("ed")];
        let keys = set(&json!({ "keys": keys.map(|key| without(key.public_jwk(), "alg")) }).to_string());
        Self::new("every algorithm", |builder| {
            builder.with_issuer(Issuer::new(ISS, keys).with_algorithms(PUBLIC).with_audience(AUD))
        })
    }

    /// A secret, and HMAC.
    pub fn secret() -> Self {
        let keys = KeySet::from_hmac_secret(&SECRET).unwrap();
        let algorithms = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
        Self::new("secret", |builder| {
            builder.with_issuer(Issuer::new(ISS, keys).with_algorithms(algorithms).with_audience(AUD))
        })
    }

    /// Two issuers: the first has the keys `a` and `same`, the second `o` and another `same`.
    pub fn two_issuers() -> Self {
        let (first, second) = (TestKey::rs256("same"), TestKey::rs256("same").other());
        let first = Issuer::new(ISS, set(&jwks([&a(), &first]))).with_audience(AUD);
        let second = Issuer::new(OTHER_ISS, set(&jwks([&TestKey::rs256("o").other(), &second])));
        Self::new("two issuers", |builder| builder.with_issuer(first).with_issuer(second.with_audience(AUD)))
    }

    /// The usual issuer with something more to say of it.
    pub fn asking(name: &'static str, more: impl FnOnce(Issuer) -> Issuer) -> Self {
        let issuer = more(Issuer::new(ISS, set(&jwks([&a()]))));
        Self::new(name, |builder| builder.with_issuer(issuer))
    }

    pub fn with_leeway(name: &'static str, seconds: u64) -> Self {
        Self::asking(name, |issuer| issuer.with_audience(AUD).with_leeway(Duration::from_secs(seconds)))
    }
}

pub fn a() -> TestKey {
    TestKey::rs256("a")
}

pub fn b() -> TestKey {
    TestKey::rs256("b").other()
}

/// A key set of which every key is taken.
pub fn set(document: &str) -> KeySet {
    let keys = KeySet::from_jwks(document.as_bytes()).unwrap();
    assert!(keys.skipped().is_empty(), "{keys:?}");
    keys
}

/// Claims without a fault.
pub fn good() -> Value {
    json!({ "iss": ISS, "aud": AUD, "sub": "alice", "iat": NOW, "exp": NOW + 3600 })
}

/// Good claims with one more, or one changed.
pub fn but(name: &str, value: impl Into<Value>) -> Value {
    with(good(), name, value)
}

pub fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object.as_object_mut().unwrap().insert(name.to_owned(), value.into());
    object
}

pub fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

/// Good claims as text, with more of it before the closing brace.
pub fn text_but(more: &str) -> String {
    good().to_string().trim_end_matches('}').to_owned() + "," + more + "}"
}

/// A token of the usual key with these claims.
pub fn token(claims: &Value) -> String {
    a().token(claims)
}

/// A token of the usual key with this payload, whatever it is.
pub fn token_of_text(payload: impl Into<String>) -> String {
    TestToken::from_text(payload).signed_by(&a())
}

/// Good claims under this header, signed with the usual key.
pub fn headed(header: impl Into<String>) -> String {
    TestToken::new(&good()).with_header_text(header).signed_by(&a())
}

/// Good claims under a header with one member more, or one changed.
pub fn header_but(name: &str, value: impl Into<Value>) -> String {
    TestToken::new(&good()).with_header(name, value).signed_by(&a())
}
