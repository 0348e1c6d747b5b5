//! Claims on their way into a context.

use std::time::Duration;

use serde_json::Value;

use super::claims::Claims;
use super::config_error::JwtConfigError;
use crate::contract::{AuthorizerResponse, ContextValue, claim_date};

/// The names that one kind of API or another keeps for itself.
const RESERVED: [&str; 5] = ["authorizerExpiresAt", "claims", "integrationLatency", "principalId", "scopes"];

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Which claims a handler is told, and under which names.
#[derive(Clone, Debug, Default)]
pub(super) struct ContextClaims(pub(super) Vec<(String, String)>);

impl ContextClaims {
    pub(super) fn check(&self) -> Result<(), JwtConfigError> {
        for (index, (_, name)) in self.0.iter().enumerate() {
            let is_repeated = self.0.iter().skip(index + 1).any(|(_, other)| other == name);
            if name.is_empty() || is_reserved(name) || is_repeated {
                return Err(JwtConfigError::ContextName { name: name.as_str().into() });
            }
        }
        Ok(())
    }

    /// Adds the claims that there are. Scalars stay what they are, everything else becomes text: so every kind of API
    /// accepts the answer.
    pub(super) fn add_to(&self, mut response: AuthorizerResponse, claims: &Claims) -> AuthorizerResponse {
        for (claim, name) in &self.0 {
            let value = match claims.get(claim) {
                None | Some(Value::Null) => continue,
                Some(value @ (Value::Array(_) | Value::Object(_))) => text(value).into(),
                Some(scalar) => ContextValue::from(scalar.clone()),
            };
            response = response.with_context(name.as_str(), value);
        }
        response
    }
}

/// Adds all claims as text, save for those whose name a gateway would refuse.
pub(super) fn add_all_as_text(
    mut response: AuthorizerResponse,
    claims: &Claims,
    text: impl Fn(&str, &Value) -> String,
) -> AuthorizerResponse {
    let usable =
        claims.iter().filter(|(name, value)| !is_reserved(name) && !name.is_empty() && !value.is_null());
    for (name, value) in usable {
        response = response.with_context(name, text(name, value));
    }
    response
}

/// A claim as API Gateway prints it: a list is `[a b]`, an object is JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

/// A claim as the Cognito authorizer of a REST API prints it: a list is `a,b`, and two times are dates.
pub(super) fn cognito_text(name: &str, value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Number(time) if matches!(name, "exp" | "iat") => {
            let date = time.as_u64().and_then(|time| claim_date::print(Duration::from_secs(time)));
            date.unwrap_or_else(|| text(value))
        }
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_printed_as_a_gateway_prints_them() {
        for (value, printed) in [
            (json!("a"), "a"),
            (json!(1_787_996_002), "1787996002"),
            (json!(true), "true"),
            (json!(["admin", "power user"]), "[admin power user]"),
            (json!([]), "[]"),
            (json!({"a": 1}), r#"{"a":1}"#),
        ] {
            assert_eq!(text(&value), printed);
        }
    }

    #[test]
    fn a_rest_api_prints_the_claims_of_a_pool_in_its_own_way() {
        for (name, value, printed) in [
            ("cognito:groups", json!(["test", "test2"]), "test,test2"),
            ("cognito:groups", json!(["test"]), "test"),
            ("identities", json!([{"userId": "1"}]), r#"{"userId":"1"}"#),
            ("exp", json!(1_469_818_373), "Fri Jul 29 18:52:53 UTC 2016"),
            ("iat", json!(0), "Thu Jan 01 00:00:00 UTC 1970"),
            ("exp", json!(u64::MAX), "18446744073709551615"),
            ("exp", json!("soon"), "soon"),
            ("auth_time", json!(1_469_814_773), "1469814773"),
            ("email_verified", json!(true), "true"),
        ] {
            assert_eq!(cognito_text(name, &value), printed, "{name}");
        }
    }
}
