//! What a handler reads.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Extensions;
use serde::de::DeserializeOwned;

use super::authorization::Authorization;
use super::context::{Context, ContextValue};
use super::{ApiKind, PayloadFormat, lenient, make_room, wire};

/// Who is calling, as the authorizer said, after its policy allowed the request.
///
/// It is in the extensions of every request that an [`AuthorizerLayer`](crate::AuthorizerLayer) lets through, unless
/// the authorizer named nobody: then there is an [`AuthorizerContext`] alone. It can be got from nowhere else: it has no public constructor, no `Default` and no `Deserialize`, and the
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
    #[inline]
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

    /// The `Sid` of that statement.
    #[cfg(any(feature = "debug-header", feature = "tracing"))]
    pub(crate) fn sid(&self) -> Option<&str> {
        self.authorization().sid(self.statement()?)
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

    /// Inserts one value: the principal, or the context alone where nobody was named.
    #[inline]
    pub(crate) fn insert_into(self, extensions: &mut Extensions) {
        make_room(extensions);
        match self.context.principal_id() {
            Some(_) => drop(extensions.insert(self)),
            None => drop(extensions.insert(self.context)),
        }
    }

    /// Removes what is there when a request comes in: whoever put it there was not us.
    #[inline]
    pub(crate) fn remove_from(extensions: &mut Extensions) {
        if extensions.is_empty() {
            return;
        }
        extensions.remove::<Self>();
        extensions.remove::<AuthorizerContext>();
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

    /// The value called `name` as text. A number and a truth value have one too, as they do behind a REST API, where
    /// every value is text.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name)?.to_text()
    }

    /// The value called `name`, if it is a whole number that fits, or the text of one.
    #[must_use]
    pub fn get_i64(&self, name: &str) -> Option<i64> {
        self.get(name)?.to_number()?.as_i64()
    }

    /// The value called `name`, if it is a number, or the text of one.
    #[must_use]
    pub fn get_f64(&self, name: &str) -> Option<f64> {
        self.get(name)?.to_number()?.as_f64()
    }

    /// The value called `name`, if it is a truth value, or `"true"` or `"false"`.
    #[must_use]
    pub fn get_bool(&self, name: &str) -> Option<bool> {
        self.get(name)?.to_bool()
    }

    /// Reads the whole context into a type of yours.
    ///
    /// Behind a REST API numbers and truth values are text; here a `u32` field reads `123` and `"123"` alike, a
    /// `bool` field `true` and `"true"`, and a `String` field the text of either.
    ///
    /// # Errors
    ///
    /// If a value is missing or does not read as your type; the error names it.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        lenient::read(self.values())
    }

    /// The value of `requestContext.authorizer` as a backend behind API Gateway is given it.
    ///
    /// | kind of API | format | value |
    /// |---|---|---|
    /// | REST, WebSocket | any | flat, every scalar as text, with `principalId` and `integrationLatency` |
    /// | HTTP | 1.0 | flat, with JSON types, `principalId` (if there is one) and `integrationLatency` |
    /// | HTTP | 2.0 | `{"lambda": …}`, with JSON types; null if there is no context |
    #[must_use]
    pub fn to_request_context(&self, kind: ApiKind, format: PayloadFormat) -> serde_json::Value {
        wire::request_context(self.values(), self.principal_id(), kind, format)
    }
}

impl std::fmt::Debug for AuthorizerContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AuthorizerContext").field(self.values()).finish()
    }
}
