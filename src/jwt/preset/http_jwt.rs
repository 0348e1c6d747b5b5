//! The JWT authorizer of an HTTP API.

use std::fmt;
use std::sync::Arc;

use super::{Preset, Setup, Style};
use crate::authorizer::{Authorizer, AuthorizerError, Credential};
use crate::clock::Clock;
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::challenge::note;
use crate::jwt::claims::Claims;
use crate::jwt::config_error::JwtConfigError;
use crate::jwt::error::{JwtError, JwtReason};
use crate::jwt::issuer::Issuer;
use crate::jwt::keys::Keys;
use crate::jwt::routes::RouteScopes;
use crate::jwt::source::TokenSource;

/// The JWT authorizer of an HTTP API.
///
/// | on AWS | here |
/// |---|---|
/// | one issuer, whose name is compared exactly | the same |
/// | RS256, RS384, RS512 | the same |
/// | the token names its key | the same: a token without `kid` is refused |
/// | `aud` is one of the audiences, or `client_id` where there is no `aud` | the same |
/// | `exp`, `nbf`, `iat` against the time, by how much is not said | no leeway for `exp`, 5 seconds for the others; `exp` is required |
/// | one of the route's scopes in `scope` or `scp`, else 403 | the same; a request that no route covers is 403, too |
/// | ID tokens are as good as access tokens | the same: demand scopes, or an audience that only access tokens have |
/// | the bare token, or `Bearer` and the token, in a header or query parameter | the same; in a query parameter the bare token |
/// | `Bearer scope="" error="invalid_token" error_description="…"`, `Bearer` where there is no token | the same; the descriptions are ours, save for the one that AWS documents |
///
/// The principal is `sub`, else `client_id`, else nobody.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::preset::HttpJwtAuthorizer;
/// use tower_lambda_authorizer::jwt::{KeySet, KeySetError, RouteScopes};
///
/// # fn example(keys: KeySet) -> Result<(), Box<dyn std::error::Error>> {
/// let authorizer = HttpJwtAuthorizer::builder("https://id.example.com/", keys)
///     .with_audience("orders")
///     .with_routes(RouteScopes::new().with_route(Method::GET, "/orders/{id}", ["orders:read"])?)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HttpJwtAuthorizer(Arc<Preset<HttpJwt>>);

/// Configures a [`HttpJwtAuthorizer`].
#[must_use]
pub struct HttpJwtAuthorizerBuilder {
    issuer: Issuer,
    setup: Setup,
}

struct HttpJwt;

impl HttpJwtAuthorizer {
    /// Starts a configuration, with the issuer and its keys.
    pub fn builder(iss: impl Into<String>, keys: impl Into<Keys>) -> HttpJwtAuthorizerBuilder {
        let issuer = Issuer::new(iss, keys)
            .with_algorithms([Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512])
            .with_audience_else_client()
            .without_leeway_at_expiry()
            .with_required_kid();
        HttpJwtAuthorizerBuilder { issuer, setup: Setup::new() }
    }
}

impl HttpJwtAuthorizerBuilder {
    /// Adds an audience; there has to be one.
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.issuer = self.issuer.with_audience(audience);
        self
    }

    /// The identity source: `Authorization` if not said.
    pub fn with_token_source(mut self, source: TokenSource) -> Self {
        self.setup.source = source.with_bare_tokens();
        self
    }

    /// The routes and their scopes. Without them no scope is looked at.
    pub fn with_routes(mut self, routes: RouteScopes) -> Self {
        self.setup.routes = Some(routes);
        self
    }

    /// Replaces the operating system's clock.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.setup.clock = Box::new(clock);
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    ///
    /// The first mistake in the configuration.
    pub fn build(mut self) -> Result<HttpJwtAuthorizer, JwtConfigError> {
        self.setup.issuers.push(self.issuer.published()?);
        Ok(HttpJwtAuthorizer(Arc::new(self.setup.build(HttpJwt)?)))
    }
}

impl Style for HttpJwt {
    fn refuse(&self, error: JwtError) -> AuthorizerError {
        note(&error);
        if error.is_failure() {
            return AuthorizerError::failure(error);
        }
        let description = match error.reason() {
            JwtReason::Missing => None,
            // AWS's own words, where they are known.
            JwtReason::Audience => Some("the token does not have a valid audience".to_owned()),
            reason => Some(reason.to_string()),
        };
        let challenge = description.and_then(|description| {
            let text =
                format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{description}\"");
            Challenge::new(&text).ok()
        });
        let challenge = challenge.unwrap_or_else(Challenge::bearer);
        AuthorizerError::unauthorized().with_challenge(challenge).with_reason(error)
    }

    fn check(&self, _: &Claims, _: &[Box<str>]) -> Result<(), JwtReason> {
        Ok(())
    }

    fn unscoped(&self, needed: &[Box<str>]) -> Result<Option<Challenge>, JwtReason> {
        let text = format!(
            "Bearer scope=\"{}\" error=\"insufficient_scope\" error_description=\"{}\"",
            needed.join(" "),
            JwtReason::Scope
        );
        Ok(Challenge::new(&text).ok())
    }

    fn takes_nobody(&self) -> bool {
        true
    }
}

impl Authorizer for HttpJwtAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.0.authorize(&event).await
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(Challenge::bearer())
    }

    fn credentials(&self) -> Vec<Credential> {
        self.0.source.credential().into_iter().collect()
    }
}

impl fmt::Debug for HttpJwtAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("HttpJwtAuthorizer", f)
    }
}

impl fmt::Debug for HttpJwtAuthorizerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.debug("HttpJwtAuthorizerBuilder", f)
    }
}
