//! Another authorizer's answers, changed.

use super::{Authorizer, AuthorizerError, Credential};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};

/// Changes what an authorizer answers: adds to its context, narrows its policy, shortens its life, or refuses after all.
/// Its errors stay what they are.
///
/// ```
/// use tower_lambda_authorizer::authorizer::map_response;
/// use tower_lambda_authorizer::policy::{ResourcePattern, Statement};
/// use tower_lambda_authorizer::{AuthorizerError, authorizer_fn};
///
/// # let tokens = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
/// let authorizer = map_response(tokens, |response| {
///     let Some(policy) = response.policy().cloned() else { return Err(AuthorizerError::unauthorized()) };
///     let nobody_deletes = Statement::deny(ResourcePattern::raw("arn:aws:execute-api:*:*:*/*/DELETE/*")?);
///     Ok(response.with_policy(policy.with_statement(nobody_deletes)).with_context("plan", "free"))
/// });
/// ```
///
/// A layer that caches keeps the changed answer, so `change` is asked as often as the authorizer is.
#[must_use]
pub fn map_response<A, F>(authorizer: A, change: F) -> MapResponse<A, F>
where
    A: Authorizer,
    F: Fn(AuthorizerResponse) -> Result<AuthorizerResponse, AuthorizerError> + Send + Sync + 'static,
{
    MapResponse { authorizer, change }
}

/// An [`Authorizer`] whose answers are changed. Made by [`map_response`].
#[derive(Clone, Copy)]
pub struct MapResponse<A, F> {
    authorizer: A,
    change: F,
}

impl<A, F> Authorizer for MapResponse<A, F>
where
    A: Authorizer,
    F: Fn(AuthorizerResponse) -> Result<AuthorizerResponse, AuthorizerError> + Send + Sync + 'static,
{
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        (self.change)(self.authorizer.authorize(event).await?)
    }

    fn challenge(&self) -> Option<Challenge> {
        self.authorizer.challenge()
    }

    fn credentials(&self) -> Vec<Credential> {
        self.authorizer.credentials()
    }
}

impl<A: std::fmt::Debug, F> std::fmt::Debug for MapResponse<A, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapResponse").field("authorizer", &self.authorizer).finish_non_exhaustive()
    }
}
