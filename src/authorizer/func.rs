//! Closures as authorizers.

use super::{Authorizer, AuthorizerError};
use crate::contract::{AuthorizerEvent, AuthorizerResponse};

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
