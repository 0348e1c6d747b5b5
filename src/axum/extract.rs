//! Extractors.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::contract::{AuthorizerContext, Principal};

/// A handler asked for what no layer had put there: a mistake in the wiring of the service, not of its client.
///
/// Answered with 500; the client is not told what is wrong. The program finds it in the extensions of the response, and
/// with the feature `tracing` it is an event of the level `ERROR`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MissingAuthorization {
    /// No [`AuthorizerLayer`](crate::AuthorizerLayer) ran before the handler.
    NoLayer,
    /// The layer ran, and the authorizer's answer names no principal.
    NoPrincipal,
}

impl std::fmt::Display for MissingAuthorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoLayer => {
                "no authorizer layer ran before this handler: wrap the router with `protect`, \
                 or call `Router::layer` last: it covers only the routes that are there"
            }
            Self::NoPrincipal => {
                "the authorizer's answer names no principal: extract `AuthorizerContext` or `Option<Principal>`"
            }
        })
    }
}

impl std::error::Error for MissingAuthorization {}

impl IntoResponse for MissingAuthorization {
    fn into_response(self) -> Response {
        #[cfg(feature = "tracing")]
        tracing::error!(error = %self, "a handler was called without authorization");
        let body = r#"{"message":"Internal server error"}"#;
        let mut response = (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, json);
        response.extensions_mut().insert(self);
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = MissingAuthorization;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        principal(parts)?.ok_or(MissingAuthorization::NoPrincipal)
    }
}

/// `None` where the authorizer named nobody. That no layer ran at all is an error here too.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = MissingAuthorization;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        principal(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AuthorizerContext {
    type Rejection = MissingAuthorization;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        match parts.extensions.get::<Principal>() {
            Some(principal) => Ok(principal.context().clone()),
            None => parts.extensions.get::<Self>().cloned().ok_or(MissingAuthorization::NoLayer),
        }
    }
}

fn principal(parts: &Parts) -> Result<Option<Principal>, MissingAuthorization> {
    match parts.extensions.get::<Principal>() {
        Some(principal) => Ok(Some(principal.clone())),
        None if parts.extensions.get::<AuthorizerContext>().is_some() => Ok(None),
        None => Err(MissingAuthorization::NoLayer),
    }
}
