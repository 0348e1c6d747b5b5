//! Closures as authorizers.

use super::{Authorizer, AuthorizerError, Credential};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};

/// Makes an authorizer of an async function or closure.
///
/// ```
/// use tower_lambda_authorizer::policy::AnyMethod;
/// use tower_lambda_authorizer::{AuthorizerError, AuthorizerResponse, authorizer_fn};
///
/// let authorizer = authorizer_fn(async |event| match event.bearer_token() {
///     Some("open sesame") => {
///         let policy = event.policy().allow(AnyMethod, "/*").build()?;
///         Ok(AuthorizerResponse::new("ali-baba", policy)?)
///     }
///     _ => Err(AuthorizerError::unauthorized()),
/// });
/// ```
///
/// A closure that brings something along gives each future a share of it:
///
/// ```
/// # use std::{collections::HashMap, sync::Arc};
/// # use tower_lambda_authorizer::policy::AnyMethod;
/// # use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse, authorizer_fn};
/// # let keys: HashMap<String, String> = HashMap::new();
/// let keys = Arc::new(keys);
/// let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
///     let keys = Arc::clone(&keys);
///     async move {
///         let user = event.header("x-api-key").and_then(|key| keys.get(key));
///         let user = user.ok_or_else(AuthorizerError::unauthorized)?;
///         let policy = event.policy().value("user", user).allow(AnyMethod, "/users/{user}").build()?;
///         Ok(AuthorizerResponse::new(user.as_str(), policy)?)
///     }
/// });
/// ```
#[must_use]
pub fn authorizer_fn<F, Fut>(f: F) -> AuthorizerFn<F>
where
    F: Fn(AuthorizerEvent) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send,
{
    AuthorizerFn(f)
}

/// An [`Authorizer`] made of a function by [`authorizer_fn`].
#[derive(Clone, Copy)]
pub struct AuthorizerFn<F>(F);

impl<F> AuthorizerFn<F> {
    /// Names a [challenge](Authorizer::challenge).
    ///
    /// ```
    /// use tower_lambda_authorizer::contract::Challenge;
    /// use tower_lambda_authorizer::{Authorizer, AuthorizerError, authorizer_fn};
    ///
    /// let authorizer = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
    /// let authorizer = authorizer.with_challenge(Challenge::bearer());
    /// assert_eq!(authorizer.challenge(), Some(Challenge::bearer()));
    /// ```
    #[must_use]
    pub fn with_challenge(self, challenge: Challenge) -> WithChallenge<Self> {
        WithChallenge { authorizer: self, challenge }
    }
}

/// An [`Authorizer`] with a challenge, made by [`AuthorizerFn::with_challenge`].
#[derive(Clone, Debug)]
pub struct WithChallenge<A> {
    authorizer: A,
    challenge: Challenge,
}

impl<A: Authorizer> Authorizer for WithChallenge<A> {
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        self.authorizer.authorize(event)
    }

    fn challenge(&self) -> Option<Challenge> {
        Some(self.challenge.clone())
    }

    fn credentials(&self) -> Vec<Credential> {
        self.authorizer.credentials()
    }
}

impl<F, Fut> Authorizer for AuthorizerFn<F>
where
    F: Fn(AuthorizerEvent) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send,
{
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        (self.0)(event).await
    }
}

impl<F> std::fmt::Debug for AuthorizerFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AuthorizerFn").field(&std::any::type_name::<F>()).finish()
    }
}
