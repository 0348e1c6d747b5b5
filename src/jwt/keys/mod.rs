//! The keys an issuer signs with.

mod der;
mod ed25519;
mod error;
mod jwk;
mod pem;
mod source;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

pub use error::{KeySetError, SkipReason, SkippedKey};
pub(super) use jwk::MAX_KID;
pub(crate) use source::Found;
pub use source::Keys;
#[cfg(feature = "jwks-http")]
pub(crate) use source::{KeySource, Refresh};

use super::algorithm::Algorithm;
use super::crypto::{Material, Verifier};

/// Keys that may be trusted, and what was left out of them and why. It never changes: whoever has newer keys makes a
/// new set.
///
/// A set is read from a JWKS document, from a public key in PEM, or is a secret. Of a JWKS only keys are taken that
/// can check signatures and are strong enough; the others are [skipped](Self::skipped). Whether any are left is for
/// the caller to see.
///
/// | kind of key | algorithms | condition |
/// |---|---|---|
/// | RSA | RS256, RS384, RS512, PS256, PS384, PS512 | 2,048 to 8,192 bits (4,096 with `jwt-rust-crypto` alone), an odd exponent from 3 |
/// | P-256, P-384 | ES256, ES384 | a point of the curve |
/// | Ed25519 | `EdDSA` | a point that is not of small order |
/// | secret | HS256, HS384, HS512 | as long as the hash at least; never out of a JWKS |
///
/// ```
/// use tower_lambda_authorizer::jwt::{KeySet, SkipReason};
///
/// let jwks = r#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "oct", "kid": "b", "k": "c2VjcmV0"}
/// ]}"#;
/// let keys = KeySet::from_jwks(jwks.as_bytes())?;
/// assert_eq!(keys.len(), 1);
/// assert_eq!(keys.skipped()[0].kid(), Some("b"));
/// assert_eq!(keys.skipped()[0].reason(), SkipReason::Secret);
/// # Ok::<(), tower_lambda_authorizer::jwt::KeySetError>(())
/// ```
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    skipped: Vec<SkippedKey>,
}

/// A key of a set, and what it answers to.
#[derive(Clone)]
struct Key {
    name: Name,
    verifiers: Verifiers,
}

/// A key, ready for use with every algorithm it is good for. Clones share it.
#[derive(Clone)]
pub(crate) struct Verifiers(Arc<[(Algorithm, Verifier)]>);

/// What a key answers to.
#[derive(Clone, Eq, PartialEq)]
enum Name {
    /// Whatever the token says: a key that never had a name.
    Any,
    /// Exactly this `kid`.
    Kid(Box<str>),
    /// A key of a JWKS without `kid`: only a token without one can mean it.
    Unnamed,
}

impl KeySet {
    /// The most keys a set may have.
    pub const MAX_KEYS: usize = 100;

    /// The largest document, in bytes.
    pub const MAX_BYTES: usize = 512 * 1024;

    /// The usable keys of a JWKS document (RFC 7517). One that has none is an empty set, not an error.
    ///
    /// # Errors
    ///
    /// If it is not an object with a list `keys`, has that twice, has more than [100](Self::MAX_KEYS) keys or is
    /// larger than [512 KiB](Self::MAX_BYTES).
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeySetError> {
        jwk::set(document)
    }

