//! A Tower layer that implements the AWS API Gateway Lambda authorizer contract.
//!
//! An [`Authorizer`] says who is calling and answers with an IAM policy. An [`AuthorizerLayer`] does the gateway's
//! part: it reads the caller's identity from the request, asks the authorizer or its cache, evaluates the policy
//! against the ARN of the request, and calls your service or refuses. What reaches a handler was allowed by a
//! policy; whatever fails on the way is a refusal.
//!
//! # An authorizer in front of an axum router
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::{Router, body::Body, extract::Path, routing::get};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_lambda_authorizer::axum::protect;
//! use tower_lambda_authorizer::policy::AnyMethod;
//! use tower_lambda_authorizer::{
//!     ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let authorizer = authorizer_fn(async |event| match event.bearer_token() {
//!     Some("open sesame") => {
//!         let policy = event.policy().allow(AnyMethod, "/cave/*").build()?;
//!         Ok(AuthorizerResponse::new("ali-baba", policy)?)
//!     }
//!     _ => Err(AuthorizerError::unauthorized()),
//! });
//! let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
//! let layer = AuthorizerLayer::token(authorizer, stage).build()?;
//!
//! async fn find(principal: Principal, Path(thing): Path<String>) -> String {
//!     format!("{} finds {thing}", principal.id())
//! }
//! let router = Router::new().route("/cave/{thing}", get(find));
//! let service = protect(router, layer);
//!
//! // `axum::serve(listener, service)` serves it. Here it is asked directly.
//! let ask = |path: &str, token: &str| Request::get(path).header("authorization", token).body(Body::empty());
//! let allowed = service.clone().oneshot(ask("/cave/gold", "Bearer open sesame")?).await?;
//! assert_eq!(allowed.status(), StatusCode::OK);
//! let elsewhere = service.clone().oneshot(ask("/palace/gold", "Bearer open sesame")?).await?;
//! assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
//! let nobody = service.oneshot(ask("/cave/gold", "Bearer open barley")?).await?;
//! assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
//! # Ok(()) }
//! ```
//!
//! # Homes
//!
//! One authorizer, many homes, one answer: the same value runs wherever the table says, and handlers read the same
//! types.
//!
//! | home | how | what a handler reads |
//! |---|---|---|
//! | an axum router of your own | [`axum::protect`] | the extractors [`Principal`] and [`AuthorizerContext`] |
//! | any tower service on `http` requests | [`AuthorizerLayer`] | [`Principal`] in the request's extensions |
//! | a Lambda function that API Gateway asks | `lambda::run` | |
//! | a handler in Lambda, behind a real gateway | `lambda::GatewayContextLayer` | the same extractors and extensions |
//! | an authorizer function that exists already | `remote::RemoteAuthorizer`, an [`Authorizer`] | the same |
//!
//! # Map
//!
//! | module | what is there |
//! |---|---|
//! | [`authorizer`] | the trait you implement, and closures as authorizers |
//! | [`contract`] | what crosses between gateway, authorizer and handler: events, answers, principals |
//! | [`policy`] | policy documents and ARNs: built, read strictly, evaluated |
//! | [`request`] | the API stage, identity sources, and which targets are accepted |
//! | [`middleware`] | the layer: when a request passes, and what a refused client sees |
//! | [`axum`](crate::axum) | `protect` and the extractors |
//! | [`mapping`] | what your service is told in headers and query parameters |
//! | [`cache`] | where answers are kept, if you want them kept |
//! | [`clock`] | time, so that tests can set it |
//! | `jwt` | authorizers for JWTs and Cognito user pools |
//! | `lambda` | authorizers as Lambda functions, and handlers behind a real gateway |
//! | `remote` | authorizers that ask a function which exists already |
//! | `testing` | what the tests of a service need |
//!
//! The guides that go with them are one book: the module `guide` of the documentation with all features, as on docs.rs, and
//! the folder `docs` of the source.
//!
//! # Features
//!
//! | feature | by default | what it adds |
//! |---|---|---|
//! | `axum` | yes | the module `axum`, extractors, and what axum 0.8 says of a request: the whole path below `nest`, route templates, peer addresses |
//! | `debug-header` | | a response header that tells developers what was decided |
//! | `jwt` | | the module `jwt`, with `aws-lc-rs` for signatures |
//! | `jwt-rust-crypto` | | the module `jwt` without C code, and slower; with both, `jwt` decides |
//! | `jwks-http` | | key sets that are fetched from an issuer |
//! | `lambda`, `lambda-http` | | the module `lambda`: functions, and handlers behind a gateway |
//! | `remote`, `remote-aws` | | the module `remote`: through HTTP, and through the AWS SDK |
//! | `metrics` | | counts and durations for the crate `metrics` |
//! | `testing` | | the module `testing` |
//! | `tracing` | | events and spans of `tracing` |
//!
//! # What never happens
//!
//! No input makes this crate panic, no failure lets a request through, and no token is printed by `Debug`. There is
//! no unsafe code.
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
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "jwks-http",
        feature = "lambda",
        feature = "lambda-http",
        feature = "remote",
        feature = "remote-aws"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "what a feature brings is linked to where it is there")
)]

pub mod authorizer;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
pub mod cache;
pub mod clock;
pub mod contract;
#[cfg(all(
    any(doc, doctest),
    feature = "axum",
    feature = "debug-header",
    feature = "jwks-http",
    feature = "lambda",
    feature = "lambda-http",
    feature = "remote",
    feature = "remote-aws",
    feature = "testing"
))]
pub mod guide;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub mod jwt;
#[cfg(any(feature = "lambda", feature = "lambda-http"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "lambda", feature = "lambda-http"))))]
pub mod lambda;
pub mod mapping;
pub mod middleware;
pub mod policy;
#[cfg(any(feature = "remote", feature = "remote-aws"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "remote", feature = "remote-aws"))))]
pub mod remote;
pub mod request;
mod telemetry;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

#[doc(inline)]
pub use crate::{
    authorizer::{Authorizer, AuthorizerError, authorizer_fn},
    contract::{AuthorizerContext, AuthorizerEvent, AuthorizerResponse, Principal},
    middleware::AuthorizerLayer,
    request::{ApiStage, IdentitySource},
};

/// Has the code in the README compiled.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
