//! A Tower layer that implements the AWS API Gateway Lambda authorizer contract.
#![deny(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "no input may panic this library"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod authorizer;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
pub mod cache;
pub mod clock;
pub mod contract;
pub mod mapping;
pub mod middleware;
pub mod policy;
pub mod request;

#[doc(inline)]
pub use crate::{
    authorizer::{Authorizer, AuthorizerError, authorizer_fn},
    contract::{AuthorizerContext, AuthorizerEvent, AuthorizerResponse, Principal},
    middleware::AuthorizerLayer,
    request::ApiStage,
};
