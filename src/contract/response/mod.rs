//! What an authorizer answers.

mod error;
mod parse;
mod print;
mod rules;
mod unknown;

use std::time::Duration;

pub use error::ResponseError;
pub use rules::ResponseRules;

use super::challenge::Challenge;
use super::context::{Context, ContextValue};
#[cfg(feature = "lambda")]
use crate::contract::EventKind;
use crate::contract::REDACTED;
#[cfg(feature = "lambda")]
use crate::contract::reserved::{EXPIRES_AT, PRINCIPAL_ID};
use crate::policy::PolicyDocument;

/// The answer of an authorizer: who is calling, what they may do, and what the handler should know.
///
/// It is a policy, or, where an HTTP API has simple responses switched on, a plain yes or no. What each kind of API
/// accepts is written at [`ResponseRules`].
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
    form: Form,
    context: Context,
    usage_identifier_key: Option<Box<str>>,
    max_age: Option<Duration>,
    denial_challenge: Option<Challenge>,
}

/// The two forms of an answer. There is none that is both.
#[derive(Clone, PartialEq)]
pub(crate) enum Form {
    Policy { principal_id: Option<Box<str>>, policy: PolicyDocument },
    Simple { is_authorized: bool },
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
    pub fn new(principal_id: impl Into<String>, policy: PolicyDocument) -> Result<Self, ResponseError> {
        let principal_id = principal_id.into().into_boxed_str();
        if principal_id.is_empty() {
            return Err(ResponseError::EmptyPrincipalId);
        }
        if principal_id.len() > Self::MAX_PRINCIPAL_ID {
            return Err(ResponseError::LongPrincipalId { bytes: principal_id.len() });
        }
        if principal_id.chars().any(char::is_control) {
            return Err(ResponseError::ControlCharacterInPrincipalId);
        }
        Ok(Self::of(Form::Policy { principal_id: Some(principal_id), policy }))
    }

    /// An answer that names nobody. Only HTTP APIs accept it; handlers then have no [`Principal`](super::Principal),
    /// and read the [`AuthorizerContext`](super::AuthorizerContext) instead.
    #[must_use]
    pub fn without_principal(policy: PolicyDocument) -> Self {
        Self::of(Form::Policy { principal_id: None, policy })
    }

    /// A plain yes or no, without policy and principal. Only HTTP APIs with
    /// [simple responses](crate::middleware::AuthorizerLayerBuilder::with_simple_responses) accept it.
    ///
    /// ```
    /// use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse};
    ///
    /// async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    ///     let known = event.bearer_token() == Some("open sesame");
    ///     Ok(AuthorizerResponse::simple(known).with_context("plan", "free"))
    /// }
    /// ```
    #[must_use]
    pub fn simple(is_authorized: bool) -> Self {
        Self::of(Form::Simple { is_authorized })
    }

    fn of(form: Form) -> Self {
        let context = Context::default();
        Self { form, context, usage_identifier_key: None, max_age: None, denial_challenge: None }
    }

    /// The same answer with another policy. A simple response becomes an answer that names nobody, which an API with
    /// simple responses refuses.
    #[must_use]
    pub fn with_policy(mut self, policy: PolicyDocument) -> Self {
        let principal_id = match self.form {
            Form::Policy { principal_id, .. } => principal_id,
            Form::Simple { .. } => None,
        };
        self.form = Form::Policy { principal_id, policy };
        self
    }

    /// Adds a value to the context that the handler reads.
    ///
    /// Some names are the gateway's own: an answer that uses one is refused, save for a `principalId` that repeats
    /// the answer's. Which values are accepted depends on the kind of API. Both are written at [`ResponseRules`].
    #[must_use]
    pub fn with_context(mut self, name: impl Into<String>, value: impl Into<ContextValue>) -> Self {
        self.context.insert(name, value);
        self
    }

    /// Names the API key whose usage plan the request counts against. The value of the key, not its id.
    ///
    /// Only answers with a policy carry one; an empty one is none.
    #[must_use]
    pub fn with_usage_identifier_key(mut self, key: impl Into<String>) -> Self {
        self.usage_identifier_key = Some(key.into().into_boxed_str()).filter(|key| !key.is_empty());
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

    /// Sends a challenge along with every 403 that this answer leads to. There is none if not said: whoever is denied
    /// has shown credentials, and others would be needed.
    #[must_use]
    pub fn with_denial_challenge(mut self, challenge: Challenge) -> Self {
        self.denial_challenge = Some(challenge);
        self
    }

    /// Whether an API with these rules accepts this answer.
    ///
    /// # Errors
    ///
    /// If it does not: the client then sees 500. Use it in the tests of an authorizer.
    pub fn check(&self, rules: &ResponseRules) -> Result<(), ResponseError> {
        rules.check(self)
    }

    /// Who is calling; `None` in answers that name nobody.
    #[must_use]
    pub fn principal_id(&self) -> Option<&str> {
        match &self.form {
            Form::Policy { principal_id, .. } => principal_id.as_deref(),
            Form::Simple { .. } => None,
        }
    }

    /// What they may do; `None` in a simple response.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyDocument> {
        match &self.form {
            Form::Policy { policy, .. } => Some(policy),
            Form::Simple { .. } => None,
        }
    }

    /// Whether a simple response says yes; `None` where a policy decides.
    #[must_use]
    pub fn is_authorized(&self) -> Option<bool> {
        match &self.form {
            Form::Policy { .. } => None,
            Form::Simple { is_authorized } => Some(*is_authorized),
        }
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

    /// The challenge of its denials, if it names one.
    #[must_use]
    pub fn denial_challenge(&self) -> Option<&Challenge> {
        self.denial_challenge.as_ref()
    }

    /// The answer as a function sends it, checked by the rules of its kind of event. A maximum age has no place in it,
    /// and a gateway does not pass a principal on in format 2.0: the backend is told of both in the context.
    #[cfg(feature = "lambda")]
    pub(crate) fn into_sent(mut self, kind: EventKind, now: Duration) -> Self {
        let principal_id = self.principal_id().map(str::to_owned);
        // If it is there, it repeats the answer's own.
        self.context.remove(PRINCIPAL_ID);
        if let (EventKind::HttpRequestV2, Some(principal_id)) = (kind, principal_id) {
            self.context.insert(PRINCIPAL_ID, principal_id);
        }
        if let Some(max_age) = self.max_age {
            // The next whole second: an answer of no age is good for the request that it was given to.
            let expires_at = now.saturating_add(max_age).as_secs().saturating_add(1);
            self.context.insert(EXPIRES_AT, expires_at);
        }
        self
    }

    pub(crate) fn into_parts(self) -> ResponseParts {
        let Self { form, context, usage_identifier_key, denial_challenge, max_age: _ } = self;
        ResponseParts { form, context, usage_identifier_key, denial_challenge }
    }
}

pub(crate) struct ResponseParts {
    pub(crate) form: Form,
    pub(crate) context: Context,
    pub(crate) usage_identifier_key: Option<Box<str>>,
    pub(crate) denial_challenge: Option<Challenge>,
}

impl std::fmt::Debug for AuthorizerResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("AuthorizerResponse");
        match &self.form {
            Form::Policy { principal_id, policy } => debug
                .field("principal_id", principal_id)
                .field("policy", &format_args!("{} statements", policy.statements().len())),
            Form::Simple { is_authorized } => debug.field("is_authorized", is_authorized),
        };
        debug
            .field("context", &self.context)
            .field("usage_identifier_key", &self.usage_identifier_key.as_ref().map(|_| REDACTED))
            .field("max_age", &self.max_age)
            .finish()
    }
}
