//! Answers as JSON, as API Gateway accepts them.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{AuthorizerResponse, Form};
use crate::contract::{Context, ContextValue};

impl AuthorizerResponse {
    /// The answer as a Lambda function returns it.
    ///
    /// Members that have nothing to say are left out. A maximum age and a challenge for denials have no place in it.
    ///
    /// ```
    /// use tower_lambda_authorizer::AuthorizerResponse;
    ///
    /// let answer = AuthorizerResponse::simple(true).with_context("plan", "free");
    /// assert_eq!(answer.to_json(), r#"{"isAuthorized":true,"context":{"plan":"free"}}"#);
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only map keys that are no strings and failing writers make it fail, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for AuthorizerResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.form {
            Form::Policy { principal_id, policy } => {
                if let Some(principal_id) = principal_id {
                    map.serialize_entry("principalId", principal_id)?;
                }
                map.serialize_entry("policyDocument", policy)?;
            }
            Form::Simple { is_authorized } => map.serialize_entry("isAuthorized", is_authorized)?,
        }
        if !self.context.is_empty() {
            map.serialize_entry("context", &self.context)?;
        }
        if let (Form::Policy { .. }, Some(key)) = (&self.form, &self.usage_identifier_key) {
            map.serialize_entry("usageIdentifierKey", key)?;
        }
        map.end()
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for ContextValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Array(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Null => serializer.serialize_unit(),
            Self::Number(number) => number.serialize(serializer),
            Self::Object(context) => context.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}
