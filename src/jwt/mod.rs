//! JWTs and Cognito.

mod algorithm;
mod crypto;
#[cfg(feature = "jwks-http")]
mod http_jwks;
mod json;
mod keys;

pub use algorithm::Algorithm;
#[cfg(feature = "jwks-http")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks-http")))]
pub use http_jwks::{HttpJwks, HttpJwksBuilder, JwksConfigError, JwksError, JwksStatus};
pub use keys::{KeySet, KeySetError, Keys, SkipReason, SkippedKey};
