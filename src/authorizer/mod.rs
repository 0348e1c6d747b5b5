//! The port: what you implement.
//!
//! An [`Authorizer`] is asked who a caller is and what that caller may do. It decides nothing: it returns a
//! policy, and whoever runs the authorizer (API Gateway, or [`AuthorizerLayer`](crate::AuthorizerLayer))
//! evaluates that policy against the ARN of each request.
//!
//! ```
//! use tower_lambda_authorizer::policy::AnyMethod;
//! use tower_lambda_authorizer::{Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerResponse};
//!
//! struct ApiKeys { keys: std::collections::HashMap<String, String> }
//!
//! impl Authorizer for ApiKeys {
//!     async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
//!         let user = event.header("x-api-key").and_then(|key| self.keys.get(key));
//!         let user = user.ok_or_else(AuthorizerError::unauthorized)?;
//!         let policy = event.policy().value("user", user).allow(AnyMethod, "/users/{user}/*").build()?;
//!         Ok(AuthorizerResponse::new(user.as_str(), policy)?)
//!     }
//! }
//! ```
//!
//! # Several authorizers
//!
//! | combinator | what it does |
//! |---|---|
//! | [`any_of`](any_of()) | asks the one for whose kind of credential the caller shows; goes on only where a credential is absent |
//! | [`or_anonymous`](AnyOfBuilder::or_anonymous) | lets callers without any credential be somebody, whose rights are up to you |
//! | [`map_response`] | changes another authorizer's answers |
//! | [`all_of`](crate::middleware::all_of) | has several layers allow a request, each by an answer of its own |
//!
//! The first three are authorizers again, and run wherever an authorizer runs.
//!
//! # Why not `tower::Service<AuthorizerEvent>`?
//!
//! An authorizer has no readiness to drive and no `&mut` state per call: it is asked by many requests at once,
//! and what it shares it shares behind `&self`. The trait says just that, and the compiler then points at *your*
//! code when a future is not `Send`.

mod any_of;
mod credential;
mod error;
mod func;
mod guarded;
mod map;
mod shared;

use std::sync::Arc;

pub use any_of::{AnyOf, AnyOfBuilder, AnyOfError, any_of};
pub use credential::Credential;
pub use error::AuthorizerError;
pub use func::{AuthorizerFn, WithChallenge, authorizer_fn};
pub(crate) use guarded::{Guarded, Panicked, discard};
pub use map::{MapResponse, map_response};
pub(crate) use shared::Answer;
pub use shared::SharedAuthorizer;

use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge};

/// Says who is calling and what they may do.
///
/// Write `async fn authorize`; see the [module documentation](self) for a whole one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authorizer",
    note = "implement `Authorizer` for it, or wrap an async closure with `authorizer_fn`"
)]
pub trait Authorizer: Send + Sync + 'static {
    /// Answers one event.
    ///
    /// # Errors
    ///
    /// [`AuthorizerError::unauthorized`] if the caller's credentials are no good: the client sees 401. Any other
    /// error is a failure of the authorizer: the client sees 500 and is told nothing about it. Neither is ever
    /// cached, and neither ever lets a request through.
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send;

    /// What clients without valid credentials are told: `WWW-Authenticate` of every 401, also of those that are
    /// refused without asking. None if not said, as API Gateway has it for Lambda authorizers.
    ///
    /// It is asked once, when the layer is built. An error can [name another](AuthorizerError::with_challenge).
    fn challenge(&self) -> Option<Challenge> {
        None
    }

    /// Where it looks for credentials, as far as it says so; [`any_of`](any_of()) and those for JWTs do. A layer with a cache does not
    /// build unless all of them are among its identity sources: else an answer to one credential would be reused for
    /// another. Nor does one of type `TOKEN`, with a cache or without, if there are others than the token.
    fn credentials(&self) -> Vec<Credential> {
        Vec::new()
    }
}

impl<A: Authorizer> Authorizer for Arc<A> {
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        (**self).authorize(event)
    }

    fn challenge(&self) -> Option<Challenge> {
        (**self).challenge()
    }

    fn credentials(&self) -> Vec<Credential> {
        (**self).credentials()
    }
}
