//! The router alone, and layers that decide nothing.

use std::future::{Ready, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::StatusCode;
use http::header::AUTHORIZATION;
use tower::Layer;
use tower::layer::util::Identity;
use tower_http::auth::{AsyncAuthorizeRequest, AsyncRequireAuthorizationLayer};
use tower_http::validate_request::ValidateRequestHeaderLayer;

use super::by_hand::ByHand;
use super::{Case, finished, router};

/// What a layer that decides nothing tells the handler.
#[derive(Clone)]
struct Caller;

pub(crate) fn bare() -> Case {
    Case::service("bare", finished(), StatusCode::OK)
}

#[expect(clippy::result_large_err, reason = "it is what tower-http asks for")]
pub(crate) fn layers() -> Vec<Case> {
    let validate = ValidateRequestHeaderLayer::custom(|request: &mut Request| match has_token(request) {
        true => Ok(()),
        false => Err(refusal()),
    });
    let authorize = AsyncRequireAuthorizationLayer::new(Insert);
    let insert = from_fn(async |mut request: Request, next: Next| {
        if !has_token(&request) {
            return refusal();
        }
        request.extensions_mut().insert(Caller);
        next.run(request).await
    });
    let by_hand = ByHand::new();
    vec![
        inside("no layer at all, Router::layer", router().layer(Identity::new())),
        Case::service("tower-http validate, outside", validate.layer(finished()), StatusCode::OK),
        inside("tower-http validate, Router::layer", router().layer(validate)),
        Case::service("tower-http async authorize, outside", authorize.layer(finished()), StatusCode::OK),
        inside("tower-http async authorize, Router::layer", router().layer(authorize)),
        Case::service("from_fn that inserts, outside", insert.layer(finished()), StatusCode::OK),
        inside("from_fn that inserts, Router::layer", router().layer(insert)),
        Case::service("a hit put together by hand, outside", by_hand.layer(finished()), StatusCode::OK),
        inside("a hit put together by hand, Router::layer", router().layer(by_hand)),
    ]
}

fn inside(name: &str, router: Router) -> Case {
    Case::service(name, router.with_state::<()>(()), StatusCode::OK)
}

fn has_token(request: &Request) -> bool {
    request.headers().get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Bearer "))
}

fn refusal() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

#[derive(Clone, Copy)]
struct Insert;

impl AsyncAuthorizeRequest<Body> for Insert {
    type RequestBody = Body;
    type ResponseBody = Body;
    type Future = Ready<Result<Request, Response>>;

    fn authorize(&mut self, mut request: Request) -> Self::Future {
        if !has_token(&request) {
            return ready(Err(refusal()));
        }
        request.extensions_mut().insert(Caller);
        ready(Ok(request))
    }
}
