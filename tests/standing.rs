//! Where a layer cannot see the prefixes that a router has cut off a path, it refuses: with and without the feature `axum`.

mod common;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use common::{Counter, stage};
use http::Request;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::middleware::{Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{
    AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

/// Everybody may see users, and nobody what is below `/admin`.
fn layer() -> AuthorizerLayer {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let policy = event.policy().allow(AnyMethod, "/users/*").deny(AnyMethod, "/admin/*").build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    AuthorizerLayer::token(authorizer, stage()).build().unwrap()
}

fn users(calls: &Counter) -> Router {
    let calls = calls.clone();
    let user = async move |request: Request<Body>| {
        calls.hit();
        request.extensions().get::<Principal>().unwrap().id().to_owned()
    };
    Router::new().route("/users/{id}", get(user))
}

async fn ask(router: Router, path: &str) -> Result<(), RejectionKind> {
    let request = Request::get(path).header("authorization", "t").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    response.extensions().get::<Rejection>().map_or(Ok(()), |rejection| Err(rejection.kind()))
}

/// Inside of a router of another axum than the crate's: that one knows nothing of it.
#[cfg(feature = "axum")]
fn of_another_axum(router: Router) -> Router {
    use axum::extract::{MatchedPath, NestedPath, OriginalUri};

    router.layer(tower::util::MapRequestLayer::new(|mut request: Request<Body>| {
        let extensions = request.extensions_mut();
        extensions.remove::<OriginalUri>();
        extensions.remove::<NestedPath>();
        extensions.remove::<MatchedPath>();
        request
    }))
}

#[cfg(not(feature = "axum"))]
fn of_another_axum(router: Router) -> Router {
    router
}

#[tokio::test]
async fn inside_of_a_router_that_it_does_not_know_a_layer_lets_nothing_pass() {
    let calls = Counter::default();
    let inside = [
        users(&calls).layer(layer()),
        users(&calls).route_layer(layer()),
        users(&calls).layer(tower::ServiceBuilder::new().map_request(|request| request).layer(layer())),
        users(&calls).layer(tower::ServiceBuilder::new().layer(layer()).map_request(|request| request)),
        Router::new().route("/users/{id}", get(async || "hello").layer(layer())),
        Router::new().route(
            "/users/{id}",
            get(axum::handler::Handler::layer(async |_: Request<Body>| "hello", layer())),
        ),
    ];
    for (number, router) in inside.into_iter().enumerate() {
        let router = of_another_axum(router);
        let router = Router::new().merge(router.clone()).nest("/admin", router);
        for path in ["/users/1", "/admin/users/1"] {
            assert_eq!(ask(router.clone(), path).await, Err(RejectionKind::TargetMoved), "{number}: {path}");
        }
    }
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn around_a_router_a_layer_sees_the_whole_path() {
    let calls = Counter::default();
    let router = Router::new().merge(users(&calls)).nest("/admin", users(&calls));
    let router = Router::new().fallback_service(layer().layer(router));
    assert_eq!(ask(router.clone(), "/users/1").await, Ok(()));
    assert_eq!(ask(router, "/admin/users/1").await, Err(RejectionKind::ExplicitDeny));
    assert_eq!(calls.count(), 1);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn inside_of_a_router_that_it_knows_a_layer_sees_the_whole_path() {
    let calls = Counter::default();
    let router = users(&calls).layer(layer());
    let router = Router::new().merge(router.clone()).nest("/admin", router);
    assert_eq!(ask(router.clone(), "/users/1").await, Ok(()));
    assert_eq!(ask(router, "/admin/users/1").await, Err(RejectionKind::ExplicitDeny));
    assert_eq!(calls.count(), 1);
}

/// The reason says what to do, as `docs/MISTAKES.md` does.
#[tokio::test]
async fn the_refusal_says_what_to_do() {
    let router = of_another_axum(users(&Counter::default()).layer(layer()));
    let request = Request::get("/users/1").header("authorization", "t").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let reason = response.extensions().get::<Rejection>().unwrap().to_string();
    let page = include_str!("../docs/MISTAKES.md");
    assert!(page.contains(&format!("```text\n{reason}\n```\n")), "docs/MISTAKES.md does not show `{reason}`");
}

#[cfg(feature = "lambda-http")]
#[tokio::test]
async fn so_does_the_layer_for_handlers_behind_a_gateway() {
    use tower_lambda_authorizer::lambda::GatewayContextLayer;

    let layer = GatewayContextLayer::builder(stage()).build().unwrap();
    let router = of_another_axum(users(&Counter::default()).layer(layer));
    assert_eq!(ask(router, "/users/1").await, Err(RejectionKind::TargetMoved));
}
