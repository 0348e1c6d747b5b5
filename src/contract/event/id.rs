//! The id of a request.

/// The id of one request, made by us: no client can choose it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RequestId(u128);

impl RequestId {
    /// From random bits. They tell requests apart in logs; they are no secret and protect nothing.
    pub(crate) fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The other spelling that API Gateway has for ids: sixteen characters, as in `JKJaXmPLvHcESHA=`.
    pub(super) fn extended(self) -> String {
        short(self.0)
    }

    /// The id of a connection; no other request has the same.
    pub(super) fn connection(self) -> String {
        short(self.0.rotate_right(40))
    }
}

/// Printed as a version 4 UUID, as API Gateway's ids are.
///
/// Digit by digit, since every refusal has one: `{:08x}` and the like took six times as many instructions, a quarter of
/// all that a refusal took.
impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const VERSION: u128 = 0xF << 76;
        const VARIANT: u128 = 0x3 << 62;
        let mut digits = (self.0 & !VERSION | 0x4 << 76) & !VARIANT | 0x2 << 62;
        let mut text = [b'-'; 36];
        for (at, letter) in text.iter_mut().enumerate() {
            if !matches!(at, 8 | 13 | 18 | 23) {
                digits = digits.rotate_left(4);
                let digit = u8::try_from(digits & 0xF).unwrap_or_default();
                *letter = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
    }
}

/// Ninety bits as letters, digits, `-` and `_`, and a `=`.
fn short(bits: u128) -> String {
    let mut text = String::with_capacity(16);
    for at in 0..15 {
        let six = u8::try_from(bits >> (at * 6) & 0x3F).unwrap_or_default();
        let letter = match six {
            0..=25 => b'A' + six,
            26..=51 => b'a' + six - 26,
            52..=61 => b'0' + six - 52,
            62 => b'-',
            _ => b'_',
        };
        text.push(char::from(letter));
    }
    text.push('=');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_look_like_uuids() {
        assert_eq!(RequestId(0).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(RequestId(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn short_ids_have_sixteen_characters() {
        assert_eq!(RequestId(0).extended(), "AAAAAAAAAAAAAAA=");
        assert_eq!(RequestId(u128::MAX).connection(), "_______________=");
        let id = RequestId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_ne!(id.extended(), id.connection());
    }
}
