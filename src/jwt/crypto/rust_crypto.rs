//! Signatures with the RustCrypto backend of `jsonwebtoken`. It has no form for prepared keys: each signature costs
//! reading the key again.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

use super::Material;
use crate::jwt::algorithm::Algorithm;

/// It refuses larger ones itself.
pub(super) const MAX_RSA_BITS: usize = 4096;

pub(super) struct Verifier {
    algorithm: jsonwebtoken::Algorithm,
    key: DecodingKey,
}

impl Verifier {
    pub(super) fn new(algorithm: Algorithm, material: &Material) -> Option<Self> {
        if algorithm.family() != material.family() {
            return None;
        }
        let key = match material {
            Material::Ed25519(point) => DecodingKey::from_ed_der(point),
            Material::Hmac(secret) => DecodingKey::from_secret(secret),
            Material::P256(point) | Material::P384(point) => DecodingKey::from_ec_der(point),
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        };
        let algorithm = foreign(algorithm);
        // Says now what it would say at the first signature.
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).ok()?;
        Some(Self { algorithm, key })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        // The trait asks for an owned signature.
        let signature = signature.to_vec();
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message, &signature).is_ok())
    }
}

const fn foreign(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs384 => jsonwebtoken::Algorithm::HS384,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    }
}
