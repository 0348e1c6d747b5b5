//! The gateway's part, as a tower layer.
//!
//! # When a request passes
//!
//! 1. Its target is canonical (see [`request`](crate::request)). Otherwise 400; 414 if its ARN is over 1,600 bytes.
//! 2. Each identity source is there once, is text, and has at most 8 KiB. Otherwise 401. One exception, which is API
//!    Gateway's: a `REQUEST` authorizer without a cache is asked even if an identity source is missing.
//! 3. There is an answer: from the cache, or from the authorizer. `Unauthorized` is 401. Every other error, a panic,
//!    a time-out, an answer that no gateway would accept: 500.
//! 4. The answer's policy allows the ARN of this very request, and no statement of it denies the request, in any
//!    spelling. Otherwise 403. A simple response, where those are switched on, says yes or no instead.
//!
//! Then, and only then, is the inner service called, with a [`Principal`](crate::Principal) in the request's
//! extensions, or an [`AuthorizerContext`](crate::AuthorizerContext) alone if the answer names nobody. There is no
//! switch that lets a request pass when something fails.
//!
//! # With axum
//!
//! Use [`protect`](crate::axum::protect) around the finished router. A layer that is added with `Router::layer`
//! protects only the routes that were added *before* it, and cannot rewrite paths before they are routed; and axum adds
//! an `Allow` header to its refusals, which tells which methods a path has. Public routes stand outside of `protect`,
//! with `fallback_service`, so that route templates are those of the protected router alone.
//!
//! # Several authorizers
//!
//! One layer can have an authorizer that [chooses by credential](crate::authorizer::any_of()), or that lets
//! [anonymous](crate::authorizer::AnyOfBuilder::or_anonymous) callers in. Several layers come together like this:
//!
//! | wanted | how |
//! |---|---|
//! | all of them have to allow | [`all_of`], or one layer around another |
//! | some routes need a second answer | `route_layer` on these routes, inside of `protect` |
//! | some routes have another authorizer | [`with_alternative`](AuthorizerLayer::with_alternative), by the route's template; or a second `protect`ed router, with `nest_service` |
//! | a new one decides for some callers | [`with_alternative`](AuthorizerLayer::with_alternative), by a share |
//! | a new one only watches | [`with_shadow`](AuthorizerLayer::with_shadow) |
//!
//! None of it takes a guard away: inside of `protect` a further layer can only refuse more, an alternative decides in
//! the place of the layer and never beside it, and a shadow decides nothing.
//!
//! # With any tower service
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
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
//! let service = layer.layer(service_fn(async |request: Request<()>| {
//!     let principal = request.extensions().get::<Principal>().map(|principal| principal.id().to_owned());
//!     Ok::<_, std::convert::Infallible>(Response::new(principal.unwrap_or_default()))
//! }));
//!
//! let ask = |path: &str, token: &str| Request::get(path).header("authorization", token).body(());
//! let inside = service.clone().oneshot(ask("/cave/gold", "Bearer open sesame")?).await?;
//! assert_eq!((inside.status(), inside.body().as_str()), (StatusCode::OK, "ali-baba"));
//! let elsewhere = service.clone().oneshot(ask("/palace", "Bearer open sesame")?).await?;
//! assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
//! let nobody = service.oneshot(ask("/cave/gold", "Bearer open barley")?).await?;
//! assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
//! # Ok(()) }
//! ```
//!
//! Put layers that change the response's body (compression) outside of this one, and CORS too: a preflight request
//! carries no identity.

mod advice;
mod all_of;
mod beside;
mod builder;
mod caching;
mod condition_keys;
mod context;
mod flight;
mod future;
mod gateway;
mod head;
mod insight;
mod layer;
mod load;
mod names;
#[cfg(feature = "axum")]
mod outside;
mod question;
mod refused;
mod rejection;
mod responses;
mod service;
mod shadow;
mod view;

#[cfg(feature = "axum")]
pub(crate) use crate::request::{SentPath, WithoutTemplate, is_plain, is_spelling_of, sent_path};
pub use all_of::all_of;
pub use builder::{AuthorizerLayerBuilder, ConfigError};
pub use future::ResponseFuture;
pub use head::RequestHead;
#[cfg(feature = "lambda-http")]
pub(crate) use insight::received;
pub use layer::AuthorizerLayer;
pub use refused::RefusedRequest;
pub use rejection::{Rejection, RejectionKind};
pub use responses::{
    GatewayResponse, GatewayResponseError, GatewayResponseType, GatewayResponses, GatewayResponsesBuilder,
    ResponseForRejection, UnknownResponseType,
};
pub use service::AuthorizerService;
pub use shadow::{Difference, Disagreement, Shadow, ShadowStatistics, ShadowVerdict};
