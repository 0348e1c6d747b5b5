//! What an authorizer is asked.

mod certificate;
mod error;
mod head;
mod header;
mod id;
mod map;
mod parse;
mod print;
mod request;
mod request_v2;
mod token;

use std::net::IpAddr;

pub use certificate::ClientCertificate;
pub use error::EventError;
pub(crate) use head::{EventSetting, LiveParts, Readers};
pub(crate) use header::HeaderSpelling;
pub(crate) use id::RequestId;
pub use request::RequestEvent;
pub use request_v2::RequestEventV2;
pub use token::TokenEvent;

use self::head::Head;
use super::EventKind;
use crate::policy::{ExecuteApiArn, PolicyBuilder};

/// The input of an authorizer, whichever kind of authorizer it is.
///
/// The accessors answer for every kind, so that an authorizer needs to know its kind only where it wants the
/// detail of the wire. What a kind does not deliver reads as absent: a `TOKEN` authorizer is given a token and
/// an ARN, nothing else.
///
/// It is read from JSON and printed as JSON with serde. `Debug` shows no token, no cookie and no query value.
///
/// ```
/// use tower_lambda_authorizer::AuthorizerEvent;
/// use tower_lambda_authorizer::contract::EventKind;
///
/// let event = AuthorizerEvent::from_json(
///     r#"{
///         "type": "TOKEN",
///         "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/42",
///         "authorizationToken": "Bearer abc"
///     }"#,
/// )?;
/// assert_eq!(event.kind(), EventKind::RestToken);
/// assert_eq!(event.bearer_token(), Some("abc"));
///
/// let error = AuthorizerEvent::from_json(r#"{"type": "TOKEN"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "malformed event at `methodArn`: it is missing");
/// # Ok::<(), tower_lambda_authorizer::contract::EventError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthorizerEvent {
    /// For an authorizer of type `REQUEST` of a REST or WebSocket API, or of an HTTP API with format 1.0.
    Request(Box<RequestEvent>),
    /// For an authorizer of type `REQUEST` of an HTTP API with format 2.0.
    RequestV2(Box<RequestEventV2>),
    /// For an authorizer of type `TOKEN`.
    Token(TokenEvent),
}

impl AuthorizerEvent {
    /// Which of the five shapes this event has.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.head().map_or(EventKind::RestToken, |head| head.kind)
    }

    /// The ARN of what is called: `methodArn` or `routeArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        match self {
            Self::Request(event) => event.arn(),
            Self::RequestV2(event) => event.arn(),
            Self::Token(event) => event.arn(),
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
            _ => self.header(http::header::AUTHORIZATION.as_str()),
        }
    }

    /// The token without its `Bearer` scheme; `None` if there is no token or it has another scheme.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.token()?.split_once(' ')?;
        let token = token.trim_matches(' ');
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// The values of the identity sources, as far as the event has them: the token of a `TOKEN` authorizer, each
    /// value in format 2.0, all values in one with commas between them in format 1.0; else none.
    pub fn identity_source(&self) -> impl Iterator<Item = &str> {
        let token = match self {
            Self::Token(event) => Some(event.authorization_token()),
            _ => None,
        };
        token.into_iter().chain(self.head().into_iter().flat_map(Head::identity_source))
    }

    /// The method, as it stands in the ARN; `None` for a WebSocket connection, whose ARN has none.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.arn().method()
    }

    /// The path, as it stands in the ARN: percent-encoded, without stage and base path. `None` for a WebSocket
    /// connection, whose ARN has none.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.arn().path()
    }

    /// What the request was routed to: the resource template (`/users/{id}`) of REST APIs and format 1.0, the route
    /// key (`GET /users/{id}`, `$default`, `$connect`) of format 2.0 and WebSocket APIs.
    #[must_use]
    pub fn route_key(&self) -> Option<&str> {
        self.head().map(Head::route)
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.head().map(|head| &head.headers)
    }

    /// A header's value, by its name in any case. Of a repeated header, the last; in format 2.0 all of them, with
    /// commas between them. `None` if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head()?.header(name)
    }

    /// All values of a header, as far as they are text and the event keeps them apart.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head().into_iter().flat_map(move |head| head.header_values(name))
    }

    /// All decoded query parameters.
    pub fn query_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head().into_iter().flat_map(|head| head::pairs(head.query()))
    }

    /// A decoded query parameter; names are case-sensitive. Of a repeated parameter, the last; in format 2.0 all of
    /// them, with commas between them.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        head::last(self.head()?.query(), name)
    }

    /// A parameter of the matched resource: as it stands in the path, still percent-encoded, in a REST API; decoded
    /// in an HTTP API.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        head::last(self.head()?.path_parameters(), name)
    }

    /// A variable of the stage.
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        head::last(self.head()?.stage_variables(), name)
    }

    /// The address of the peer of the accepted connection, where it is known.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.head()?.source_ip
    }

    /// What the client says it is.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.head()?.user_agent()
    }

    /// The certificate the client showed, with mutual TLS.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.head()?.client_certificate.as_ref()
    }

    /// The id of the request, if the event has one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.head().map(Head::request_id).filter(|id| !id.is_empty())
    }

    /// Whether the path is that of the route, as far as an event says. Of a live request it is.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn is_of_route(&self) -> bool {
        self.head().is_none_or(Head::is_of_route)
    }

    /// The template of the route that was taken, where that says more than the path.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn taken_template(&self) -> Option<Box<str>> {
        self.head().and_then(Head::taken_template)
    }

    fn head(&self) -> Option<&Head> {
        match self {
            Self::Request(event) => Some(&event.head),
            Self::RequestV2(event) => Some(&event.head),
            Self::Token(_) => None,
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

impl From<RequestEventV2> for AuthorizerEvent {
    fn from(event: RequestEventV2) -> Self {
        Self::RequestV2(Box::new(event))
    }
}
