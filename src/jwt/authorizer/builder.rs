//! What can be said about a [`JwtAuthorizer`].

use std::fmt;
use std::sync::Arc;

use super::{Allowed, Inner, JwtAuthorizer, PolicyOf, PrincipalOf};
use crate::authorizer::AuthorizerError;
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::jwt::challenge::Challenges;
use crate::jwt::claims::Claims;
use crate::jwt::config_error::JwtConfigError;
use crate::jwt::context::ContextClaims;
use crate::jwt::engine::Engine;
use crate::jwt::issuer::Issuer;
use crate::jwt::rule::Rule;
use crate::jwt::source::TokenSource;
use crate::policy::PolicyBuilder;
use crate::policy::PolicyDocument;

/// Configures a [`JwtAuthorizer`]; [`build`](Self::build) checks everything.
#[must_use]
pub struct JwtAuthorizerBuilder {
    issuers: Vec<Issuer>,
    source: TokenSource,
    realm: Option<String>,
    max_bytes: usize,
    principal: PrincipalOf,
    policy: Option<PolicyOf>,
    rules: Vec<Rule>,
    context: ContextClaims,
    clock: Box<dyn Clock>,
}

impl Default for JwtAuthorizerBuilder {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            source: TokenSource::authorization(),
            realm: None,
            max_bytes: Engine::DEFAULT_MAX_BYTES,
            principal: Arc::new(|claims| claims.subject().map(str::to_owned)),
            policy: None,
            rules: Vec::new(),
            context: ContextClaims::default(),
            clock: Box::new(SystemClock),
        }
    }
}

impl JwtAuthorizerBuilder {
    /// Adds an issuer to those that are trusted. The `iss` of a token only chooses among them.
    ///
    /// A `sub` is only unique with one issuer. With several, name the [principal](Self::with_principal) after `iss` as
    /// well, and let rules with `{sub}` be about one issuer only; or whoever may choose a `sub` at one of them is
    /// somebody else's namesake.
    pub fn with_issuer(mut self, issuer: impl Into<Issuer>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Says where requests carry their token: `Authorization: Bearer …` if not said.
    pub fn with_token_source(mut self, source: TokenSource) -> Self {
        self.source = source;
        self
    }

    /// Names a realm in the challenges.
    pub fn with_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// How long a token may be, in bytes: 8 KiB if not said, 64 KiB at most.
    pub fn with_max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The claim that names the principal: `sub` if not said. It has to be text. Take one that its owner cannot
    /// change: an e-mail address is none.
    pub fn with_principal_claim(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with_principal(move |claims| claims.get_str(&name).map(str::to_owned))
    }

    /// Names the principal after several claims. Where it cannot be named, or has not the form of a
    /// [principal id](crate::AuthorizerResponse::new), the client sees 401.
    ///
    /// ```
    /// # use tower_lambda_authorizer::jwt::JwtAuthorizer;
    /// let builder = JwtAuthorizer::builder()
    ///     .with_principal(|claims| Some(format!("{}#{}", claims.issuer()?, claims.subject()?)));
    /// ```
    pub fn with_principal(mut self, f: impl Fn(&Claims) -> Option<String> + Send + Sync + 'static) -> Self {
        self.principal = Arc::new(f);
        self
    }

    /// Adds a rule. With the first one, what no rule allows is denied.
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Makes the policy of each token, in the place of rules. The policy is cached with the token's answer, so it has
    /// to be about everything the token may do, not about the request at hand.
    ///
    /// ```
    /// # use tower_lambda_authorizer::AuthorizerError;
    /// # use tower_lambda_authorizer::jwt::JwtAuthorizer;
    /// # use tower_lambda_authorizer::policy::AnyMethod;
    /// let builder = JwtAuthorizer::builder().with_policy(|claims, policy| {
    ///     // Nothing is put in the place of what is missing: it could be the name of somebody.
    ///     let tenant = claims.get_str("tenant").ok_or_else(AuthorizerError::unauthorized)?;
    ///     let policy = policy.value("tenant", tenant).allow(AnyMethod, "/tenants/{tenant}/*").build()?;
    ///     Ok::<_, AuthorizerError>(policy)
    /// });
    /// ```
    pub fn with_policy<E: Into<AuthorizerError>>(
        mut self,
        f: impl Fn(&Claims, PolicyBuilder) -> Result<PolicyDocument, E> + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(Arc::new(move |claims, policy| f(claims, policy).map_err(Into::into)));
        self
    }

    /// Adds claims to what a handler reads in the context, under their own names. Scalars stay what they are, a list
    /// becomes `[a b]` and an object JSON text, so that every kind of API accepts them; null is left out.
    pub fn with_context_claims<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.context.0.extend(names.into_iter().map(Into::into).map(|name| (name.clone(), name)));
        self
    }

    /// Adds a claim to the context under another name.
    pub fn with_context_claim_as(mut self, claim: impl Into<String>, name: impl Into<String>) -> Self {
        self.context.0.push((claim.into(), name.into()));
        self
    }

    /// Replaces the operating system's clock.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    ///
    /// The first mistake in the configuration.
    pub fn build(self) -> Result<JwtAuthorizer, JwtConfigError> {
        self.source.check()?;
        self.context.check()?;
        self.rules.iter().try_for_each(Rule::check)?;
        let allowed = match (self.policy, self.rules) {
            (Some(_), rules) if !rules.is_empty() => return Err(JwtConfigError::PolicyAndRules),
            (Some(policy), _) => Allowed::Policy(policy),
            (None, rules) if rules.is_empty() => Allowed::Stage,
            (None, rules) => Allowed::Rules(rules),
        };
        Ok(JwtAuthorizer(Arc::new(Inner {
            engine: Engine::new(self.issuers, self.clock, self.max_bytes)?,
            source: self.source,
            challenges: Challenges::new(self.realm.as_deref())?,
            principal: self.principal,
            allowed,
            context: self.context,
        })))
    }
}

impl fmt::Debug for JwtAuthorizerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthorizerBuilder")
            .field("issuers", &self.issuers)
            .field("source", &self.source)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
