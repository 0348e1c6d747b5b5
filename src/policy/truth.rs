/// True, false, or unknown because of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Truth<'p> {
    False,
    True,
    Unknown(&'p str),
}

impl<'p> Truth<'p> {
    pub(super) const fn from_bool(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    /// Whether all are true: one that is false settles it, whatever is unknown beside it.
    pub(super) fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for item in items {
            match item {
                Self::False => return Self::False,
                Self::Unknown(_) if result == Self::True => result = item,
                Self::True | Self::Unknown(_) => {}
            }
        }
        result
    }

    /// Whether any is true: one that is settles it, whatever is unknown beside it.
    pub(super) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for item in items {
            match item {
                Self::True => return Self::True,
                Self::Unknown(_) if result == Self::False => result = item,
                Self::False | Self::Unknown(_) => {}
            }
        }
        result
    }

    /// The opposite, if `negated`.
    pub(super) const fn negated_if(self, negated: bool) -> Self {
        match (self, negated) {
            (Self::True, true) => Self::False,
            (Self::False, true) => Self::True,
            (same, _) => same,
        }
    }
}
