//! What a handler reads.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::authorization::Authorization;
use super::context::{Context, ContextValue};

/// Who is calling, as the authorizer said, after its policy allowed the request.
///
/// It is in the extensions of every request that an [`AuthorizerLayer`](crate::AuthorizerLayer) lets through,
/// and it can be got from nowhere else: it has no public constructor, no `Default` and no `Deserialize`, and the
/// layer removes what it finds of it when a request comes in. Cloning copies a reference count.
///
/// With the `axum` feature it is an extractor:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use tower_lambda_authorizer::Principal;
///
/// async fn me(principal: Principal) -> String {
///     principal.id().to_owned()
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(me);
/// # }
/// ```
#[derive(Clone)]
pub struct Principal {
    context: AuthorizerContext,
    statement: Option<u32>,
    cached: bool,
}

impl Principal {
    pub(crate) fn new(authorization: Arc<Authorization>, statement: Option<usize>, cached: bool) -> Self {
        Self {
            context: AuthorizerContext(authorization),
            statement: statement.and_then(|index| index.try_into().ok()),
            cached,
        }
    }

    /// The principal id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.authorization().principal_id().unwrap_or_default()
    }

    /// What else the authorizer said.
    #[must_use]
    pub fn context(&self) -> &AuthorizerContext {
        &self.context
    }

    /// The API key the request counts against, if the authorizer named one. A secret: it does not print.
    #[must_use]
    pub fn usage_identifier_key(&self) -> Option<&str> {
        self.authorization().usage_identifier_key()
    }

    /// Which statement of the policy allowed this request, counted from zero.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        self.statement.and_then(|index| index.try_into().ok())
    }

    /// Whether the answer came out of the cache.
    #[must_use]
    pub fn is_cached(&self) -> bool {
        self.cached
    }

    /// Until when the answer may be reused, where it may be.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        let since_epoch: Duration = self.authorization().expiry()?.wall;
        SystemTime::UNIX_EPOCH.checked_add(since_epoch)
    }

    fn authorization(&self) -> &Authorization {
        &self.context.0
    }
}

impl std::fmt::Debug for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Principal")
            .field("id", &self.id())
            .field("context", &self.context)
            .field("statement", &self.statement)
            .field("cached", &self.cached)
            .finish()
    }
}

/// The context the authorizer sent along: the values a handler may need to do its work.
///
/// Like [`Principal`], it exists only after an authorizer allowed the request. With the `axum` feature it is an
/// extractor.
#[derive(Clone)]
pub struct AuthorizerContext(Arc<Authorization>);

impl AuthorizerContext {
    /// The principal id, if the authorizer named anybody.
    #[must_use]
    pub fn principal_id(&self) -> Option<&str> {
        self.0.principal_id()
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ContextValue> {
        self.values().get(name)
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> &Context {
        self.0.context()
    }

    /// Reads the whole context into a type of yours.
    ///
    /// # Errors
    ///
    /// If a value is missing or of another type than yours; the error names it.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let object: serde_json::Map<String, serde_json::Value> =
            self.values().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        serde_json::from_value(serde_json::Value::Object(object))
    }
}

impl std::fmt::Debug for AuthorizerContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AuthorizerContext").field(self.values()).finish()
    }
}
