//! Whom to trust, and with what.

mod build;
mod check;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(super) use build::{CheckedIssuer, is_scope};
use serde_json::Value;

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::keys::Keys;

/// A check of the program's own.
pub(super) type Check = Arc<dyn Fn(&Claims) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

/// An issuer of tokens: its name, its keys, and what a token of its must say.
///
/// Whom a token is for has to be named: with [`with_audience`](Self::with_audience), with
/// [`with_client_id`](Self::with_client_id), or by saying in so many words that
/// [any audience](Self::accept_any_audience) will do. Everything is checked when the authorizer is built.
///
/// ```
/// use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, KeySet};
///
/// # let jwks = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
/// #     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let keys = KeySet::from_jwks(jwks.as_bytes())?;
/// let issuer = Issuer::new("https://id.example.com/", keys)
///     .with_algorithms([Algorithm::EdDsa])
///     .with_audience("https://api.example.com")
///     .with_required_claim("email_verified", true)
///     .with_required_scope("orders");
/// let authorizer = JwtAuthorizer::new(issuer)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Issuer {
    name: String,
    other_name: Option<String>,
    keys: Keys,
    algorithms: Option<Vec<Algorithm>>,
    audience: Audience,
    claims: Vec<Expected>,
    scopes: Vec<String>,
    leeway: Leeway,
    max_token_age: Option<Duration>,
    token_use: Option<TokenUse>,
    needs_kid: bool,
    checks: Vec<Check>,
}

/// What a claim has to be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) name: String,
    /// One of these, or anything but null.
    pub(super) values: Option<Vec<Value>>,
    pub(super) may_be_missing: bool,
}

/// Whom tokens are for.
#[derive(Clone, Debug, Default)]
pub(super) struct Audience {
    pub(super) rule: AudienceRule,
    pub(super) audiences: Vec<String>,
    pub(super) client_ids: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum AudienceRule {
    /// All that is configured has to be right.
    #[default]
    All,
    /// Nothing is looked at.
    Any,
    /// `client_id` is one of the audiences, where there is no `aud`.
    AudienceElseClient,
    /// A client of a user pool: `aud` of an ID token, `client_id` of an access token.
    PoolClient { takes_any: bool },
}

/// How far clocks may be apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leeway {
    pub(super) expiry: Duration,
    pub(super) start: Duration,
}

/// Which tokens of a Cognito user pool are accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TokenUse {
    /// Access tokens: what an API is called with.
    Access,
    /// Either.
    Either,
    /// ID tokens: what tells an application who signed in.
    Id,
}

impl Issuer {
    /// The longest leeway.
    pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

    const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);

    /// The issuer whose tokens have exactly this `iss`, signed with one of these keys.
    pub fn new(iss: impl Into<String>, keys: impl Into<Keys>) -> Self {
        Self {
            name: iss.into(),
            other_name: None,
            keys: keys.into(),
            algorithms: None,
            audience: Audience::default(),
            claims: Vec::new(),
            scopes: Vec::new(),
            leeway: Leeway { expiry: Self::DEFAULT_LEEWAY, start: Self::DEFAULT_LEEWAY },
            max_token_age: None,
            token_use: None,
            needs_kid: false,
            checks: Vec::new(),
        }
    }

    /// The algorithms it signs with. If not said: RS256 for keys that are fetched; for others the one with the
    /// shortest hash that suits them (RS256, ES256, ES384, `EdDSA`, HS256).
    ///
    /// HMAC and the algorithms with public keys never go together.
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Adds an audience: `aud` has to hold one of them.
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.audiences.push(audience.into());
        self
    }

    /// Adds a client: `client_id` has to be one of them, beside a right audience if there are audiences.
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.audience.client_ids.push(client_id.into());
        self
    }

    /// Takes tokens whoever they are for: any service that is given one can use it here. Only for issuers whose
    /// tokens are all for this service; audiences and client ids cannot be named then.
    pub fn accept_any_audience(mut self) -> Self {
        self.audience.rule = AudienceRule::Any;
        self
    }

    /// Demands that a claim is there and is that value, or a list with it. Types count: `1` is not `"1"`.
    pub fn with_required_claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.expecting(name.into(), Some(vec![value.into()]), false)
    }

    /// Demands that a claim is there and is one of those values, or a list with one.
    pub fn with_required_claim_in<V: Into<Value>>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.expecting(name.into(), Some(values.into_iter().map(Into::into).collect()), false)
    }

    /// Demands that a claim is one of those values, or a list with one, if it is there at all.
    pub fn with_optional_claim_in<V: Into<Value>>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.expecting(name.into(), Some(values.into_iter().map(Into::into).collect()), true)
    }

    /// Demands that a claim is there and is not null.
    pub fn with_present_claim(self, name: impl Into<String>) -> Self {
        self.expecting(name.into(), None, false)
    }

    /// Demands a scope, together with those demanded before. A token without it is a valid one that is not allowed
    /// anything: clients see 403 and are told which scopes are needed.
    pub fn with_required_scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// How far the issuer's clock and this one may be apart, in either direction: 5 seconds if not said, 60 at most.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Leeway { expiry: leeway, start: leeway };
        self
    }

    /// Demands that a token was issued at most so long ago, whenever it expires. It then needs an `iat`.
    pub fn with_max_token_age(mut self, age: Duration) -> Self {
        self.max_token_age = Some(age);
        self
    }

    /// Adds a check of your own, made after all others. Its error is the [source](Error::source) of the
    /// [`JwtError`](super::JwtError); clients are only told that the token is not valid.
    ///
    /// ```
    /// # use tower_lambda_authorizer::jwt::{Issuer, KeySet};
    /// # fn issuer(keys: KeySet) -> Issuer {
    /// Issuer::new("https://id.example.com/", keys)
    ///     .with_audience("orders")
    ///     .with_check(|claims| match claims.get_str("tenant") {
    ///         Some("acme" | "initech") => Ok(()),
    ///         _ => Err("no such tenant".into()),
    ///     })
    /// # }
    /// ```
    pub fn with_check(
        mut self,
        check: impl Fn(&Claims) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn expecting(mut self, name: String, values: Option<Vec<Value>>, may_be_missing: bool) -> Self {
        self.claims.push(Expected { name, values, may_be_missing });
        self
    }

    /// Another spelling of its name.
    pub(super) fn also_named(mut self, name: impl Into<String>) -> Self {
        self.other_name = Some(name.into());
        self
    }

    /// The algorithms, unless they were named.
    pub(super) fn with_default_algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms.get_or_insert_with(|| algorithms.to_vec());
        self
    }

    /// Takes `client_id` for `aud` where there is no `aud`, as API Gateway does.
    pub(super) fn with_audience_else_client(mut self) -> Self {
        self.audience.rule = AudienceRule::AudienceElseClient;
        self
    }

    /// Takes tokens of clients of a user pool, and of one use.
    pub(super) fn of_pool(mut self, token_use: TokenUse, takes_any_client: bool) -> Self {
        self.audience.rule = AudienceRule::PoolClient { takes_any: takes_any_client };
        self.token_use = Some(token_use);
        self
    }

    /// Demands a `kid`, also where there is one key only.
    pub(super) fn with_required_kid(mut self) -> Self {
        self.needs_kid = true;
        self
    }

    /// Leeway at the start of a token's life, and none at its end.
    pub(super) fn without_leeway_at_expiry(mut self) -> Self {
        self.leeway.expiry = Duration::ZERO;
        self
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("keys", &self.keys)
            .field("algorithms", &self.algorithms)
            .field("audience", &self.audience)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
