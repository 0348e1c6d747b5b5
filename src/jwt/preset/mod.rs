//! API Gateway's own authorizers for tokens, as far as they can be told apart from outside.
//!
//! | on AWS | here |
//! |---|---|
//! | JWT authorizer of an HTTP API | [`HttpJwtAuthorizer`] |
//! | Cognito user pool authorizer of a REST API | [`RestCognitoAuthorizer`] |
//! | JWT authorizer of a REST API | [`RestJwtAuthorizer`] |
//!
//! They are for services that leave such a gateway, or stand in for one in tests. Everything else is better served by
//! the [`JwtAuthorizer`](super::JwtAuthorizer), which says more in its policies and less to its clients.
//!
//! On AWS the scopes belong to the routes, so an answer is about one request. Here, with
//! [scopes for routes](super::RouteScopes), an answer allows exactly the ARN that was asked for and is never kept by a
//! cache of this crate. As a Lambda authorizer it has to run with a TTL of 0: the cache of the gateway would take that
//! one ARN to be all that the token allows. An ARN over 512 characters cannot be named in a policy: such a request is a
//! 500. Without scopes an answer allows everything in the stage until the token
//! expires.
//!
//! All claims go into the context as text, a list as `[a b]`, an object as JSON (a Cognito authorizer has lists as `a,b`,
//! and `exp` and `iat` as dates: `Fri Jul 29 18:52:53 UTC 2016`), where AWS has them one level deeper
//! (`authorizer.claims`, `authorizer.jwt.claims`). Null is left out, and so are claims whose names gateways keep for
//! themselves: `authorizerExpiresAt`, `claims`, `integrationLatency`, `principalId` and `scopes`.

mod http_jwt;
mod rest_cognito;
mod rest_jwt;

use std::fmt;

pub use http_jwt::{HttpJwtAuthorizer, HttpJwtAuthorizerBuilder};
pub use rest_cognito::{RestCognitoAuthorizer, RestCognitoAuthorizerBuilder};
pub use rest_jwt::{RestJwtAuthorizer, RestJwtAuthorizerBuilder};

use serde_json::Value;

use super::authorizer::whole_stage;
use super::claims::Claims;
use super::config_error::JwtConfigError;
use super::context;
use super::engine::Engine;
use super::error::{JwtError, JwtReason};
use super::issuer::Issuer;
use super::routes::RouteScopes;
use super::source::TokenSource;
use crate::authorizer::AuthorizerError;
use crate::clock::{Clock, SystemClock};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};
use crate::policy::PolicyDocument;

/// What the three can all be told.
struct Setup {
    issuers: Vec<Issuer>,
    source: TokenSource,
    routes: Option<RouteScopes>,
    clock: Box<dyn Clock>,
}

/// What the three have in common.
struct Preset<S> {
    engine: Engine,
    source: TokenSource,
    routes: Option<RouteScopes>,
    style: S,
}

/// What they do each in its own way.
trait Style: Send + Sync + 'static {
    /// The answer to a token that was not accepted.
    fn refuse(&self, error: JwtError) -> AuthorizerError;

    /// Checks what hangs on the scopes that the route needs, besides the scopes.
    fn check(&self, claims: &Claims, needed: &[Box<str>]) -> Result<(), JwtReason>;

    /// The answer to a token without any of the scopes: an error, or what its denial says.
    fn unscoped(&self, needed: &[Box<str>]) -> Result<Option<Challenge>, JwtReason>;

    /// A claim as a handler reads it.
    fn print(&self, _name: &str, value: &Value) -> String {
        context::text(value)
    }

    /// Whether an answer may name nobody.
    fn takes_nobody(&self) -> bool;
}

impl Setup {
    fn new() -> Self {
        let source = TokenSource::authorization().with_bare_tokens();
        Self { issuers: Vec::new(), source, routes: None, clock: Box::new(SystemClock) }
    }

    fn build<S: Style>(self, style: S) -> Result<Preset<S>, JwtConfigError> {
        self.source.check()?;
        Ok(Preset {
            engine: Engine::new(self.issuers, self.clock, Engine::DEFAULT_MAX_BYTES)?,
            source: self.source,
            routes: self.routes,
            style,
        })
    }

    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("issuers", &self.issuers)
            .field("source", &self.source)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

impl<S: Style> Preset<S> {
    async fn authorize(&self, event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        let refuse = |error: JwtError| self.style.refuse(error);
        let token = self.source.find(event).map_err(|reason| refuse(reason.into()))?;
        let verified = self.engine.verify(token).await.map_err(refuse)?;
        let claims = &verified.claims;
        // Whoever waits with the same token may have asked for another route.
        let refuse_here = |reason: JwtReason| match &self.routes {
            None => refuse(reason.into()),
            Some(_) => refuse(reason.into()).unshared(),
        };
        let needed = match &self.routes {
            None => Some(&[][..]),
            // A WebSocket connection has neither method nor path, and no route.
            Some(routes) => {
                let asked = event.method().zip(event.path()).filter(|_| event.is_of_route());
                let taken = event.taken_template();
                asked.and_then(|(method, path)| routes.of_taken(method, path, taken.as_deref()))
            }
        };
        let response = match needed {
            // There is no such route, so whoever asks for it asks for nothing that may be had.
            None => self.answer(claims, PolicyDocument::new())?,
            Some(needed) => {
                self.style.check(claims, needed).map_err(refuse_here)?;
                // All of the issuer's, and one of the route's.
                let of_issuer = verified.issuer.scopes();
                let missing = if !of_issuer.iter().all(|scope| claims.has_scope(scope)) {
                    Some(of_issuer)
                } else {
                    let has_one = needed.is_empty() || needed.iter().any(|scope| claims.has_scope(scope));
                    (!has_one).then_some(needed)
                };
                if let Some(missing) = missing {
                    let challenge = self.style.unscoped(missing).map_err(refuse_here)?;
                    let denial = self.answer(claims, PolicyDocument::new())?;
                    challenge.into_iter().fold(denial, AuthorizerResponse::with_denial_challenge)
                } else {
                    self.answer(claims, self.policy(event)?)?
                }
            }
        };
        Ok(match &self.routes {
            None => response.with_max_age(verified.remaining),
            Some(_) => response.with_max_age(std::time::Duration::ZERO),
        })
    }

    fn policy(&self, event: &AuthorizerEvent) -> Result<PolicyDocument, AuthorizerError> {
        match &self.routes {
            None => whole_stage(event),
            Some(_) => {
                // An ARN may be too long for a pattern.
                Ok(event.arn().to_pattern().and_then(|arn| event.policy().allow_raw(arn).build())?)
            }
        }
    }

    fn answer(&self, claims: &Claims, policy: PolicyDocument) -> Result<AuthorizerResponse, AuthorizerError> {
        let response = match claims.subject().or_else(|| claims.get_str("client_id")) {
            None if self.style.takes_nobody() => AuthorizerResponse::without_principal(policy),
            None => return Err(self.style.refuse(JwtReason::Principal.into())),
            Some(principal) => AuthorizerResponse::new(principal, policy)
                .map_err(|_| self.style.refuse(JwtReason::Principal.into()))?,
        };
        Ok(context::add_all_as_text(response, claims, |name, value| self.style.print(name, value)))
    }

    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("issuers", &self.engine.issuers().collect::<Vec<_>>())
            .field("source", &self.source)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}
