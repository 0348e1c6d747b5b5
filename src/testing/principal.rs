//! What handlers read, without a layer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Request;

use crate::contract::{
    ApiKind, Authorization, AuthorizerContext, AuthorizerResponse, ContextValue, Expiry, PayloadFormat,
    Principal, ResponseError, ResponseRules,
};
use crate::policy::{PolicyDocument, StageArn};

/// Makes a [`Principal`] or an [`AuthorizerContext`] for the test of a handler. Outside of tests only a layer makes them.
///
/// ```
/// use tower_lambda_authorizer::Principal;
/// use tower_lambda_authorizer::testing::TestPrincipal;
///
/// async fn greeting(principal: Principal) -> String {
///     let plan = principal.context().get_str("plan").unwrap_or_default().into_owned();
///     format!("hello {} ({plan})", principal.id())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let principal = TestPrincipal::new("ali-baba").with_context("plan", "free").build()?;
/// assert_eq!(greeting(principal).await, "hello ali-baba (free)");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it makes nothing until `build` is called"]
pub struct TestPrincipal {
    principal_id: Option<Box<str>>,
    context: Vec<(Box<str>, ContextValue)>,
    usage_identifier_key: Option<Box<str>>,
    statement: Option<usize>,
    expires_at: Option<SystemTime>,
    is_cached: bool,
}

impl TestPrincipal {
    /// A principal of that name.
    pub fn new(principal_id: impl Into<String>) -> Self {
        Self { principal_id: Some(principal_id.into().into_boxed_str()), ..Self::nobody() }
    }

    /// Nobody: what an answer leaves that names no principal. Of this there is a context, and no principal.
    pub fn nobody() -> Self {
        Self {
            principal_id: None,
            context: Vec::new(),
            usage_identifier_key: None,
            statement: None,
            expires_at: None,
            is_cached: false,
        }
    }

    /// Adds a value to the context.
    pub fn with_context(mut self, name: impl Into<String>, value: impl Into<ContextValue>) -> Self {
        self.context.push((name.into().into_boxed_str(), value.into()));
        self
    }

    /// Names the API key that requests count against.
    pub fn with_usage_identifier_key(mut self, key: impl Into<String>) -> Self {
        self.usage_identifier_key = Some(key.into().into_boxed_str());
        self
    }

    /// Says which statement allowed the request.
    pub fn with_statement(mut self, statement: usize) -> Self {
        self.statement = Some(statement);
        self
    }

    /// Says until when the answer may be reused.
    pub fn with_expiry(mut self, expires_at: SystemTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Says that the answer came out of the cache.
    pub fn cached(mut self) -> Self {
        self.is_cached = true;
        self
    }

    /// The principal.
    ///
    /// # Errors
    ///
    /// If no authorizer could have answered so: an id that is empty, too long or holds a control character; a name in the
    /// context that is reserved. [Nobody](Self::nobody) is no principal.
    pub fn build(self) -> Result<Principal, ResponseError> {
        if self.principal_id.is_none() {
            return Err(ResponseError::MissingPrincipalId);
        }
        self.build_any()
    }

    /// The context alone, as it is where nobody was named.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build), save that nobody need be named.
    pub fn build_context(self) -> Result<AuthorizerContext, ResponseError> {
        Ok(self.build_any()?.context().clone())
    }

    /// Puts into a request what a layer would: the principal, or the context alone where nobody is named.
    ///
    /// # Errors
    ///
    /// As for [`build_context`](Self::build_context).
    pub fn insert_into<B>(self, request: &mut Request<B>) -> Result<(), ResponseError> {
        self.build_any()?.insert_into(request.extensions_mut());
        Ok(())
    }

    fn build_any(self) -> Result<Principal, ResponseError> {
        let policy = PolicyDocument::new();
        let mut response = match self.principal_id {
            Some(principal_id) => AuthorizerResponse::new(principal_id, policy)?,
            None => AuthorizerResponse::without_principal(policy),
        };
        for (name, value) in self.context {
            response = response.with_context(name, value);
        }
        if let Some(key) = self.usage_identifier_key {
            response = response.with_usage_identifier_key(key);
        }
        let expiry = self.expires_at.map(|at| {
            let wall = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Expiry { monotonic: Duration::MAX, wall }
        });
        // The most generous rules: what a kind of API refuses never comes to a handler.
        let rules = ResponseRules::of(ApiKind::Http, PayloadFormat::V2, false);
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef123", "test");
        let stage = stage.map_err(|error| ResponseError::Malformed {
            location: "".into(),
            message: error.to_string().into(),
        })?;
        let authorization = Authorization::accept(response, &rules, &stage, expiry)?;
        Ok(Principal::new(Arc::new(authorization), self.statement, self.is_cached))
    }
}
