//! The Cognito user pool authorizer of a REST API.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Preset, Setup, Style};
use crate::authorizer::{Authorizer, AuthorizerError, Credential};
use crate::clock::Clock;
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};
use crate::jwt::challenge::note;
use crate::jwt::claims::Claims;
use crate::jwt::cognito::UserPool;
use crate::jwt::config_error::JwtConfigError;
use crate::jwt::context;
use crate::jwt::error::{JwtError, JwtReason};
use crate::jwt::issuer::TokenUse;
use crate::jwt::keys::Keys;
use crate::jwt::routes::RouteScopes;
use crate::jwt::source::TokenSource;
use crate::request::TokenExpression;

/// The Cognito user pool authorizer of a REST API.
///
/// | on AWS | here |
/// |---|---|
/// | one pool or several | the same |
/// | any app client of a pool | the clients that are named, unless the pool [accepts any](UserPool::accept_any_client) (stricter) |
/// | a method without scopes takes ID tokens, one with scopes access tokens that have one of them | the same; any other token is 401 |
/// | a missing scope is 401, as it is documented | the same |
/// | the token source is a header, with the bare token or `Bearer` and the token | the same |
/// | `identityValidationExpression` is matched against `aud`, which access tokens do not have | the same: it refuses access tokens |
/// | 401 `The incoming token has expired`, else 401 `Unauthorized` | the same where the answer is made here; a Lambda authorizer has no means to say it |
/// | no `WWW-Authenticate` | the same |
/// | claims are text: a list is `a,b`, `exp` and `iat` are dates (`Fri Jul 29 18:52:53 UTC 2016`) | the same |
///
/// The principal is `sub`.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::cognito::UserPool;
/// use tower_lambda_authorizer::jwt::preset::RestCognitoAuthorizer;
/// use tower_lambda_authorizer::jwt::{KeySet, RouteScopes};
///
/// # fn example(keys: KeySet) -> Result<(), Box<dyn std::error::Error>> {
/// let pool = UserPool::new("eu-central-1", "eu-central-1_AbCdEfGhI")?.with_client_id("7abcdefghijkl");
/// let authorizer = RestCognitoAuthorizer::builder()
///     .with_pool(pool, keys)
///     .with_routes(
///         RouteScopes::new()
///             .with_route(Method::GET, "/profile", [])?
///             .with_route(Method::GET, "/orders", ["orders/read"])?,
///     )
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RestCognitoAuthorizer(Arc<Preset<RestCognito>>);

/// Configures a [`RestCognitoAuthorizer`].
#[must_use]
pub struct RestCognitoAuthorizerBuilder {
    expression: Option<String>,
    setup: Setup,
}

struct RestCognito {
    expression: Option<TokenExpression>,
}

impl RestCognitoAuthorizer {
    /// Starts a configuration.
    pub fn builder() -> RestCognitoAuthorizerBuilder {
        RestCognitoAuthorizerBuilder { expression: None, setup: Setup::new() }
    }
}

impl RestCognitoAuthorizerBuilder {
    /// Adds a user pool with its keys. Which kind of token is accepted is a matter of the routes, whatever the pool
    /// says.
    pub fn with_pool(mut self, pool: UserPool, keys: impl Into<Keys>) -> Self {
        self.setup.issuers.push(pool.with_token_use(TokenUse::Either).issuer(keys));
        self
    }

    /// The header with the token: `Authorization` if not said.
    pub fn with_token_header(mut self, name: &str) -> Self {
        self.setup.source = TokenSource::header(name).with_bare_tokens();
        self
    }

    /// `identityValidationExpression`: what an audience of the token has to match as a whole.
    pub fn with_identity_validation_expression(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// The methods and their scopes. Without them every method is one without scopes.
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
    pub fn build(self) -> Result<RestCognitoAuthorizer, JwtConfigError> {
        let compile =
            |expression: String| TokenExpression::new(&expression).map_err(JwtConfigError::Expression);
        let expression = self.expression.map(compile).transpose()?;
        Ok(RestCognitoAuthorizer(Arc::new(self.setup.build(RestCognito { expression })?)))
    }
}

impl Style for RestCognito {
    fn refuse(&self, error: JwtError) -> AuthorizerError {
        note(&error);
        let refusal = match error.reason() {
            _ if error.is_failure() => return AuthorizerError::failure(error),
            JwtReason::Expired => {
                AuthorizerError::unauthorized().with_message("The incoming token has expired")
            }
            _ => AuthorizerError::unauthorized(),
        };
        refusal.with_reason(error)
    }

    fn check(&self, claims: &Claims, needed: &[Box<str>]) -> Result<(), JwtReason> {
        let wanted = if needed.is_empty() { "id" } else { "access" };
        if claims.get_str("token_use") != Some(wanted) {
            return Err(JwtReason::TokenUse);
        }
        match &self.expression {
            Some(expression) if !claims.audiences().any(|audience| expression.matches(audience)) => {
                Err(JwtReason::Audience)
            }
            _ => Ok(()),
        }
    }

    fn unscoped(&self, _: &[Box<str>]) -> Result<Option<Challenge>, JwtReason> {
        Err(JwtReason::Scope)
    }

    fn print(&self, name: &str, value: &Value) -> String {
        context::cognito_text(name, value)
    }

    fn takes_nobody(&self) -> bool {
        false
    }
}

impl Authorizer for RestCognitoAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.0.authorize(&event).await
    }

    fn credentials(&self) -> Vec<Credential> {
        self.0.source.credential().into_iter().collect()
    }
}

impl fmt::Debug for RestCognitoAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("RestCognitoAuthorizer", f)
    }
}

impl fmt::Debug for RestCognitoAuthorizerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.debug("RestCognitoAuthorizerBuilder", f)
    }
}