    /// A public key in PEM: `PUBLIC KEY`, or `RSA PUBLIC KEY`. It has no `kid` and so is meant by any, as long as it
    /// is alone in its set; [`with_kid`](Self::with_kid) names it.
    ///
    /// # Errors
    ///
    /// If it is not exactly one such key, or one that a JWKS would not be taken with. Certificates and private keys
    /// are refused: take the public key out of them first.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > Self::MAX_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let material = pem::public_key(text)?;
        let key = Key::new(Name::Any, &material, None).map_err(KeySetError::Unusable)?;
        Ok(Self { keys: vec![key], skipped: Vec::new() })
    }

    /// A secret that issuer and authorizer share. It has no `kid`, like a [key in PEM](Self::from_pem). With 32 bytes
    /// it is good for HS256, with 48 for HS384 too, with 64 for all three.
    ///
    /// It is taken as it is: a secret that is handed out as base64 or hexadecimal is to be decoded first.
    ///
    /// # Errors
    ///
    /// If it has fewer than 32 bytes, or is text in PEM: a public key is known to everybody, who could then sign with it.
    pub fn from_hmac_secret(secret: &[u8]) -> Result<Self, KeySetError> {
        if is_pem(secret) {
            return Err(KeySetError::SecretIsPem);
        }
        let material = Material::Hmac(secret.into());
        let key = Key::new(Name::Any, &material, None).map_err(|_| KeySetError::ShortSecret)?;
        Ok(Self { keys: vec![key], skipped: Vec::new() })
    }

    /// A [JWKS document](Self::from_jwks), or a [public key in PEM](Self::from_pem), out of a file. It is read once.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or for the reasons of the other two.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeySetError> {
        let unreadable = |error: std::io::Error| KeySetError::Unreadable(error.kind());
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = Vec::new();
        // One byte over the limit is enough to know.
        let limit = u64::try_from(Self::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut text).map_err(unreadable)?;
        if is_pem(&text) { Self::from_pem(&text) } else { Self::from_jwks(&text) }
    }

    /// Names the only key of the set.
    ///
    /// # Errors
    ///
    /// If there is not exactly one.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeySetError> {
        let [only] = &mut *self.keys else { return Err(KeySetError::NotOneKey) };
        only.name = Name::Kid(kid.into());
        Ok(self)
    }

    /// Both sets in one: what keys are rolled over with. Each key then needs a `kid`.
    ///
    /// # Errors
    ///
    /// If a key has no `kid`, if both sets have the same, or if there are more than [100](Self::MAX_KEYS).
    pub fn with_keys_of(mut self, other: Self) -> Result<Self, KeySetError> {
        for key in other.keys {
            if self.keys.iter().any(|known| known.name == key.name) {
                return Err(KeySetError::RepeatedKid);
            }
            self.keys.push(key);
        }
        self.skipped.extend(other.skipped);
        if self.keys.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        if self.keys.len() > 1 && self.keys.iter().any(|key| !matches!(key.name, Name::Kid(_))) {
            return Err(KeySetError::MissingKid);
        }
        Ok(self)
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The names of the keys that can be used, as far as they have any.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match &key.name {
            Name::Kid(kid) => Some(&**kid),
            Name::Any | Name::Unnamed => None,
        })
    }

    /// The keys that were left out.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The key a token means. One without `kid` means the only key there is.
    pub(crate) fn find(&self, kid: Option<&str>) -> Option<&Verifiers> {
        let key = match (kid, &*self.keys) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(_), [only]) if only.name == Name::Any => Some(only),
            (Some(kid), keys) => {
                keys.iter().find(|key| matches!(&key.name, Name::Kid(name) if **name == *kid))
            }
        };
        key.map(|key| &key.verifiers)
    }

    /// Every algorithm that one of the keys is good for.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.keys.iter().flat_map(|key| key.verifiers.0.iter().map(|(algorithm, _)| *algorithm))
    }
}

fn is_pem(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"-----BEGIN")
}

impl Key {
    /// Prepares a key for all algorithms it may be used with, or for `only` one of them.
    fn new(name: Name, material: &Material, only: Option<Algorithm>) -> Result<Self, SkipReason> {
        let long_enough = |algorithm: Algorithm| match (material, algorithm) {
            (Material::Hmac(secret), Algorithm::Hs384) => secret.len() >= 48,
            (Material::Hmac(secret), Algorithm::Hs512) => secret.len() >= 64,
            (Material::Hmac(secret), _) => secret.len() >= 32,
            _ => true,
        };
        let prepare = |algorithm| Some((algorithm, Verifier::new(algorithm, material)?));
        let wanted = material
            .family()
            .algorithms()
            .filter(|algorithm| only.is_none_or(|only| only == *algorithm) && long_enough(*algorithm));
        let verifiers: Arc<[_]> = wanted.filter_map(prepare).collect();
        if verifiers.is_empty() {
            return Err(SkipReason::Malformed);
        }
        Ok(Self { name, verifiers: Verifiers(verifiers) })
    }
}

impl Verifiers {
    /// What checks signatures of that algorithm, if this key is one for it.
    pub(in crate::jwt) fn of(&self, algorithm: Algorithm) -> Option<&Verifier> {
        self.0.iter().find(|(known, _)| *known == algorithm).map(|(_, verifier)| verifier)
    }
}

/// Prints names and numbers, no keys.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys.len())
            .field("kids", &self.kids().collect::<Vec<_>>())
            .field("skipped", &self.skipped)
            .finish()
    }
}
