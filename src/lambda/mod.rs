//! Lambda.

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
