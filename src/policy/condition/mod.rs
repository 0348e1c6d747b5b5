mod date;
mod evaluate;
mod network;
mod number;
mod operand;
mod operator;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::context::ConditionKey;
use super::document::Version;
use super::error::{PolicyError, PolicyErrorKind};
use super::variable;
use operand::Operands;

pub(super) use evaluate::text_of;
pub(super) use operator::Operator;

/// One operator applied to one key, such as `"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}`.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::policy::{Condition, StageArn};
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// let policy = stage
///     .policy()
///     .allow(Method::GET, "/reports/*")
///     .with_condition(Condition::new("IpAddress", "aws:SourceIp", ["203.0.113.0/24"])?)
///     .with_condition(Condition::new("DateLessThan", "aws:CurrentTime", ["2030-01-01T00:00:00Z"])?)
///     .build()?;
/// assert_eq!(policy.statements()[0].conditions().len(), 2);
///
/// let error = Condition::new("IpAddress", "aws:SourceIp", ["203.0.113.0/33"]).unwrap_err();
/// assert_eq!(error.location(), "Condition.IpAddress.aws:SourceIp");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Condition {
    operator: Operator,
    key: ConditionKey,
    name: Box<str>,
    texts: Vec<Box<str>>,
    /// That of the policy in which the values are written so.
    version: Version,
    operands: Operands,
}

impl Condition {
    /// A condition by the name of its operator, its key and its values, written as in a policy of version 2012-10-17.
    ///
    /// # Errors
    ///
    /// When the operator is unknown, the key is empty, there is no value, or a value is not one for this operator.
    pub fn new<V: Into<String>>(
        operator: &str,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, PolicyError> {
        let at_operator = |error: PolicyError| error.with_location("Condition");
        let parsed = Operator::parse(operator).map_err(at_operator)?;
        let texts = values.into_iter().map(|value| value.into().into_boxed_str()).collect();
        let at_key = |error: PolicyError| error.with_location(format!("Condition.{operator}.{key}"));
        let mut condition = Self::unchecked(parsed, key, texts).map_err(at_key)?;
        condition.compile(Version::V2012).map_err(at_key)?;
        Ok(condition)
    }

    /// Before it is known what its values mean.
    pub(super) fn unchecked(
        operator: Operator,
        key: &str,
        texts: Vec<Box<str>>,
    ) -> Result<Self, PolicyError> {
        if key.is_empty() {
            return Err(PolicyError::new(PolicyErrorKind::BadValue, "empty condition key, expected a name"));
        }
        if texts.is_empty() {
            let message = "empty list of values, expected at least one";
            return Err(PolicyError::new(PolicyErrorKind::BadValue, message));
        }
        Ok(Self {
            operator,
            key: ConditionKey::from(key),
            name: key.into(),
            texts,
            version: Version::V2012,
            operands: Operands::Invalid,
        })
    }

    /// Reads the values, which mean different things in different versions.
    pub(super) fn compile(&mut self, version: Version) -> Result<(), PolicyError> {
        self.version = version;
        self.operands = Operands::Invalid;
        self.operands = Operands::parse(self.operator, &self.texts, version)?;
        Ok(())
    }

    fn has_marks(&self) -> bool {
        self.operator.takes_variables() && self.texts.iter().any(|text| text.contains("${"))
    }

    pub(super) fn has_variables(&self) -> bool {
        self.version == Version::V2012 && self.has_marks()
    }

    /// The values as they are written in a policy of this version.
    pub(super) fn written(&self, version: Version) -> Vec<Cow<'_, str>> {
        let is_escaped = version == Version::V2012 && self.version == Version::V2008 && self.has_marks();
        let written =
            |text| if is_escaped { Cow::Owned(variable::escape(text)) } else { Cow::Borrowed(text) };
        self.values().map(written).collect()
    }

    /// The operator as it is written, with its prefix and suffix.
    #[must_use]
    pub fn operator(&self) -> String {
        self.operator.to_string()
    }

    pub(super) const fn parsed_operator(&self) -> Operator {
        self.operator
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &ConditionKey {
        &self.key
    }

    /// The key as it was written.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.name
    }

    /// The values as they were written.
    #[must_use]
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts = self.texts.capacity() * size_of::<Box<str>>();
        let other = if let ConditionKey::Other(name) = &self.key { name.len() } else { 0 };
        self.name.len()
            + other
            + texts
            + self.texts.iter().map(|text| text.len()).sum::<usize>()
            + self.operands.heap_bytes()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        let is_alike = self.version == other.version || !self.has_marks();
        is_alike && self.operator == other.operator && self.name == other.name && self.texts == other.texts
    }
}

impl Eq for Condition {}
