//! Condition keys with values of a test's choosing.

use crate::policy::{ConditionContext, ConditionKey, ConditionValue};

/// The values of condition keys. A key that was not given one is absent.
///
/// ```
/// use tower_lambda_authorizer::policy::PolicyDocument;
/// use tower_lambda_authorizer::testing::{TestConditions, assert_allows, assert_denies};
///
/// let policy = PolicyDocument::from_json(
///     r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
///         "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}"#,
/// )?;
/// let inside = TestConditions::new().with("aws:SourceIp", "10.1.2.3");
/// assert_allows!(policy, GET "/users", inside);
/// assert_denies!(policy, GET "/users", inside.with("aws:SourceIp", "192.0.2.1"));
/// # Ok::<(), tower_lambda_authorizer::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TestConditions(Vec<(ConditionKey, ConditionValue<'static>)>);

impl TestConditions {
    /// No key has a value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key a value, as text. The last value that it is given counts.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_value(key, ConditionValue::Text(value.into().into()))
    }

    /// Makes a key one of which nobody knows whether it has a value, and which.
    #[must_use]
    pub fn with_unavailable(self, key: &str) -> Self {
        self.with_value(key, ConditionValue::Unavailable)
    }

    /// Gives a key a value of any type.
    #[must_use]
    pub fn with_value(mut self, key: &str, value: ConditionValue<'static>) -> Self {
        self.0.push((ConditionKey::from(key), value));
        self
    }
}

impl ConditionContext for TestConditions {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        let known = self.0.iter().rev().find(|(known, _)| known == key);
        known.map_or(ConditionValue::Absent, |(_, value)| value.clone())
    }
}
