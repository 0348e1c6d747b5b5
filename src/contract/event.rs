//! What an authorizer is asked.

use std::net::IpAddr;

use super::{RequestEvent, TokenEvent};
use crate::policy::{ExecuteApiArn, PolicyBuilder};

/// The input of an authorizer, whichever kind of authorizer it is.
///
/// The accessors answer for every kind, so that an authorizer needs to know its kind only where it wants the
/// detail of the wire. What a kind does not deliver reads as absent: a `TOKEN` authorizer is given a token and
/// an ARN, nothing else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuthorizerEvent {
    /// For an authorizer of type `TOKEN`.
    Token(TokenEvent),
    /// For an authorizer of type `REQUEST`.
    Request(Box<RequestEvent>),
}

impl AuthorizerEvent {
    /// The ARN of what is called: `methodArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        match self {
            Self::Token(event) => event.arn(),
            Self::Request(event) => event.arn(),
        }
    }

    /// Starts a policy about the stage that is being called, whatever else the ARN at hand names.
    ///
    /// ```
    /// # use tower_lambda_authorizer::contract::{AuthorizerEvent, TokenEvent};
    /// # use tower_lambda_authorizer::policy::{AnyMethod, PolicyError};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/42".parse()?;
    /// # let event = AuthorizerEvent::from(TokenEvent::new(arn, "Bearer abc"));
    /// let policy = event.policy().value("id", "42").allow(AnyMethod, "/users/{id}/*").build()?;
    /// # Ok(()) }
    /// ```
    pub fn policy(&self) -> PolicyBuilder {
        self.arn().stage_arn().policy()
    }

    /// The token: `authorizationToken` of a `TOKEN` authorizer, else the `Authorization` header, as sent.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Token(event) => Some(event.authorization_token()),
            Self::Request(event) => event.header(http::header::AUTHORIZATION.as_str()),
        }
    }

    /// The token without its `Bearer` scheme; `None` if there is no token or it has another scheme.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.token()?.split_once(' ')?;
        let token = token.trim_matches(' ');
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// A header's value, by its name in any case. Of a repeated header, the last.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request()?.header(name)
    }

    /// A decoded query parameter; names are case-sensitive. Of a repeated parameter, the last.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        self.request()?.query_parameter(name)
    }

    /// A parameter of the matched resource, as it stands in the path: still percent-encoded.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.request()?.path_parameter(name)
    }

    /// A variable of the stage.
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        self.request()?.stage_variable(name)
    }

    /// The address of the peer of the accepted connection, where it is known.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.request()?.source_ip()
    }

    fn request(&self) -> Option<&RequestEvent> {
        match self {
            Self::Token(_) => None,
            Self::Request(event) => Some(event),
        }
    }
}

impl From<TokenEvent> for AuthorizerEvent {
    fn from(event: TokenEvent) -> Self {
        Self::Token(event)
    }
}

impl From<RequestEvent> for AuthorizerEvent {
    fn from(event: RequestEvent) -> Self {
        Self::Request(Box::new(event))
    }
}
