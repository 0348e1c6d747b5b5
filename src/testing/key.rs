//! Keys that sign tokens.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Serialize;
use serde_json::{Value, json};

use super::material::{ED25519, KeyPair, P256, P384, RSA};
use super::token::TestToken;

// The provider is named, and jsonwebtoken's process-wide default left alone: with both of its features on there is none.
#[cfg(feature = "jwt")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// The public key of an RSA key of 1,024 bits, id `weak`, which nobody should accept.
pub const WEAK_RSA_JWK: &str = concat!(
    r#"{"kty":"RSA","use":"sig","alg":"RS256","kid":"weak","n":""#,
    "x3hoav_TZvTlZ8Q9flbN3G5lr-rXLkNlYl3gK74rfYhTlqBqV7uUAIX6hBxtJrNMFvmVoclr_uoPcTSAw_03EPWT",
    "pcKRZowgJMKWenQC8jbjF21P1eRnGAmFi4nnxqgAUVtH-eekTn9XcYOTYWvOkuV6C3QQCx7icwIz7gVof8M",
    r#"","e":"AQAB"}"#
);

/// A token that is rightly signed (`RS256`) with [a key that is too short](WEAK_RSA_JWK). Not every crypto provider
/// would sign it, so it is kept here.
///
/// Issuer `https://issuer.example`, audience `tests`, subject `alice`, from the beginning of 2026 to that of 2100.
pub const WEAK_RSA_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsiLCJ0eXAiOiJKV1QifQ.",
    "eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYWxpY2UiLCJhdWQiOiJ0ZXN0cyIsImV4cCI6",
    "NDEwMjQ0NDgwMCwiaWF0IjoxNzY3MjI1NjAwfQ.",
    "pZOq301cZjqjz0jYjF-F3CwKopMATaDUjMyPkjJMHNgFP-S6KzOtJyRIv234TQTRixw-vcKJ1oFcpUzA7nPBt6fd",
    "s43Dxu28PITNLgEnczc71RGVWPhKraZc35pw3_7OsZPHWSdQ61fLt_zQQUp5dbnfoQ3UmiPQ_XrsBUtISHQ",
);

/// A key that signs tokens. It protects nothing: private keys are published with the source of this crate.
///
/// For each algorithm there are two keys, the one that the constructor gives and its [`other`](Self::other).
///
/// ```
/// use serde_json::json;
/// use tower_lambda_authorizer::testing::{TestKey, jwks};
///
/// let old = TestKey::rs256("key-1");
/// let new = TestKey::rs256("key-2").other();
/// let set = jwks([&old, &new]);
/// let token = new.token(&json!({ "sub": "alice" }));
/// # assert!(set.contains("key-2") && token.len() > 100);
/// ```
#[derive(Clone)]
pub struct TestKey {
    kid: String,
    algorithm: Algorithm,
    name: &'static str,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Shared(Vec<u8>),
    Pair { pairs: &'static [KeyPair; 2], other: bool },
}

impl TestKey {
    fn pair(kid: &str, algorithm: Algorithm, name: &'static str, pairs: &'static [KeyPair; 2]) -> Self {
        Self { kid: kid.into(), algorithm, name, secret: Secret::Pair { pairs, other: false } }
    }

    fn shared(kid: &str, algorithm: Algorithm, name: &'static str, secret: impl Into<Vec<u8>>) -> Self {
        Self { kid: kid.into(), algorithm, name, secret: Secret::Shared(secret.into()) }
    }

    /// An RSA key of 2,048 bits that signs with `RS256`. All RSA constructors give the same key.
    #[must_use]
    pub fn rs256(kid: &str) -> Self {
        Self::pair(kid, Algorithm::RS256, "RS256", &RSA)
    }

    /// An RSA key of 2,048 bits that signs with `RS384`.
    #[must_use]
    pub fn rs384(kid: &str) -> Self {
        Self::pair(kid, Algorithm::RS384, "RS384", &RSA)
    }

    /// An RSA key of 2,048 bits that signs with `RS512`.
    #[must_use]
    pub fn rs512(kid: &str) -> Self {
        Self::pair(kid, Algorithm::RS512, "RS512", &RSA)
    }

    /// An RSA key of 2,048 bits that signs with `PS256`.
    #[must_use]
    pub fn ps256(kid: &str) -> Self {
        Self::pair(kid, Algorithm::PS256, "PS256", &RSA)
    }

    /// An RSA key of 2,048 bits that signs with `PS384`.
    #[must_use]
    pub fn ps384(kid: &str) -> Self {
        Self::pair(kid, Algorithm::PS384, "PS384", &RSA)
    }

    /// An RSA key of 2,048 bits that signs with `PS512`.
    #[must_use]
    pub fn ps512(kid: &str) -> Self {
        Self::pair(kid, Algorithm::PS512, "PS512", &RSA)
    }

    /// A key on the curve P-256 that signs with `ES256`.
    #[must_use]
    pub fn es256(kid: &str) -> Self {
        Self::pair(kid, Algorithm::ES256, "ES256", &P256)
    }

    /// A key on the curve P-384 that signs with `ES384`.
    #[must_use]
    pub fn es384(kid: &str) -> Self {
        Self::pair(kid, Algorithm::ES384, "ES384", &P384)
    }

