//! Keys of Ed25519.

use super::error::SkipReason;
use crate::jwt::crypto::Material;

/// The points of small order, in every way in which they can be written, save for the bit of the sign. Multiplied by
/// what a signature is about, such a key is one of eight points, whoever signs: anybody can. Backends take them.
const SMALL_ORDER: [[u8; 32]; 7] = [
    number(0x00, 0x00, 0x00),
    number(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    // One less than the prime, the prime, and one more.
    number(0xec, 0xff, 0x7f),
    number(0xed, 0xff, 0x7f),
    number(0xee, 0xff, 0x7f),
];

/// A number, its least significant byte first.
const fn number(first: u8, others: u8, last: u8) -> [u8; 32] {
    let mut bytes = [others; 32];
    [bytes[0], bytes[31]] = [first, last];
    bytes
}

/// A point that only one can sign for.
pub(super) fn ed25519(point: &[u8]) -> Result<Material, SkipReason> {
    let mut unsigned: [u8; 32] = point.try_into().map_err(|_| SkipReason::Malformed)?;
    let [.., last] = &mut unsigned;
    *last &= 0x7f;
    if SMALL_ORDER.contains(&unsigned) {
        return Err(SkipReason::Malformed);
    }
    Ok(Material::Ed25519(point.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_anybody_can_sign_for_are_no_keys() {
        for mut point in SMALL_ORDER {
            for sign in [0, 0x80] {
                point[31] = point[31] & 0x7f | sign;
                assert!(ed25519(&point).is_err(), "{point:02x?}");
            }
        }
        let base = number(0x58, 0x66, 0x66);
        assert!(ed25519(&base).is_ok());
        assert!(ed25519(&base[..31]).is_err() && ed25519(&[&base[..], &[0]].concat()).is_err());
    }
}
