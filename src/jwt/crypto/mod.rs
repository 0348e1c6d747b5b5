//! Signatures, and nothing else: which keys and which algorithms may be used is decided before.
//!
//! A backend is called directly. The process-wide default of `jsonwebtoken` is never asked: it panics in a program
//! in which both of its backends are compiled and none was installed.

#[cfg(feature = "jwt")]
mod aws_lc;
#[cfg(all(feature = "jwt-rust-crypto", any(test, not(feature = "jwt"))))]
#[cfg_attr(feature = "jwt", expect(dead_code, reason = "tests compare it with the backend that is in use"))]
mod rust_crypto;
mod self_test;

#[cfg(feature = "jwt")]
use aws_lc as backend;
#[cfg(not(feature = "jwt"))]
use rust_crypto as backend;
pub(super) use self_test::passed as self_test_passed;

use super::algorithm::{Algorithm, Family};

/// The largest RSA keys, in bits. What is larger costs whoever checks it more than it gains.
pub(super) const MAX_RSA_BITS: usize = backend::MAX_RSA_BITS;

/// What a key is made of. It was checked for its size and its form.
pub(super) enum Material {
    /// The 32 bytes of a point.
    Ed25519(Box<[u8]>),
    /// A secret.
    Hmac(Box<[u8]>),
    /// A point, uncompressed: `04`, x and y.
    P256(Box<[u8]>),
    /// A point, uncompressed: `04`, x and y.
    P384(Box<[u8]>),
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
}

impl Material {
    pub(super) const fn family(&self) -> Family {
        match self {
            Self::Ed25519(_) => Family::Ed25519,
            Self::Hmac(_) => Family::Hmac,
            Self::P256(_) => Family::P256,
            Self::P384(_) => Family::P384,
            Self::Rsa { .. } => Family::Rsa,
        }
    }
}

/// A key that is ready to check signatures of one algorithm.
pub(super) struct Verifier(backend::Verifier);

impl Verifier {
    /// `None` if the key is none, such as a point that is not on the curve, or is one of another algorithm.
    pub(super) fn new(algorithm: Algorithm, material: &Material) -> Option<Self> {
        backend::Verifier::new(algorithm, material).map(Self)
    }

    /// Whether `signature` is one of `message`.
    #[must_use]
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(message, signature)
    }
}