    /// An Ed25519 key that signs with `EdDSA`.
    #[must_use]
    pub fn eddsa(kid: &str) -> Self {
        Self::pair(kid, Algorithm::EdDSA, "EdDSA", &ED25519)
    }

    /// A secret that signs with `HS256`, of any length.
    #[must_use]
    pub fn hs256(kid: &str, secret: impl Into<Vec<u8>>) -> Self {
        Self::shared(kid, Algorithm::HS256, "HS256", secret)
    }

    /// A secret that signs with `HS384`, of any length.
    #[must_use]
    pub fn hs384(kid: &str, secret: impl Into<Vec<u8>>) -> Self {
        Self::shared(kid, Algorithm::HS384, "HS384", secret)
    }

    /// A secret that signs with `HS512`, of any length.
    #[must_use]
    pub fn hs512(kid: &str, secret: impl Into<Vec<u8>>) -> Self {
        Self::shared(kid, Algorithm::HS512, "HS512", secret)
    }

    /// The other key for the same algorithm, with the same id; of a secret, the secret read backwards.
    #[must_use]
    pub fn other(mut self) -> Self {
        match &mut self.secret {
            Secret::Shared(secret) => secret.reverse(),
            Secret::Pair { other, .. } => *other = !*other,
        }
        self
    }

    /// The id that key sets and tokens name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that tokens name, such as `RS256`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        self.name
    }

    /// A token with these claims and a common header. See [`TestToken`] for others.
    ///
    /// # Panics
    ///
    /// If the claims cannot be printed as JSON.
    #[must_use]
    pub fn token(&self, claims: &impl Serialize) -> String {
        TestToken::new(claims).signed_by(self)
    }

    /// The public key as a member of a key set. Of a secret it is the secret itself, which no issuer should publish and
    /// nobody accept.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut key = match &self.secret {
            Secret::Shared(secret) => json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret) }),
            Secret::Pair { .. } => {
                let spki = self.public_der();
                let (kty, curve, length) = match self.algorithm {
                    Algorithm::ES256 => ("EC", "P-256", 32),
                    Algorithm::ES384 => ("EC", "P-384", 48),
                    Algorithm::EdDSA => ("OKP", "Ed25519", 32),
                    _ => ("RSA", "", 256),
                };
                // The numbers are at the end of an SPKI: a point's coordinates, or a modulus and, as a DER integer of
                // five bytes, the exponent.
                let part = |from_end: usize| {
                    let end = spki.len().saturating_sub(from_end);
                    URL_SAFE_NO_PAD.encode(spki.get(end.saturating_sub(length)..end).unwrap_or_default())
                };
                match kty {
                    "EC" => json!({ "kty": kty, "crv": curve, "x": part(length), "y": part(0) }),
                    "OKP" => json!({ "kty": kty, "crv": curve, "x": part(0) }),
                    _ => json!({ "kty": kty, "n": part(5), "e": "AQAB" }),
                }
            }
        };
        if let Value::Object(key) = &mut key {
            key.insert("kid".into(), self.kid().into());
            key.insert("use".into(), "sig".into());
            key.insert("alg".into(), self.algorithm().into());
        }
        key
    }

    /// The public key as a PEM file; of a secret, an empty one.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (i, c) in STANDARD.encode(self.public_der()).chars().enumerate() {
            if i > 0 && i % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem + "\n-----END PUBLIC KEY-----\n"
    }

    fn public_der(&self) -> Vec<u8> {
        self.key_pair().map(|pair| decode(pair.public)).unwrap_or_default()
    }

    const fn key_pair(&self) -> Option<&'static KeyPair> {
        match &self.secret {
            Secret::Pair { pairs: [_, other], other: true } => Some(other),
            Secret::Pair { pairs: [one, _], other: false } => Some(one),
            Secret::Shared(_) => None,
        }
    }

    /// The signature of any bytes, for what [`TestToken`] cannot spell: of ES256 and ES384 the two numbers one after
    /// the other, as JWS has it.
    ///
    /// # Panics
    ///
    /// If the crypto provider refuses to sign with the key, which it does not do with keys of this module.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its token has nothing to go on with")]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let private = self.key_pair().map(|pair| decode(pair.private)).unwrap_or_default();
        let key = match (&self.secret, self.algorithm) {
            (Secret::Shared(secret), _) => EncodingKey::from_secret(secret),
            (_, Algorithm::ES256 | Algorithm::ES384) => EncodingKey::from_ec_der(&private),
            (_, Algorithm::EdDSA) => EncodingKey::from_ed_der(&private),
            _ => EncodingKey::from_rsa_der(&private),
        };
        let signature = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &key)
            .and_then(|signer| signer.try_sign(message).map_err(jsonwebtoken::errors::Error::from));
        match signature {
            Ok(signature) => signature,
            Err(error) => panic!("the key {:?} cannot sign with {}: {error}", self.kid, self.algorithm()),
        }
    }
}

impl std::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// A key set (JWKS) with the public keys of these keys.
#[must_use]
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a TestKey>) -> String {
    let keys: Vec<_> = keys.into_iter().map(TestKey::public_jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// The constants are base64; a test of this module reads all of them.
fn decode(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap_or_default()
}
