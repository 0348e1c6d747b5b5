//! Any authorizer, behind one type.

use std::pin::Pin;
use std::sync::Arc;

use super::{Authorizer, AuthorizerError, Credential};
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};

/// The pending answer of a [`SharedAuthorizer`]. It borrows nothing, so that it may outlive its request.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send>>;

/// An authorizer whose type is forgotten; cloning it shares it.
///
/// ```
/// use tower_lambda_authorizer::authorizer::{AuthorizerError, SharedAuthorizer, authorizer_fn};
///
/// let nobody = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
/// let authorizers: Vec<SharedAuthorizer> = vec![SharedAuthorizer::new(nobody)];
/// ```
#[derive(Clone)]
pub struct SharedAuthorizer(Arc<dyn Erased>);

trait Erased: Send + Sync {
    fn authorize(self: Arc<Self>, event: AuthorizerEvent) -> Answer;
    fn challenge(&self) -> Option<Challenge>;
    fn credentials(&self) -> Vec<Credential>;
}

impl<A: Authorizer> Erased for A {
    fn authorize(self: Arc<Self>, event: AuthorizerEvent) -> Answer {
        Box::pin(async move { Authorizer::authorize(&*self, event).await })
    }

    fn challenge(&self) -> Option<Challenge> {
        Authorizer::challenge(self)
    }

    fn credentials(&self) -> Vec<Credential> {
        Authorizer::credentials(self)
    }
}

impl SharedAuthorizer {
    /// Forgets the type of `authorizer`.
    #[must_use]
    pub fn new(authorizer: impl Authorizer) -> Self {
        Self(Arc::new(authorizer))
    }

    /// Asks the authorizer; none of its code runs before the answer is first polled.
    pub(crate) fn ask(&self, event: AuthorizerEvent) -> Answer {
        Arc::clone(&self.0).authorize(event)
    }
}

impl Authorizer for SharedAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.ask(event).await
    }

    fn challenge(&self) -> Option<Challenge> {
        self.0.challenge()
    }

    fn credentials(&self) -> Vec<Credential> {
        self.0.credentials()
    }
}

impl std::fmt::Debug for SharedAuthorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedAuthorizer").finish_non_exhaustive()
    }
}
