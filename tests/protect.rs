//! Where `protect` has its layer decide: before the router, unless something may depend on the route.
#![cfg(feature = "axum")]

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path};
use axum::routing::get;
use common::{allow_all, stage};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::middleware::{
    GatewayResponse, GatewayResponseType, GatewayResponses, RefusedRequest, Rejection, ResponseForRejection,
    Shadow,
};
use tower_lambda_authorizer::policy::{AnyMethod, ConditionValue};
use tower_lambda_authorizer::{
    AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

/// Tells the template of the route, if one has been chosen.
#[derive(Clone)]
struct Telling {
    shows_route: bool,
}

impl ResponseForRejection<Body> for Telling {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = rejection.status();
        response
    }

    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<Body> {
        let mut response = self.response_for_rejection(rejection);
        if let Some(route) = request.extensions().get::<MatchedPath>() {
            response.headers_mut().insert("x-route", HeaderValue::from_str(route.as_str()).unwrap());
        }
        response
    }

    fn shows_route(&self) -> bool {
        self.shows_route
    }
}

async fn allow(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    if event.token().is_some_and(|token| token == "nobody") {
        return Err(AuthorizerError::unauthorized());
    }
    Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/users/*").build()?)?)
}

fn router() -> Router {
    Router::new()
        .route("/users/{id}", get(async |caller: Principal| caller.id().to_owned()))
        .route("/admin/{id}", get(async || "never"))
}

/// The route that a refusal knows of.
async fn told<R>(layer: AuthorizerLayer<R>) -> Option<String>
where
    R: ResponseForRejection<Body> + Clone + Send + Sync + 'static,
{
    let service = protect(router(), layer);
    let request =
        || Request::get("/users/7").header("authorization", "somebody").body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "me");
    let request = Request::get("/admin/7").header("authorization", "somebody").body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    response.headers().get("x-route").map(|route| route.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_layer_that_makes_nothing_of_the_route_decides_before_it_is_chosen() {
    let builder = || AuthorizerLayer::token(authorizer_fn(allow), stage());
    let plain = Telling { shows_route: false };
    assert_eq!(told(builder().with_rejection_response(plain.clone()).build().unwrap()).await, None);
    let cached = builder().with_cache(MemoryCache::default());
    assert_eq!(told(cached.with_rejection_response(plain).build().unwrap()).await, None);
}

#[tokio::test]
async fn a_layer_that_may_make_something_of_the_route_decides_behind_it() {
    let plain = || Telling { shows_route: false };
    let token = || AuthorizerLayer::token(authorizer_fn(allow), stage());
    let layer = || token().with_rejection_response(plain()).build().unwrap();
    let mapping = ParameterMapping::new().with("overwrite:header.x-id", "$request.path.id").unwrap();
    let shadow = Shadow::new(token().build().unwrap());
    for (what, layer) in [
        (
            "REQUEST",
            AuthorizerLayer::request(authorizer_fn(allow), stage()).with_rejection_response(plain()).build(),
        ),
        ("a strategy", token().with_rejection_response(Telling { shows_route: true }).build()),
        ("a mapping", token().with_rejection_response(plain()).with_parameter_mapping(mapping).build()),
        (
            "condition keys",
            token()
                .with_rejection_response(plain())
                .with_condition_keys(|_, _| ConditionValue::Unavailable)
                .build(),
        ),
        (
            "an address",
            token().with_rejection_response(plain()).with_source_ip(|_| Some([192, 0, 2, 1].into())).build(),
        ),
        ("an alternative", layer().with_alternative(layer(), |_| false)),
        ("a shadow", layer().with_shadow(shadow)),
    ] {
        assert_eq!(told(layer.unwrap()).await.as_deref(), Some("/admin/{id}"), "{what}");
    }
}

#[tokio::test]
async fn templates_of_refusals_know_the_route() {
    let template = r#"{"route":"$context.resourcePath"}"#;
    let response = GatewayResponse::new().with_template("application/json", template);
    let responses = GatewayResponses::builder().with(GatewayResponseType::AccessDenied, response).build();
    let layer = AuthorizerLayer::token(authorizer_fn(allow), stage());
    let layer = layer.with_rejection_response(responses.unwrap()).build().unwrap();
    let request = Request::get("/admin/7").header("authorization", "somebody").body(Body::empty()).unwrap();
    let response = protect(router(), layer).oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"route":"/admin/{id}"}"#);
}

#[test]
fn what_does_not_show_the_route() {
    fn shows_route(responses: &impl ResponseForRejection<Body>) -> bool {
        responses.shows_route()
    }
    assert!(!shows_route(&GatewayResponses::default()));
    assert!(!shows_route(&|_: &Rejection| Response::new(Body::empty())));
    let response = GatewayResponse::new().with_status(StatusCode::NOT_FOUND);
    let changed = GatewayResponses::builder().with(GatewayResponseType::AccessDenied, response).build();
    assert!(shows_route(&changed.unwrap()));
}

/// Whether a layer decides before the router or behind it, the answers are the same: also for paths and methods that no route
/// has.
#[tokio::test]
async fn it_makes_no_difference_to_what_is_answered() {
    let builder = || AuthorizerLayer::token(authorizer_fn(allow), stage());
    let before = protect(router(), builder().build().unwrap());
    let behind = builder().build().unwrap();
    let behind = protect(router(), behind.clone().with_alternative(behind, |_| false).unwrap());
    for (method, path, token, expected) in [
        ("GET", "/users/7", "somebody", 200),
        ("GET", "/users/%40", "somebody", 200),
        ("GET", "/users/7", "nobody", 401),
        ("GET", "/users/7", "", 401),
        ("GET", "/admin/7", "somebody", 403),
        ("GET", "/admin/7", "nobody", 401),
        ("POST", "/users/7", "somebody", 405),
        ("POST", "/admin/7", "somebody", 403),
        ("GET", "/users/7/8", "somebody", 404),
        ("GET", "/nowhere", "somebody", 403),
        ("GET", "/users/%2e%2e", "somebody", 400),
        ("HEAD", "/users/7", "somebody", 200),
        ("HEAD", "/users/7", "nobody", 401),
        ("HEAD", "/admin/7", "somebody", 403),
        ("HEAD", "/users/%2e%2e", "somebody", 400),
        ("CONNECT", "/admin/7", "somebody", 403),
    ] {
        let mut answers = Vec::new();
        for service in [before.clone(), behind.clone()] {
            let mut request = Request::builder().method(method).uri(path);
            if !token.is_empty() {
                request = request.header("authorization", token);
            }
            let response = service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            // The length of what a server would have sent, where it is not to send it.
            let length = response.headers().get("content-length").filter(|_| method == "HEAD").cloned();
            let allowed = (response.headers().get("allow").cloned(), length);
            let status = response.status().as_u16();
            let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
            answers.push((status, allowed, kind, response.into_body().collect().await.unwrap().to_bytes()));
        }
        assert_eq!(answers[0].0, expected, "{method} {path} {token}");
        assert_eq!(answers[0], answers[1], "{method} {path} {token}");
    }
}

/// What an authorizer is told of a parameter, and what the mapping makes of it, is what the handler reads.
#[tokio::test]
async fn a_parameter_is_told_as_the_handler_reads_it() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let layer = || {
        let told = Arc::clone(&told);
        let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
            told.lock().unwrap().push(event.path_parameter("it").map(str::to_owned));
            async move { allow_all(&event) }
        });
        let mapping = ParameterMapping::new().with("overwrite:header.x-it", "$request.path.it").unwrap();
        AuthorizerLayer::request(authorizer, stage()).with_parameter_mapping(mapping).build().unwrap()
    };
    let tell = || {
        get(async |Path(all): Path<HashMap<String, String>>, headers: HeaderMap| {
            let mapped = headers.get("x-it").map(|value| value.to_str().unwrap().to_owned());
            format!("{} {}", all["it"], mapped.unwrap_or_default())
        })
    };
    let files = || protect(Router::new().route("/files/{*it}", tell()), layer());
    let twice = Router::new().nest("/users/{it}", Router::new().route("/files/{it}", tell()));
    for (app, path, expected, handler) in [
        (Router::new().fallback_service(files()), "/files/a/b", Some("a/b"), "a/b a/b"),
        (Router::new().nest_service("/files", files()), "/files/files/a", Some("a"), "a a"),
        (
            Router::new().fallback_service(protect(twice, layer())),
            "/users/victim/files/mallory",
            Some("mallory"),
            "mallory mallory",
        ),
    ] {
        let response = app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, handler, "{path}");
        assert_eq!(told.lock().unwrap().pop().unwrap().as_deref(), expected, "{path}");
    }
}
