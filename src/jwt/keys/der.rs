//! As much of DER as public keys need.

use super::ed25519::ed25519;
use super::error::SkipReason;
use super::jwk::rsa;
use crate::jwt::crypto::Material;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP_384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED_25519: &[u8] = &[0x2b, 0x65, 0x70];

/// `SubjectPublicKeyInfo` (RFC 5280).
pub(super) fn subject_public_key_info(der: &[u8]) -> Result<Material, SkipReason> {
    let mut whole = Reader(der);
    let mut info = whole.inside(SEQUENCE)?;
    whole.end()?;
    let mut algorithm = info.inside(SEQUENCE)?;
    let bits = info.take(BIT_STRING)?;
    info.end()?;
    // The first byte says how many bits at the end do not count.
    let [0, key @ ..] = bits else { return Err(SkipReason::Malformed) };
    match algorithm.take(OBJECT_ID)? {
        RSA_ENCRYPTION => rsa_public_key(key),
        EC_PUBLIC_KEY => {
            let curve = algorithm.take(OBJECT_ID)?;
            match (curve, key) {
                (PRIME_256, [4, point @ ..]) if point.len() == 64 => Ok(Material::P256(key.into())),
                (SECP_384, [4, point @ ..]) if point.len() == 96 => Ok(Material::P384(key.into())),
                (PRIME_256 | SECP_384, _) => Err(SkipReason::Malformed),
                _ => Err(SkipReason::UnknownType),
            }
        }
        ED_25519 => ed25519(key),
        _ => Err(SkipReason::UnknownType),
    }
}

/// `RSAPublicKey` (RFC 8017).
pub(super) fn rsa_public_key(der: &[u8]) -> Result<Material, SkipReason> {
    let mut whole = Reader(der);
    let mut key = whole.inside(SEQUENCE)?;
    whole.end()?;
    let (n, e) = (key.take(INTEGER)?, key.take(INTEGER)?);
    key.end()?;
    let is_negative = |number: &[u8]| number.first().is_none_or(|byte| *byte >= 0x80);
    if is_negative(n) || is_negative(e) {
        return Err(SkipReason::Malformed);
    }
    rsa(n, e)
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next element, which has to be of that kind.
    fn take(&mut self, kind: u8) -> Result<&'a [u8], SkipReason> {
        let (length, rest) = match self.0 {
            [found, ..] if *found != kind => return Err(SkipReason::Malformed),
            [_, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
            [_, 0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
            [_, 0x82, high @ 1..=0xff, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
            _ => return Err(SkipReason::Malformed),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(SkipReason::Malformed)?;
        self.0 = rest;
        Ok(content)
    }

    fn inside(&mut self, kind: u8) -> Result<Self, SkipReason> {
        self.take(kind).map(Self)
    }

    const fn end(&self) -> Result<(), SkipReason> {
        if self.0.is_empty() { Ok(()) } else { Err(SkipReason::Malformed) }
    }
}
