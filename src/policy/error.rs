use std::error::Error;
use std::fmt;

/// A policy that was refused: where, what was found, and what would be right.
///
/// ```
/// use tower_lambda_authorizer::policy::PolicyDocument;
///
/// let error = PolicyDocument::from_json(r#"{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}"#)
///     .unwrap_err();
/// assert_eq!(error.location(), "Statement[0].Effect");
/// assert_eq!(
///     error.to_string(),
///     "malformed policy at Statement[0].Effect: unknown effect `allow`, expected `Allow` or `Deny`"
/// );
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyError {
    kind: PolicyErrorKind,
    location: String,
    message: String,
}

/// What kind of mistake a policy holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// A literal that its place does not take: an action, a resource, a number, a date, a network.
    BadValue,
    /// A policy variable that is not written as `${key}` or `${key, 'default'}`, or stands where none may.
    BadVariable,
    /// A key that is there twice, also in another case where case does not count.
    Duplicate,
    /// An element that has to be there is not.
    Missing,
    /// The text is not JSON, or a value has the wrong JSON type.
    Syntax,
    /// A template of a [`PolicyBuilder`](super::PolicyBuilder) or a value put into it.
    Template,
    /// A limit was passed.
    TooLong,
    /// An element, operator or version that this crate does not know.
    Unknown,
}

impl PolicyError {
    pub(super) fn new(kind: PolicyErrorKind, message: impl Into<String>) -> Self {
        Self { kind, location: String::new(), message: printable(&message.into(), 512) }
    }

    pub(super) fn with_location(mut self, location: impl Into<String>) -> Self {
        self.location = printable(&location.into(), 256);
        self
    }

    /// What kind of mistake it is.
    #[must_use]
    pub const fn kind(&self) -> PolicyErrorKind {
        self.kind
    }

    /// The path to the mistake, such as `Statement[2].Condition.IpAddress`; empty for the whole text.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What was found and what would be right, without the location.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed policy")?;
        if !self.location.is_empty() {
            write!(f, " at {}", self.location)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Error for PolicyError {}

/// An ARN, or one of its fields, that was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArnError {
    message: String,
}

impl ArnError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for ArnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ArnError {}

/// Text of the input for an error message: in backticks, cut when long, without control characters.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", printable(text, 64))
}

/// The text, cut when long, without control characters: what comes from outside may end up in a log.
pub(crate) fn printable(text: &str, longest: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(longest)
        .map(|character| if character.is_control() { '\u{FFFD}' } else { character })
        .collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoted_input_is_short_and_printable() {
        assert_eq!(quoted("a\nb"), "`a\u{FFFD}b`");
        assert_eq!(quoted(&"x".repeat(80)).chars().count(), 64 + 3);
    }
}
