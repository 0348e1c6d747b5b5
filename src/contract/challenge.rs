//! What a refused client is told about how to be let in.

use http::HeaderValue;

/// The value of a `WWW-Authenticate` header: a scheme, and perhaps its parameters.
///
/// ```
/// use tower_lambda_authorizer::contract::Challenge;
///
/// let challenge = Challenge::new(r#"Bearer realm="orders", error="invalid_token""#)?;
/// assert_eq!(challenge.as_str(), r#"Bearer realm="orders", error="invalid_token""#);
/// assert!(Challenge::new("Bearer\r\nset-cookie: a=b").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Challenge(HeaderValue);

impl Challenge {
    /// The longest challenge, in bytes.
    pub const MAX_LENGTH: usize = 1024;

    /// A challenge as it stands in the header.
    ///
    /// # Errors
    ///
    /// If it does not start with a scheme, holds anything but printable ASCII, ends in a space or is longer than
    /// [1 KiB](Self::MAX_LENGTH).
    pub fn new(value: &str) -> Result<Self, ChallengeError> {
        if value.len() > Self::MAX_LENGTH {
            return Err(ChallengeError::TooLong);
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) || value.ends_with(' ') {
            return Err(ChallengeError::NotPrintable);
        }
        let scheme = value.split(' ').next().unwrap_or_default();
        if scheme.is_empty() || !scheme.bytes().all(is_token_byte) {
            return Err(ChallengeError::NoScheme);
        }
        HeaderValue::from_str(value).map(Self).map_err(|_| ChallengeError::NotPrintable)
    }

    /// `Bearer`, without parameters.
    #[must_use]
    pub fn bearer() -> Self {
        Self(HeaderValue::from_static("Bearer"))
    }

    /// The text of the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The header's value.
    #[must_use]
    pub fn as_header_value(&self) -> &HeaderValue {
        &self.0
    }
}

/// A byte of a token, as HTTP has it.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A text that is no challenge. It is not repeated in the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChallengeError {
    /// It does not start with the name of a scheme.
    NoScheme,
    /// It holds something other than printable ASCII, or ends in a space.
    NotPrintable,
    /// It is over [`Challenge::MAX_LENGTH`].
    TooLong,
}

impl std::fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "a challenge starts with a scheme: write `Bearer`, or `Bearer realm=\"…\"`",
            Self::NotPrintable => "a challenge is printable ASCII without a space at its end",
            Self::TooLong => "a challenge has at most 1,024 bytes",
        })
    }
}

impl std::error::Error for ChallengeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_challenge_gets_into_the_header() {
        for good in ["Bearer", "Basic realm=\"x\"", "Bearer scope=\"\" error=\"invalid_token\"", "a, b c=d"] {
            // The last one is a list whose first scheme ends in a comma, which is no scheme.
            assert_eq!(Challenge::new(good).is_ok(), !good.starts_with("a,"), "{good}");
        }
        for bad in
            ["", " Bearer", "Bearer ", "Bea\"rer", "Bearer é", "Bearer\t", "Bearer\r\nx: y", "Bearer\0"]
        {
            assert!(Challenge::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Challenge::new(&"a".repeat(1025)), Err(ChallengeError::TooLong));
    }
}
