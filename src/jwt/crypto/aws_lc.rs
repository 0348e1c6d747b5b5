//! Signatures with aws-lc-rs. Keys are brought into its form once.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};

use super::Material;
use crate::jwt::algorithm::Algorithm;

pub(super) const MAX_RSA_BITS: usize = 8192;

pub(super) enum Verifier {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl Verifier {
    pub(super) fn new(algorithm: Algorithm, material: &Material) -> Option<Self> {
        let public = match (algorithm, material) {
            (Algorithm::Rs256, Material::Rsa { n, e }) => rsa(n, e, &RSA_PKCS1_2048_8192_SHA256),
            (Algorithm::Rs384, Material::Rsa { n, e }) => rsa(n, e, &RSA_PKCS1_2048_8192_SHA384),
            (Algorithm::Rs512, Material::Rsa { n, e }) => rsa(n, e, &RSA_PKCS1_2048_8192_SHA512),
            (Algorithm::Ps256, Material::Rsa { n, e }) => rsa(n, e, &RSA_PSS_2048_8192_SHA256),
            (Algorithm::Ps384, Material::Rsa { n, e }) => rsa(n, e, &RSA_PSS_2048_8192_SHA384),
            (Algorithm::Ps512, Material::Rsa { n, e }) => rsa(n, e, &RSA_PSS_2048_8192_SHA512),
            (Algorithm::Es256, Material::P256(point)) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()
            }
            (Algorithm::Es384, Material::P384(point)) => {
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).ok()
            }
            (Algorithm::EdDsa, Material::Ed25519(point)) => ParsedPublicKey::new(&ED25519, point).ok(),
            (Algorithm::Hs256, Material::Hmac(secret)) => return Some(hmac(hmac::HMAC_SHA256, secret)),
            (Algorithm::Hs384, Material::Hmac(secret)) => return Some(hmac(hmac::HMAC_SHA384, secret)),
            (Algorithm::Hs512, Material::Hmac(secret)) => return Some(hmac(hmac::HMAC_SHA512, secret)),
            _ => None,
        };
        public.map(Self::Public)
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            // The tag is compared whole and in constant time.
            Self::Secret(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

fn rsa(n: &[u8], e: &[u8], parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()
}

fn hmac(algorithm: hmac::Algorithm, secret: &[u8]) -> Verifier {
    Verifier::Secret(Box::new(hmac::Key::new(algorithm, secret)))
}
