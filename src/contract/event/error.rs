//! What can be wrong with an event that arrives as JSON.

use serde_json::Value;

use crate::policy::printable;

/// An event that no gateway sends: where, what was found, and what would be right.
///
/// It never repeats a header's, a cookie's or a query's value: those may be secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventError {
    location: Box<str>,
    message: Box<str>,
}

impl EventError {
    pub(super) fn new(location: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self {
            location: printable(&location.into(), 128).into(),
            message: printable(&message.into(), 256).into(),
        }
    }

    pub(super) fn missing(location: impl Into<Box<str>>) -> Self {
        Self::new(location, "it is missing")
    }

    pub(super) fn wrong_type(location: impl Into<Box<str>>, expected: &str, found: &Value) -> Self {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Self::new(location, format!("expected {expected}, found {found}"))
    }

    /// The member that is wrong, such as `requestContext.identity.sourceIp`; empty if it is the whole event.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }
}

impl std::fmt::Display for EventError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.location {
            "" => write!(f, "malformed event: {}", self.message),
            location => write!(f, "malformed event at `{location}`: {}", self.message),
        }
    }
}

impl std::error::Error for EventError {}

#[cfg(test)]
mod tests {
    use super::EventError;

    #[test]
    fn what_was_found_is_repeated_short_and_printable() {
        let error = EventError::new("a\nb", format!("unknown type `{}\u{7f}`", "x".repeat(1_000)));
        assert_eq!(error.location(), "a\u{FFFD}b");
        assert!(error.to_string().chars().count() < 320 && !error.to_string().contains(char::is_control));
        assert_eq!(EventError::new("", "a\rb").to_string(), "malformed event: a\u{FFFD}b");
    }
}
