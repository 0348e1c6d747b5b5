//! The event of a `TOKEN` authorizer.

use crate::contract::REDACTED;
use crate::policy::ExecuteApiArn;

/// `{"type": "TOKEN", "authorizationToken": …, "methodArn": …}`.
#[derive(Clone, Eq, PartialEq)]
pub struct TokenEvent {
    arn: ExecuteApiArn,
    authorization_token: Box<str>,
}

impl TokenEvent {
    /// An event as a `TOKEN` authorizer would be given it; for tests of authorizers.
    #[must_use]
    pub fn new(arn: ExecuteApiArn, authorization_token: impl Into<Box<str>>) -> Self {
        Self { arn, authorization_token: authorization_token.into() }
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
