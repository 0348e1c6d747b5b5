//! The authorizer for JWTs.

mod builder;

use std::fmt;
use std::sync::Arc;

pub use builder::JwtAuthorizerBuilder;

use super::challenge::Challenges;
use super::claims::Claims;
use super::config_error::JwtConfigError;
use super::context::ContextClaims;
use super::engine::{Engine, Verified};
use super::error::{JwtError, JwtReason};
use super::issuer::Issuer;
use super::rule::Rule;
use super::source::TokenSource;
use crate::authorizer::Authorizer;
use crate::authorizer::{AuthorizerError, Credential};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};
use crate::policy::{AnyMethod, PolicyBuilder, PolicyDocument};

type PrincipalOf = Arc<dyn Fn(&Claims) -> Option<String> + Send + Sync>;
type PolicyOf = Arc<dyn Fn(&Claims, PolicyBuilder) -> Result<PolicyDocument, AuthorizerError> + Send + Sync>;

/// An [`Authorizer`] for JWTs: bearer tokens that an [`Issuer`] has signed.
///
/// A token that is accepted names the principal (`sub`), allows what the rules say (everything in the stage, if there
/// are none), and is good until it expires, in a cache too. Any other is a 401 with a challenge as RFC 6750 has it;
/// one that lacks a scope is a 403 with one. Where there are no keys to check with, the answer is a 500.
///
/// It answers every kind of event and for every kind of API, except that it never gives a simple response.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, KeySet, Rule};
/// use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};
///
/// # let jwks = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
/// #     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let issuer = Issuer::new("https://id.example.com/", KeySet::from_jwks(jwks)?).with_audience("orders");
/// let authorizer = JwtAuthorizer::builder()
///     .with_issuer(issuer)
///     .with_rule(Rule::scope("orders:read").allow(Method::GET, "/orders/*"))
///     .with_context_claims(["email"])
///     .build()?;
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// let layer = AuthorizerLayer::token(authorizer, stage).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JwtAuthorizer(Arc<Inner>);

struct Inner {
    engine: Engine,
    source: TokenSource,
    challenges: Challenges,
    principal: PrincipalOf,
    allowed: Allowed,
    context: ContextClaims,
}

/// What accepted tokens are allowed.
enum Allowed {
    Policy(PolicyOf),
    Rules(Vec<Rule>),
    Stage,
}

impl JwtAuthorizer {
    /// An authorizer for one issuer that allows everything in the stage to every token it accepts.
    ///
    /// # Errors
    ///
    /// If the issuer is not configured as it has to be.
    pub fn new(issuer: Issuer) -> Result<Self, JwtConfigError> {
        Self::builder().with_issuer(issuer).build()
    }

    /// Starts a configuration.
    pub fn builder() -> JwtAuthorizerBuilder {
        JwtAuthorizerBuilder::default()
    }

    /// Checks a token by itself, without its scheme: all but whether it has the scopes that are needed.
    ///
    /// # Errors
    ///
    /// If it is not accepted, or cannot be judged because there are no [keys](JwtReason::NoKeys).
    pub async fn verify(&self, token: &str) -> Result<Claims, JwtError> {
        self.0.engine.verify(token).await.map(|verified| verified.claims)
    }
}

impl Inner {
    fn answer(
        &self,
        event: &AuthorizerEvent,
        verified: &Verified<'_>,
    ) -> Result<AuthorizerResponse, AuthorizerError> {
        let claims = &verified.claims;
        let refuse = || self.challenges.refuse(JwtReason::Principal.into());
        let principal = (self.principal)(claims).ok_or_else(refuse)?;
        let needed = verified.issuer.scopes();
        let (policy, challenge) = if needed.iter().all(|scope| claims.has_scope(scope)) {
            self.allow(event, claims)?
        } else {
            (PolicyDocument::new(), self.challenges.insufficient(needed))
        };
        let response = AuthorizerResponse::new(principal, policy).map_err(|_| refuse())?;
        let response = self.context.add_to(response, claims).with_max_age(verified.remaining);
        Ok(match challenge {
            Some(challenge) => response.with_denial_challenge(challenge),
            None => response,
        })
    }

    /// What the token is allowed, and what whoever is denied is told.
    fn allow(
        &self,
        event: &AuthorizerEvent,
        claims: &Claims,
    ) -> Result<(PolicyDocument, Option<Challenge>), AuthorizerError> {
        match &self.allowed {
            Allowed::Policy(policy) => Ok((policy(claims, event.policy())?, None)),
            Allowed::Rules(rules) => {
                let policy = rules.iter().fold(event.policy(), |policy, rule| rule.add_to(policy, claims));
                let could_help = rules.iter().any(Rule::is_about_scopes);
                let challenge = if could_help { self.challenges.insufficient(&[]) } else { None };
                Ok((policy.build()?, challenge))
            }
            Allowed::Stage => Ok((whole_stage(event)?, None)),
        }
    }
}

/// Everything in the stage that is called.
pub(super) fn whole_stage(event: &AuthorizerEvent) -> Result<PolicyDocument, AuthorizerError> {
    let policy = match event.method() {
        Some(_) => event.policy().allow(AnyMethod, "/*"),
        // A WebSocket connection has neither method nor path.
        None => event.policy().allow_connect(),
    };
    Ok(policy.build()?)
}

impl Authorizer for JwtAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        let inner = &*self.0;
        let refuse = |error| inner.challenges.refuse(error);
        let token = inner.source.find(&event).map_err(|reason| refuse(reason.into()))?;
        let verified = inner.engine.verify(token).await.map_err(refuse)?;
        inner.answer(&event, &verified)
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(self.0.challenges.bare().clone())
    }

    fn credentials(&self) -> Vec<Credential> {
        self.0.source.credential().into_iter().collect()
    }
}

impl fmt::Debug for JwtAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthorizer")
            .field("issuers", &self.0.engine.issuers().collect::<Vec<_>>())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}
