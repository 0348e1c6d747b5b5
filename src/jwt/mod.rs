//! JWTs and Cognito.

mod algorithm;
mod authorizer;
mod challenge;
mod claims;
pub mod cognito;
mod config_error;
mod context;
mod crypto;
mod engine;
mod error;
#[cfg(feature = "jwks-http")]
mod http_jwks;
mod issuer;
mod json;
mod keys;
pub mod preset;
mod routes;
mod rule;
mod source;
mod token;

pub use algorithm::Algorithm;
pub use authorizer::{JwtAuthorizer, JwtAuthorizerBuilder};
pub use claims::Claims;
pub use config_error::JwtConfigError;
pub use error::{JwtError, JwtReason};
#[cfg(feature = "jwks-http")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks-http")))]
pub use http_jwks::{HttpJwks, HttpJwksBuilder, JwksConfigError, JwksError, JwksStatus};
pub use issuer::{Issuer, TokenUse};
pub use keys::{KeySet, KeySetError, Keys, SkipReason, SkippedKey};
pub use routes::{RouteScopes, RouteScopesError};
pub use rule::Rule;
pub use source::TokenSource;
