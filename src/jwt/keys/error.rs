//! What is wrong with a set of keys, and what with one of them.

use std::fmt;
use std::io::ErrorKind;

/// A set of keys that cannot be read, or a single key that cannot be used. Nothing of a key is in the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySetError {
    /// It is a certificate.
    Certificate,
    /// A key without `kid` shares its set with others.
    MissingKid,
    /// It is not an object with a list `keys`.
    NotJwks,
    /// The set does not have exactly one key.
    NotOneKey,
    /// It is not exactly one public key in PEM.
    NotPem,
    /// It is a private key.
    PrivateKey,
    /// Two keys have the same `kid`.
    RepeatedKid,
    /// What is said to be a secret is text in PEM.
    SecretIsPem,
    /// A secret of fewer than 32 bytes.
    ShortSecret,
    /// It is over [`KeySet::MAX_BYTES`](super::KeySet::MAX_BYTES).
    TooLarge,
    /// It has more than [`KeySet::MAX_KEYS`](super::KeySet::MAX_KEYS).
    TooManyKeys,
    /// The file cannot be read.
    Unreadable(ErrorKind),
    /// The only key was left out.
    Unusable(SkipReason),
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str(
                "it is a certificate: take the public key out of it (`openssl x509 -pubkey -noout`)",
            ),
            Self::MissingKid => f.write_str("a key without `kid` has to be the only one: name it"),
            Self::NotJwks => f.write_str("it is not a JWKS document: an object with one list `keys`"),
            Self::NotOneKey => f.write_str("only a set of one key can be named"),
            Self::NotPem => {
                f.write_str("it is not exactly one public key in PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`)")
            }
            Self::PrivateKey => f.write_str(
                "it is a private key: an authorizer needs the public one (`openssl pkey -pubout`)",
            ),
            Self::RepeatedKid => f.write_str("two keys have the same `kid`"),
            Self::SecretIsPem => {
                f.write_str("it is a key in PEM, and no secret: `KeySet::from_pem` reads it")
            }
            Self::ShortSecret => f.write_str("a secret has 32 bytes at least"),
            Self::TooLarge => f.write_str("it is larger than 512 KiB"),
            Self::TooManyKeys => f.write_str("it has more than 100 keys"),
            Self::Unreadable(kind) => write!(f, "the file cannot be read: {kind}"),
            Self::Unusable(reason) => write!(f, "the key cannot be used: {reason}"),
        }
    }
}

impl std::error::Error for KeySetError {}

/// A key of a JWKS that was left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedKey {
    pub(super) position: usize,
    pub(super) kid: Option<Box<str>>,
    pub(super) reason: SkipReason,
}

impl SkippedKey {
    /// Which key of the document it is, counted from 0.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Why it was left out.
    #[must_use]
    pub const fn reason(&self) -> SkipReason {
        self.reason
    }
}

/// Why a key was left out of a set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its `alg` is unknown, or is not one for such a key.
    Algorithm,
    /// Another key has the same `kid`.
    DuplicateKid,
    /// It is not an object, a member is missing, there twice or not what it has to be, or it is no key of its kind.
    Malformed,
    /// Its `use` or its `key_ops` say that it is not for checking signatures.
    NotForSignatures,
    /// It is published with its private half, so that anybody can sign with it.
    PrivateKey,
    /// An RSA exponent that is even, below 3 or over 33 bits.
    RsaExponent,
    /// An RSA key that is too small or too large.
    RsaSize,
    /// It is a secret, and what is published is none.
    Secret,
    /// Its `kty` or `crv` is one that no known algorithm uses.
    UnknownType,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "its `alg` is unknown or does not suit it",
            Self::DuplicateKid => "another key has the same `kid`",
            Self::Malformed => "it is malformed",
            Self::NotForSignatures => "it is not for checking signatures",
            Self::PrivateKey => "it is published with its private half",
            Self::RsaExponent => "its RSA exponent is even, below 3 or over 33 bits",
            Self::RsaSize => "its RSA modulus is below 2,048 bits or too large",
            Self::Secret => "it is a secret, and those are not taken from published sets",
            Self::UnknownType => "its `kty` or `crv` is not known",
        })
    }
}
