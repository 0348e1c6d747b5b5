//! Numbers that stand for texts, to tell most of them apart quickly.

const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xC2B2_AE3D_27D4_EB4F;

/// The first eight bytes as a number, with zeros for those that are not there.
#[inline]
pub(super) fn first_bytes(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*first);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let shift = (text.len() - 4) * 8;
        return u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)) << shift);
    }
    // Written out, because most methods have three bytes.
    match *text {
        [] => 0,
        [first] => u64::from_le_bytes([first, 0, 0, 0, 0, 0, 0, 0]),
        [first, second] => u64::from_le_bytes([first, second, 0, 0, 0, 0, 0, 0]),
        [first, second, third, ..] => u64::from_le_bytes([first, second, third, 0, 0, 0, 0, 0]),
    }
}

/// The last eight bytes as a number, with zeros in front of those that are there.
#[inline]
pub(super) fn last_bytes(text: &[u8]) -> u64 {
    if let Some(last) = text.last_chunk::<8>() {
        return u64::from_le_bytes(*last);
    }
    let unused = u32::try_from((8 - text.len()) * 8).unwrap_or_default();
    first_bytes(text).checked_shl(unused).unwrap_or_default()
}

/// Whether any of eight bytes is a slash.
#[inline]
pub(super) fn has_slash(bytes: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zero_where_slash = bytes ^ (ONES * 0x2F);
    zero_where_slash.wrapping_sub(ONES) & !zero_where_slash & (ONES << 7) != 0
}

/// Which pairs of bytes stand beside each other in a text, each as one of 128 bits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Pairs {
    low: u64,
    high: u64,
}

impl Pairs {
    /// Those that every text has which a pattern covers.
    pub(super) fn needed(pattern: &[u8]) -> Self {
        let wild = |byte: u8| matches!(byte, b'*' | b'?');
        let mut pairs = Self::default();
        for pair in pattern.windows(2) {
            if let [left, right] = pair
                && !wild(*left)
                && !wild(*right)
            {
                pairs.add(*left, *right);
            }
        }
        pairs
    }

    /// Those of a text that comes in parts.
    pub(super) fn of(parts: [&str; 3]) -> Self {
        let mut pairs = Self::default();
        let mut last = None;
        for part in parts.map(str::as_bytes) {
            if let (Some(last), Some(first)) = (last, part.first()) {
                pairs.add(last, *first);
            }
            for pair in part.windows(2) {
                if let [left, right] = pair {
                    pairs.add(*left, *right);
                }
            }
            last = part.last().copied().or(last);
        }
        pairs
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Half of them tell nearly all patterns apart, and take half of the instructions.
    #[inline]
    pub(super) const fn may_be_among(self, others: Self) -> bool {
        self.low & !others.low == 0
    }

    #[inline]
    pub(super) const fn are_among(self, others: Self) -> bool {
        self.low & !others.low == 0 && self.high & !others.high == 0
    }

    #[inline]
    fn add(&mut self, left: u8, right: u8) {
        let mixed = u32::from(u16::from_le_bytes([left, right])).wrapping_mul(0x9E37_79B1);
        let bit = 1 << (mixed >> 26);
        let in_high = 0_u64.wrapping_sub(u64::from(mixed >> 25 & 1));
        self.low |= bit & !in_high;
        self.high |= bit & in_high;
    }
}

/// A hash by folded multiplication, sixteen bytes at a time. It need not withstand anybody: equal hashes cost a
/// comparison and decide nothing.
#[inline]
pub(super) fn hash(bytes: &[u8], seed: u64) -> u64 {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(FIRST);
    let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
        return fold(state, first_bytes(bytes) ^ SECOND);
    };
    let mut rest = bytes;
    while let Some((left, behind)) = rest.split_first_chunk::<8>()
        && let Some((right, behind)) = behind.split_first_chunk::<8>()
        && !behind.is_empty()
    {
        state = fold(state ^ word(left), word(right) ^ SECOND);
        rest = behind;
    }
    let first = rest.first_chunk::<8>().unwrap_or(first);
    fold(state ^ word(first), word(last) ^ SECOND)
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}

#[cfg(test)]
mod tests {
    use super::{first_bytes, has_slash, last_bytes};

    #[test]
    fn short_texts_are_numbers_with_zeros() {
        let bytes = *b"abcdefghij";
        for length in 0..=10 {
            let text = &bytes[..length];
            let mut first = [0; 8];
            let kept = length.min(8);
            first[..kept].copy_from_slice(&text[..kept]);
            assert_eq!(first_bytes(text), u64::from_le_bytes(first), "{length}");
            let mut last = [0; 8];
            last[8 - kept..].copy_from_slice(&text[length - kept..]);
            assert_eq!(last_bytes(text), u64::from_le_bytes(last), "{length}");
        }
    }

    #[test]
    fn a_slash_is_seen_wherever_it_is() {
        for text in ["", "GET", "OPTIONS", "a.b0-_~A"] {
            assert!(!has_slash(first_bytes(text.as_bytes())), "{text}");
        }
        for at in 0..8 {
            let mut bytes = *b"........";
            bytes[at] = b'/';
            assert!(has_slash(u64::from_le_bytes(bytes)), "{at}");
        }
        for byte in 0..=u8::MAX {
            assert_eq!(has_slash(u64::from(byte) << 24), byte == b'/', "{byte}");
        }
    }
}
