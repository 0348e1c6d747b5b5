//! In Lambda: authorizers as functions that API Gateway asks, and handlers that stand behind it.
//!
//! | what runs in Lambda | feature | what it takes |
//! |---|---|---|
//! | the authorizer | `lambda` | `run`, or `AuthorizerFunction` for more control |
//! | the handler, with `lambda_http` and axum | `lambda-http` | `GatewayContextLayer` |
//!
//! The two are independent of each other: the handler reads any gateway's authorizer, and the function answers any
//! gateway. The same authorizer and the same handlers run elsewhere behind an
//! [`AuthorizerLayer`](crate::AuthorizerLayer). How to deploy them, and what differs, is told in `docs/LAMBDA.md`.

#[cfg(feature = "lambda-http")]
mod backend;
#[cfg(feature = "lambda")]
mod error;
#[cfg(feature = "lambda")]
mod function;
#[cfg(feature = "lambda")]
mod run;

#[cfg(feature = "lambda-http")]
pub use backend::{
    GatewayContextError, GatewayContextFuture, GatewayContextLayer, GatewayContextLayerBuilder,
    GatewayContextService,
};
#[cfg(feature = "lambda")]
pub use error::FunctionError;
#[cfg(feature = "lambda")]
pub use function::{AuthorizerFunction, FunctionFuture};
#[cfg(feature = "lambda")]
pub use run::run;
