//! The layer before a service that does nothing. Unlike a router with its randomly seeded maps, that takes the same
//! number of instructions in every process, so that a change of the layer is seen.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use tower::{Layer, Service};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::axum::protect;

use super::layers::{ALLOW, DENY, always, cached, over_json_v2, stage};
use super::{Case, policies};

pub(crate) fn cases() -> Vec<Case> {
    let nothing = |name: &str| Case::service(name, Nothing, StatusCode::OK);
    let before =
        |name: String, layer: &AuthorizerLayer, expected| Case::service(name, layer.layer(Nothing), expected);
    let mut cases = vec![
        nothing("alone: no layer"),
        before("alone: hit, allowed".into(), &cached(ALLOW), StatusCode::OK),
        before("alone: hit, denied".into(), &cached(DENY), StatusCode::FORBIDDEN),
    ];
    for count in [10, 100] {
        let layer = cached(&policies::text("Head", "GET/users/*", count));
        cases.push(before(format!("alone: hit, {count} statements"), &layer, StatusCode::OK));
    }
    // The least of routers. It has maps, too, but nothing in them.
    let router = Router::new().fallback_service(Nothing);
    cases.push(Case::service("alone: hit, protect", protect(router, cached(ALLOW)), StatusCode::OK));
    let trivial = AuthorizerLayer::token(always(ALLOW), stage()).build().expect("a good layer");
    cases.push(before("alone: uncached".into(), &trivial, StatusCode::OK));
    cases.push(before("alone: uncached, over JSON (HTTP 2.0)".into(), &over_json_v2(), StatusCode::OK));
    cases
}

#[derive(Clone, Copy)]
pub(crate) struct Nothing;

impl Service<Request<Body>> for Nothing {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(Body::empty())))
    }
}
