//! What an authorizer answers.

use std::time::Duration;

use super::context::{Context, ContextValue};
use crate::contract::REDACTED;
use crate::policy::PolicyDocument;

/// The answer of an authorizer: who is calling, what they may do, and what the handler should know.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse};
///
/// async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
///     let policy = event.policy().allow(Method::GET, "/users/*").build()?;
///     Ok(AuthorizerResponse::new("me", policy)?.with_context("plan", "free"))
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct AuthorizerResponse {
    principal_id: Box<str>,
    policy: PolicyDocument,
    context: Context,
    usage_identifier_key: Option<Box<str>>,
    max_age: Option<Duration>,
}

impl AuthorizerResponse {
    /// The longest principal id, in bytes.
    pub const MAX_PRINCIPAL_ID: usize = 2048;

    /// An answer about `principal_id`, whom `policy` may allow or deny what is asked.
    ///
    /// # Errors
    ///
    /// If the principal id is empty, longer than [2 KiB](Self::MAX_PRINCIPAL_ID) or holds a control character:
    /// a gateway refuses such an answer.
    pub fn new(principal_id: impl Into<Box<str>>, policy: PolicyDocument) -> Result<Self, ResponseError> {
        let principal_id = principal_id.into();
        if principal_id.is_empty() {
            return Err(ResponseError::EmptyPrincipalId);
        }
        if principal_id.len() > Self::MAX_PRINCIPAL_ID {
            return Err(ResponseError::LongPrincipalId { bytes: principal_id.len() });
        }
        if principal_id.chars().any(char::is_control) {
            return Err(ResponseError::ControlCharacterInPrincipalId);
        }
        Ok(Self {
            principal_id,
            policy,
            context: Context::default(),
            usage_identifier_key: None,
            max_age: None,
        })
    }

    /// Adds a value to the context that the handler reads.
    ///
    /// The names `principalId` and `integrationLatency` are the gateway's own: an answer that uses one is
    /// refused, save for a `principalId` that repeats the answer's.
    #[must_use]
    pub fn with_context(mut self, name: impl Into<Box<str>>, value: impl Into<ContextValue>) -> Self {
        self.context.insert(name, value);
        self
    }

    /// Names the API key whose usage plan the request counts against. The value of the key, not its id.
    #[must_use]
    pub fn with_usage_identifier_key(mut self, key: impl Into<Box<str>>) -> Self {
        self.usage_identifier_key = Some(key.into());
        self
    }

    /// Says how long this answer may be reused at most, where the gateway caches at all. Zero: not once.
    ///
    /// A token's remaining life is the usual reason.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Who is calling.
    #[must_use]
    pub fn principal_id(&self) -> &str {
        &self.principal_id
    }

    /// What they may do.
    #[must_use]
    pub fn policy(&self) -> &PolicyDocument {
        &self.policy
    }

    /// What the handler should know.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The API key to count against, if one is named.
    #[must_use]
    pub fn usage_identifier_key(&self) -> Option<&str> {
        self.usage_identifier_key.as_deref()
    }

    /// How long this answer may be reused at most, if it says so.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    pub(crate) fn into_parts(self) -> ResponseParts {
        let Self { principal_id, policy, context, usage_identifier_key, max_age } = self;
        ResponseParts { principal_id, policy, context, usage_identifier_key, max_age }
    }
}

pub(crate) struct ResponseParts {
    pub(crate) principal_id: Box<str>,
    pub(crate) policy: PolicyDocument,
    pub(crate) context: Context,
    pub(crate) usage_identifier_key: Option<Box<str>>,
    pub(crate) max_age: Option<Duration>,
}

impl std::fmt::Debug for AuthorizerResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerResponse")
            .field("principal_id", &self.principal_id)
            .field("policy", &format_args!("{} statements", self.policy.statements().len()))
            .field("context", &self.context)
            .field("usage_identifier_key", &self.usage_identifier_key.as_ref().map(|_| REDACTED))
            .field("max_age", &self.max_age)
            .finish()
    }
}

/// An answer that a gateway would not accept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The principal id holds a control character.
    ControlCharacterInPrincipalId,
    /// The principal id is empty.
    EmptyPrincipalId,
    /// The principal id is over [`AuthorizerResponse::MAX_PRINCIPAL_ID`].
    LongPrincipalId {
        /// How long it is.
        bytes: usize,
    },
    /// The context uses a name that belongs to the gateway.
    ReservedContextKey {
        /// That name.
        key: Box<str>,
    },
}

impl std::fmt::Display for ResponseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ControlCharacterInPrincipalId => {
                f.write_str("the principal id holds a control character: remove it or encode it")
            }
            Self::EmptyPrincipalId => f.write_str("the principal id is empty: name who is calling"),
            Self::LongPrincipalId { bytes } => write!(
                f,
                "the principal id has {bytes} bytes: at most {} are allowed",
                AuthorizerResponse::MAX_PRINCIPAL_ID
            ),
            Self::ReservedContextKey { key } => {
                write!(f, "the context key `{key}` is reserved for the gateway: choose another name")
            }
        }
    }
}

impl std::error::Error for ResponseError {}
