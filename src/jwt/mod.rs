//! JWTs and Cognito.
//!
//! A [`JwtAuthorizer`] accepts the tokens of the [`Issuer`]s it trusts. What of a token is believed, and when:
//!
//! 1. its form: three parts, one spelling, no member twice, a header that asks for nothing unknown;
//! 2. its issuer: `iss` chooses among those that are configured, and is never an address;
//! 3. its key: `kid` chooses among the issuer's, for the algorithms that both the issuer and the key are for;
//! 4. its signature;
//! 5. only now what it says: `exp`, which has to be there, `nbf`, `iat`, whom it is for, and what else is demanded.
//!
//! | what | where |
//! |---|---|
//! | whom to trust, and what tokens must say | [`Issuer`], [`cognito::UserPool`] |
//! | keys that stay as they are | [`KeySet`]: out of a JWKS document, a PEM file, a secret |
#![cfg_attr(feature = "jwks-http", doc = "| keys that are fetched | [`HttpJwks`] |")]
//! | where requests carry their token | [`TokenSource`] |
//! | what a token allows | [`Rule`], or a [policy](JwtAuthorizerBuilder::with_policy) made of its [`Claims`] |
//! | why a token was refused | [`JwtError`], with a [`JwtReason`] |
//! | what API Gateway's own authorizers do | [`preset`] |
//!
//! Signatures are checked by `aws-lc-rs`, or by the RustCrypto backend of `jsonwebtoken` where the feature
//! `jwt-rust-crypto` stands alone. The process-wide default of `jsonwebtoken` is neither used nor set. The backend has
//! to pass a test with known answers before the first authorizer is built.
//!
//! Not supported, and refused: encrypted tokens, `none`, `crit`, detached payloads, keys or addresses of keys in a
//! token's header (they are not read), ES512, ES256K and Ed448.

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
mod route;
mod route_error;
mod route_template;
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
pub use route_error::RouteScopesError;
pub use routes::RouteScopes;
pub use rule::Rule;
pub use source::TokenSource;
