//! What identity sources hold.

use std::borrow::Cow;

/// The value of one identity source.
#[derive(Clone)]
pub(crate) enum IdentityValue<'a> {
    /// A header: printable ASCII, unless it was only peeked at. A hit compares bytes and needs no `&str`, and to make one
    /// every byte would have to be looked at again: a tenth of what a hit takes, with a token of 800 bytes.
    Header(&'a [u8]),
    Text(Cow<'a, str>),
}

impl<'a> IdentityValue<'a> {
    /// A header that nobody has looked at.
    #[inline]
    pub(super) fn of_header(bytes: &'a [u8]) -> Self {
        Self::Header(bytes)
    }

    /// `None` if there is anything but printable ASCII.
    pub(super) fn printable(bytes: &'a [u8]) -> Option<Self> {
        // One maximum for all, so that the compiler can look at sixteen bytes at a time: below a space the difference
        // wraps round to more than any printable character has.
        let farthest = bytes.iter().fold(0, |farthest: u8, byte| farthest.max(byte.wrapping_sub(b' ')));
        (farthest <= b'~' - b' ').then_some(Self::Header(bytes))
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Header(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }

    /// Of a header that was only peeked at, something that no cache has a key for: a header's key is ASCII.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Header(bytes) => text(bytes),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Header(bytes) => text(bytes),
            Self::Text(text) => text,
        }
    }
}

/// `from_utf8_lossy` alone looks at every byte by itself: ten times as many instructions.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

impl<'a> From<Cow<'a, str>> for IdentityValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

/// The values of one request's identity sources, in the order of the sources.
///
/// The common case of a single source needs no list.
#[derive(Clone)]
pub(crate) enum Identity<'a> {
    One(IdentityValue<'a>),
    Many(Vec<IdentityValue<'a>>),
}

impl<'a> Identity<'a> {
    #[inline]
    pub(crate) fn values(&self) -> &[IdentityValue<'a>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: IdentityValue<'a>) {
        match self {
            Self::Many(values) if values.is_empty() => *self = Self::One(value),
            Self::Many(values) => values.push(value),
            Self::One(_) => {
                if let Self::One(first) = std::mem::replace(self, Self::Many(Vec::new())) {
                    *self = Self::Many(vec![first, value]);
                }
            }
        }
    }
}

impl Default for Identity<'_> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_is_what_ascii_prints() {
        for byte in 0..=u8::MAX {
            for at in [0, 15, 16, 40] {
                let mut bytes = [b'x'; 41];
                bytes[at] = byte;
                let is_printable = matches!(byte, 0x20..=0x7E);
                let value = IdentityValue::printable(&bytes);
                assert_eq!(value.is_some(), is_printable, "{byte}");
                if let Some(value) = value {
                    assert_eq!(value.into_text().as_bytes(), bytes);
                }
            }
        }
        assert!(IdentityValue::printable(b"").is_some());
    }
}
