//! The event of a `TOKEN` authorizer.

use std::sync::Arc;

use serde_json::Value;

use crate::contract::REDACTED;
use crate::policy::ExecuteApiArn;

/// `{"type": "TOKEN", "authorizationToken": …, "methodArn": …}`.
///
/// Read from JSON it keeps that JSON, and prints it again. Two events are equal if they print the same JSON.
#[derive(Clone)]
pub struct TokenEvent {
    arn: ExecuteApiArn,
    authorization_token: Box<str>,
    pub(super) json: Option<Arc<Value>>,
}

impl TokenEvent {
    /// An event as a `TOKEN` authorizer would be given it; for tests of authorizers.
    #[must_use]
    pub fn new(arn: ExecuteApiArn, authorization_token: impl Into<String>) -> Self {
        Self { arn, authorization_token: authorization_token.into().into_boxed_str(), json: None }
    }

    pub(super) fn parsed(arn: ExecuteApiArn, authorization_token: Box<str>, json: Value) -> Self {
        Self { arn, authorization_token, json: Some(Arc::new(json)) }
    }

    /// `methodArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        &self.arn
    }

    /// The whole value of the token header, scheme included.
    #[must_use]
    pub fn authorization_token(&self) -> &str {
        &self.authorization_token
    }
}

impl std::fmt::Debug for TokenEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenEvent").field("arn", &self.arn).field("authorization_token", &REDACTED).finish()
    }
}
