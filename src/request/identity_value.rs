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

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Header(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }

    /// Of a header that was only peeked at, something that no cache has a key for: a header's key is ASCII.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Header(bytes) => String::from_utf8_lossy(bytes),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Header(bytes) => String::from_utf8_lossy(bytes),
            Self::Text(text) => text,
        }
    }
}

impl<'a> From<Cow<'a, str>> for IdentityValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

/// The values of one request's identity sources, in the order of the sources.
///
/// The first is kept apart, so that the common case of a single source needs no list.
#[derive(Clone, Default)]
pub(crate) struct Identity<'a> {
    first: Option<IdentityValue<'a>>,
    rest: Vec<IdentityValue<'a>>,
}

impl<'a> Identity<'a> {
    pub(crate) fn push(&mut self, value: IdentityValue<'a>) {
        match &self.first {
            None => self.first = Some(value),
            Some(_) => self.rest.push(value),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &IdentityValue<'a>> {
        self.first.iter().chain(&self.rest)
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
