use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::document::Version;
use super::error::{PolicyError, PolicyErrorKind, quoted};
use super::{glob, variable};

/// The most characters a resource may have.
pub(super) const LONGEST_RESOURCE: usize = 512;

const INVOKE: &str = "execute-api:Invoke";

/// One entry of `Resource` or `NotResource`: an ARN in which `*` covers any run of characters, also of `/`,
/// and `?` exactly one byte.
///
/// Policies are best made with a [`PolicyBuilder`](super::PolicyBuilder), which escapes what is put into a path.
/// This type takes any text: search for `ResourcePattern::raw` to find where a program does that.
#[derive(Clone, Eq, PartialEq)]
pub struct ResourcePattern {
    text: Box<str>,
    marks: Marks,
}

/// What `${` is in a text, if it is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Marks {
    None,
    /// Text like any other: it stood in a policy of version 2008-10-17.
    Text,
    Variables,
}

impl ResourcePattern {
    /// Takes a pattern as it is written. Never put text of a client into one.
    ///
    /// # Errors
    ///
    /// When the pattern is empty or longer than 512 characters, when its first field is neither `arn` nor made of
    /// wildcards only, or when a policy variable in it is malformed.
    pub fn raw(text: impl Into<String>) -> Result<Self, PolicyError> {
        let pattern = Self::parse(&text.into())?;
        pattern.check_variables()?;
        Ok(pattern)
    }

    /// Everything but the variables, which mean nothing before it is known which version the policy has.
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.is_empty() {
            return Err(PolicyError::new(
                PolicyErrorKind::BadValue,
                "empty resource, expected an ARN or `*`",
            ));
        }
        if text.len() > LONGEST_RESOURCE && text.chars().nth(LONGEST_RESOURCE).is_some() {
            return Err(PolicyError::new(
                PolicyErrorKind::TooLong,
                format!("resource {} is longer than {LONGEST_RESOURCE} characters", quoted(text)),
            ));
        }
        let wild = |byte: u8| matches!(byte, b'*' | b'?');
        if !text.starts_with("arn:") && text != "arn" {
            let first = text.split(':').next().unwrap_or_default();
            if first.is_empty() || !first.bytes().all(wild) {
                return Err(PolicyError::new(
                    PolicyErrorKind::BadValue,
                    format!("resource {} is not an ARN, expected `arn:…` or `*`", quoted(text)),
                ));
            }
        }
        let has_marks = text.as_bytes().contains(&b'$') && text.contains("${");
        Ok(Self { text: text.into(), marks: if has_marks { Marks::Variables } else { Marks::None } })
    }

    /// Under version 2012-10-17: every variable is well formed and stands behind the fifth colon.
    pub(super) fn check_variables(&self) -> Result<(), PolicyError> {
        if !self.has_variables() {
            return Ok(());
        }
        let fixed = self.text.split_once("${").map_or(&*self.text, |(before, _)| before);
        if fixed.bytes().filter(|byte| *byte == b':').count() < 5 {
            return Err(PolicyError::new(
                PolicyErrorKind::BadVariable,
                format!(
                    "policy variable in {} stands before the fifth colon, where none may",
                    quoted(&self.text)
                ),
            ));
        }
        variable::check(&self.text)
    }

    /// For text that this crate wrote.
    pub(super) fn from_trusted(text: String) -> Self {
        Self { text: text.into_boxed_str(), marks: Marks::None }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) const fn has_variables(&self) -> bool {
        matches!(self.marks, Marks::Variables)
    }

    /// Whether it has what would be a variable in a policy of version 2012-10-17, and is none.
    pub(super) const fn has_marks_as_text(&self) -> bool {
        matches!(self.marks, Marks::Text)
    }

    /// Takes `${` for text, as in a policy of version 2008-10-17.
    pub(super) fn take_marks_as_text(&mut self) {
        if self.has_variables() {
            self.marks = Marks::Text;
        }
    }

    /// As it is written in a policy of this version.
    pub(super) fn written(&self, version: Version) -> Cow<'_, str> {
        match version {
            Version::V2012 if self.has_marks_as_text() => Cow::Owned(variable::escape(&self.text)),
            _ => Cow::Borrowed(&self.text),
        }
    }
}

impl FromStr for ResourcePattern {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::raw(text)
    }
}

impl fmt::Debug for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResourcePattern").field(&self.text).finish()
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One entry of `Action` or `NotAction`, such as `execute-api:Invoke`; case does not count, `*` and `?` are wildcards.
#[derive(Clone, Eq, PartialEq)]
pub struct ActionPattern {
    text: Cow<'static, str>,
    covers_invoke: bool,
}

impl ActionPattern {
    pub(super) const INVOKE: Self = Self { text: Cow::Borrowed(INVOKE), covers_invoke: true };

    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        if text == INVOKE {
            return Ok(Self::INVOKE);
        }
        if text == "*" {
            return Ok(Self { text: Cow::Borrowed("*"), covers_invoke: true });
        }
        if text == "execute-api:*" {
            return Ok(Self { text: Cow::Borrowed("execute-api:*"), covers_invoke: true });
        }
        let wildcards = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'*' | b'?'));
        if !wildcards && !text.contains(':') {
            return Err(PolicyError::new(
                PolicyErrorKind::BadValue,
                format!("action {} has no service, expected `execute-api:Invoke`", quoted(text)),
            ));
        }
        let covers_invoke = glob::matches_ignoring_case(text.as_bytes(), INVOKE.as_bytes());
        Ok(Self { text: Cow::Owned(text.to_owned()), covers_invoke })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it covers `execute-api:Invoke`, the only action that is ever asked for.
    #[must_use]
    pub const fn covers_invoke(&self) -> bool {
        self.covers_invoke
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match &self.text {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        }
    }
}

impl FromStr for ActionPattern {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::parse(text)
    }
}

impl fmt::Debug for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActionPattern").field(&self.text).finish()
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{ActionPattern, ResourcePattern};

    #[test]
    fn actions_need_a_service() {
        for (text, covers) in [
            ("*", true),
            ("**", true),
            ("execute-api:inv?ke", true),
            ("s3:*", false),
            ("?", false),
            ("*:*", true),
        ] {
            assert_eq!(text.parse::<ActionPattern>().unwrap().covers_invoke(), covers, "{text}");
        }
        for bad in ["", "Invoke", "execute-api*", "e*"] {
            assert!(bad.parse::<ActionPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn resources_begin_with_arn_or_wildcards() {
        for good in ["*", "arn", "arn:*", "**:x", "?*", "arn:aws:execute-api:r:1:a/${aws:x}"] {
            assert!(ResourcePattern::raw(good).is_ok(), "{good}");
        }
        let long = format!("arn:{}", "é".repeat(509));
        for bad in ["", "ar*", "GET/users", ":x", "arn*:x", "arn:aws:${x}:r:1:a", "arn:a:e:r:1:${x", &long] {
            assert!(ResourcePattern::raw(bad).is_err(), "{bad}");
        }
        assert!(ResourcePattern::raw(format!("arn:{}", "é".repeat(508))).is_ok());
    }
}
