//! The JWT authorizer of a REST API.

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
use crate::jwt::routes::RouteScopes;
use crate::jwt::source::TokenSource;

/// The JWT authorizer of a REST API, which AWS has had since November 2026.
///
/// | on AWS | here |
/// |---|---|
/// | several issuers, each with its audiences; names are compared exactly and are https URLs without query and fragment | the same |
/// | `DefaultAlgorithms`, for all issuers | the same; an issuer may name its own, and HMAC is refused |
/// | `AdditionalClaims`: required or not, with expected values or not | [`with_present_claim`](Issuer::with_present_claim), [`with_required_claim_in`](Issuer::with_required_claim_in), [`with_optional_claim_in`](Issuer::with_optional_claim_in) |
/// | audiences are compared with `client_id`, too: tokens of machine clients of Cognito have no `aud` | `aud`, or `client_id` where there is no `aud`, as in an HTTP API |
/// | one of the method's scopes in `scope` or `scp`, else 403 | the same; a request that no route covers is 403, too |
/// | the token source is a header | the same, with the bare token or `Bearer` and the token |
/// | how clocks may differ is not said | an issuer's leeway, 5 seconds |
///
/// What a 401 says in `WWW-Authenticate` is not known; here it says nothing. The principal is `sub`, else `client_id`.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::preset::RestJwtAuthorizer;
/// use tower_lambda_authorizer::jwt::{Algorithm, Issuer, KeySet, RouteScopes};
///
/// # fn example(keys: KeySet, others: KeySet) -> Result<(), Box<dyn std::error::Error>> {
/// let authorizer = RestJwtAuthorizer::builder([Algorithm::Rs256, Algorithm::Es256])
///     .with_issuer(Issuer::new("https://id.example.com/", keys).with_audience("orders"))
///     .with_issuer(
///         Issuer::new("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", others)
///             .with_audience("7abcdefghijkl")
///             .with_required_claim("token_use", "access"),
///     )
///     .with_routes(RouteScopes::new().with_route(Method::GET, "/orders", ["orders:read", "orders/read"])?)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RestJwtAuthorizer(Arc<Preset<RestJwt>>);

/// Configures a [`RestJwtAuthorizer`].
#[must_use]
pub struct RestJwtAuthorizerBuilder {
    algorithms: Vec<Algorithm>,
    setup: Setup,
}

struct RestJwt;

impl RestJwtAuthorizer {
    /// Starts a configuration, with the algorithms of the issuers that do not name their own.
    pub fn builder(algorithms: impl IntoIterator<Item = Algorithm>) -> RestJwtAuthorizerBuilder {
        RestJwtAuthorizerBuilder { algorithms: algorithms.into_iter().collect(), setup: Setup::new() }
    }
}

impl RestJwtAuthorizerBuilder {
    /// Adds an issuer, with its audiences.
    pub fn with_issuer(mut self, issuer: Issuer) -> Self {
        self.setup.issuers.push(issuer);
        self
    }

    /// The header with the token: `Authorization` if not said.
    pub fn with_token_header(mut self, name: &str) -> Self {
        self.setup.source = TokenSource::header(name).with_bare_tokens();
        self
    }

    /// The methods and their scopes. Without them no scope is looked at.
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
    pub fn build(mut self) -> Result<RestJwtAuthorizer, JwtConfigError> {
        let issuers = std::mem::take(&mut self.setup.issuers);
        for issuer in issuers {
            let issuer = issuer.with_default_algorithms(&self.algorithms).with_audience_else_client();
            self.setup.issuers.push(issuer.published()?);
        }
        Ok(RestJwtAuthorizer(Arc::new(self.setup.build(RestJwt)?)))
    }
}

impl Style for RestJwt {
    fn refuse(&self, error: JwtError) -> AuthorizerError {
        note(&error);
        if error.is_failure() {
            return AuthorizerError::failure(error);
        }
        AuthorizerError::unauthorized().with_reason(error)
    }

    fn check(&self, _: &Claims, _: &[Box<str>]) -> Result<(), JwtReason> {
        Ok(())
    }

    fn unscoped(&self, _: &[Box<str>]) -> Result<Option<Challenge>, JwtReason> {
        Ok(None)
    }

    fn takes_nobody(&self) -> bool {
        false
    }
}

impl Authorizer for RestJwtAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.0.authorize(&event).await
    }

    fn credentials(&self) -> Vec<Credential> {
        self.0.source.credential().into_iter().collect()
    }
}

impl fmt::Debug for RestJwtAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("RestJwtAuthorizer", f)
    }
}

impl fmt::Debug for RestJwtAuthorizerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.debug("RestJwtAuthorizerBuilder", f)
    }
}
