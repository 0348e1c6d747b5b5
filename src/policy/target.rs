//! The spellings of a request that patterns are compared with.

use super::hash::{first_bytes, has_slash, last_bytes};

/// Spellings of a path: those that a target is in, or that an entry is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Spellings(u8);

impl Spellings {
    pub(super) const ALL: Self = Self(0b11);
    /// The ARN's.
    pub(super) const ARN: Self = Self(0b01);
    /// What came from the client, where that is another.
    pub(super) const SENT: Self = Self(0b10);

    pub(super) const fn include(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One spelling of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) prefix: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) spelling: Spellings,
    /// Method and path cannot be told apart in the text they make together.
    pub(super) is_odd: bool,
    pub(super) method_start: u64,
    pub(super) path_start: u64,
    pub(super) path_end: u64,
}

impl<'a> Target<'a> {
    #[inline(always)]
    pub(super) fn new(prefix: &'a str, method: &'a str, path: &'a str, spelling: Spellings) -> Self {
        let method_start = first_bytes(method.as_bytes());
        let slash_in_method =
            if method.len() <= 8 { has_slash(method_start) } else { method.as_bytes().contains(&b'/') };
        Self {
            prefix,
            method,
            path,
            spelling,
            is_odd: path.as_bytes().first() != Some(&b'/') || slash_in_method,
            method_start,
            path_start: first_bytes(path.as_bytes()),
            path_end: last_bytes(path.as_bytes()),
        }
    }

    pub(super) fn with_method(self, method: &'a str) -> Self {
        Self::new(self.prefix, method, self.path, self.spelling)
    }

    pub(super) fn with_path(self, path: &'a str, spelling: Spellings) -> Self {
        Self::new(self.prefix, self.method, path, spelling)
    }
}
