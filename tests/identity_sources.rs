//! Where the caller's identity stands: every spelling, every kind of source, every way to be unusable.

mod common;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use common::{Counter, allow_all, counting, stage};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::contract::{Authorization, PayloadFormat};
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::{ContextVariable, IdentitySource, IdentitySourceError};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

const VARIABLES: [(&str, ContextVariable); 12] = [
    ("httpMethod", ContextVariable::HttpMethod),
    ("path", ContextVariable::Path),
    ("resourcePath", ContextVariable::ResourcePath),
    ("resourceId", ContextVariable::ResourceId),
    ("routeKey", ContextVariable::RouteKey),
    ("stage", ContextVariable::Stage),
    ("apiId", ContextVariable::ApiId),
    ("accountId", ContextVariable::AccountId),
    ("domainName", ContextVariable::DomainName),
    ("protocol", ContextVariable::Protocol),
    ("identity.sourceIp", ContextVariable::SourceIp),
    ("identity.userAgent", ContextVariable::UserAgent),
];

fn parse(text: &str) -> Result<IdentitySource, IdentitySourceError> {
    text.parse()
}

fn header(name: &str) -> IdentitySource {
    IdentitySource::header(HeaderName::from_bytes(name.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_token_is_what_was_sent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let authorizer = authorizer_fn({
        let seen = Arc::clone(&seen);
        move |event: AuthorizerEvent| {
            seen.lock().unwrap().push(event.token().map(str::to_owned));
            async move { allow_all(&event) }
        }
    });
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    for token in ["Bearer a, Bearer b", "ok  !~", "bearer\"'<>;=", "Basic YTpi", "x"] {
        let request = Request::get("/x").header("authorization", token).body(()).unwrap();
        let response = layer.layer(counting(&Counter::default())).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{token}");
        assert_eq!(seen.lock().unwrap().drain(..).collect::<Vec<_>>(), [Some(token.to_owned())]);
    }
}

#[test]
fn every_kind_of_api_has_its_spelling() {
    for prefix in ["method.request", "$request", "route.request"] {
        for name in ["Authorization", "x-api.key_2", "A", "9"] {
            assert_eq!(parse(&format!("{prefix}.header.{name}")), Ok(header(name)));
            let query = IdentitySource::query_string(name);
            assert_eq!(parse(&format!("{prefix}.querystring.{name}")), Ok(query));
        }
    }
    for dollar in ["", "$"] {
        let variable = IdentitySource::stage_variable("tier");
        assert_eq!(parse(&format!("{dollar}stageVariables.tier")), Ok(variable));
        for (name, variable) in VARIABLES {
            let source = IdentitySource::context(variable);
            assert_eq!(parse(&format!("{dollar}context.{name}")), Ok(source.clone()));
            assert_eq!((source.to_string(), source.configured_name()), (format!("context.{name}"), name));
        }
    }
}

#[test]
fn header_names_ignore_case_and_keep_how_they_were_written() {
    let source = parse("$request.header.X-Api-Key").unwrap();
    assert_eq!(source, header("x-api-key"));
    assert_eq!(source.configured_name(), "X-Api-Key");
    assert_eq!(source.to_string(), "method.request.header.X-Api-Key");
    assert_eq!(parse(&source.to_string()), Ok(source));
    assert_eq!(header("X-Api-Key").configured_name(), "x-api-key");
    assert_eq!(parse("$request.querystring.Key").unwrap().configured_name(), "Key");
    assert_ne!(parse("$request.querystring.Key"), parse("$request.querystring.key"));
}

#[test]
fn what_is_no_identity_source_is_refused_and_says_what_is() {
    let found = |text: &str| Box::<str>::from(text);
    for text in [
        "method.request.path.id",
        "method.request.path",
        "$request.path.id",
        "$request.path",
        "method.request.body",
        "$request.body.user",
        "route.request.body",
    ] {
        assert_eq!(parse(text), Err(IdentitySourceError::NotAnIdentity { found: found(text) }));
    }
    for text in [
        "context.requestId",
        "$context.requestId",
        "context.extendedRequestId",
        "$context.requestTime",
        "context.requestTimeEpoch",
        "context.connectionId",
        "context.connectedAt",
    ] {
        assert_eq!(parse(text), Err(IdentitySourceError::PassingVariable { found: found(text) }));
    }
    for text in
        ["context.authorizer.principalId", "context.identity", "context.HttpMethod", "context.error.message"]
    {
        assert_eq!(parse(text), Err(IdentitySourceError::UnknownVariable { found: found(text) }));
    }
    for text in [
        "method.request.header.",
        "$request.querystring.",
        "context.",
        "stageVariables.",
        "$request.header.a b",
        "method.request.header.a,b",
        "method.request.header.é",
        "method.request.header.a\n",
        "$request.querystring.a[]",
        "method.request.header.a ",
        "$context.a:b",
    ] {
        assert_eq!(parse(text), Err(IdentitySourceError::Name { found: found(text) }));
    }
    for text in [
        "Authorization",
        "request.header.a",
        "$method.request.header.a",
        "METHOD.request.header.a",
        "method.request.Header.a",
        "method.request.queryString.a",
        "method.request.querystring",
        "$$context.path",
        " context.path",
        "method.request.",
        "integration.request.header.a",
        "$stagevariables.a",
        "method.request.multivaluequerystring.a",
    ] {
        assert_eq!(parse(text), Err(IdentitySourceError::Place { found: found(text) }));
        assert!(parse(text).unwrap_err().to_string().starts_with(&format!("`{text}`")));
    }
    assert_eq!(parse(""), Err(IdentitySourceError::Empty));
    let message = parse("context.nobody").unwrap_err().to_string();
    assert!(
        message.contains("`context.accountId`, ") && message.contains("`context.identity.userAgent`"),
        "{message}"
    );
}

#[test]
fn lists_have_commas_and_keep_their_order() {
    let list =
        IdentitySource::parse_list("method.request.header.A, context.path,method.request.querystring.b");
    let expected =
        vec![header("a"), IdentitySource::context(ContextVariable::Path), IdentitySource::query_string("b")];
    assert_eq!(list, Ok(expected));
    assert_eq!(IdentitySource::parse_list("context.path").map(|list| list.len()), Ok(1));
    for empty in ["", " ", "context.path,", ",context.path", "context.path,,context.stage"] {
        assert_eq!(IdentitySource::parse_list(empty), Err(IdentitySourceError::Empty));
    }
    assert!(IdentitySource::parse_list("context.path;context.stage").is_err());
}

/// A cache that keeps nothing and writes down under what it was asked.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Vec<String>>>>);

impl AuthorizerCache for Recorder {
    fn get(&self, _: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        None
    }
    fn insert(&self, key: CacheKey, _: Arc<Authorization>) {
        self.0.lock().unwrap().push(key.identity().map(|(_, value)| value.to_owned()).collect());
    }
    fn remove(&self, _: &CacheKeyRef<'_>) {}
    fn retain(&self, _: &dyn Fn(&CacheKey, &Authorization) -> bool) {}
}

fn layer(sources: &str, stage: ApiStage) -> AuthorizerLayerBuilder {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| match event.arn().path() {
        Some(_) => allow_all(&event),
        // The opening of a WebSocket has no path.
        None => {
            let policy = event.policy().allow_raw(event.arn().to_pattern()?).build()?;
            Ok(AuthorizerResponse::new("me", policy)?)
        }
    });
    AuthorizerLayer::request(authorizer, stage)
        .with_identity_sources(IdentitySource::parse_list(sources).unwrap())
        .with_source_ip(|extensions| extensions.get::<IpAddr>().copied())
}

async fn status(layer: &AuthorizerLayer, request: Request<()>) -> (StatusCode, Option<RejectionKind>) {
    let response = layer.layer(counting(&Counter::default())).oneshot(request).await.unwrap();
    (response.status(), response.extensions().get::<Rejection>().map(Rejection::kind))
}

/// The values of the sources in one request, as the cache is told them.
async fn values(sources: &str, stage: ApiStage, request: Request<()>) -> Vec<String> {
    let recorder = Recorder::default();
    let layer = layer(sources, stage)
        .with_cache(recorder.clone())
        .share_answers_between_all_callers()
        .build()
        .unwrap();
    let got = status(&layer, request).await;
    assert_eq!(got, (StatusCode::OK, None));
    let recorded = recorder.0.lock().unwrap();
    recorded[0].clone()
}

#[tokio::test]
async fn sources_find_their_values_in_order() {
    let stage = stage().with_stage_variable("tier", "gold").unwrap();
    let request = || {
        let mut request = Request::get("/a%40b?k=%76%201&o=2")
            .header("x-a", "A")
            .header("user-agent", "curl")
            // Not told: AWS says `HTTP/1.1` to everybody, so that a client has one identity.
            .version(http::Version::HTTP_2)
            .body(())
            .unwrap();
        request.extensions_mut().insert("::ffff:192.0.2.1".parse::<IpAddr>().unwrap());
        request
    };
    let sources = "$request.querystring.k,stageVariables.tier,method.request.header.X-A,context.identity.sourceIp, \
                   context.identity.userAgent,context.httpMethod,context.stage,context.apiId,context.accountId, \
                   context.domainName,context.protocol";
    let expected = [
        "v 1",
        "gold",
        "A",
        "192.0.2.1",
        "curl",
        "GET",
        "prod",
        "abcdef123",
        "123456789012",
        "abcdef123.execute-api.us-east-1.amazonaws.com",
        "HTTP/1.1",
    ];
    assert_eq!(values(sources, stage, request()).await, expected);
}

#[tokio::test]
async fn without_a_template_route_variables_stand_for_the_request() {
    let sources = "context.path,context.resourcePath,context.resourceId,context.routeKey";
    let request = || Request::delete("/a%40b/c%2a?x=/").body(()).unwrap();
    let concrete = "DELETE /a%40b/c%2A";
    let http = |name| ApiStage::http("us-east-1", "123456789012", "abcdef123", name).unwrap();
    for (stage, path) in
        [(stage(), "/prod/a%40b/c%2A"), (http("beta"), "/beta/a%40b/c%2A"), (http("$default"), "/a%40b/c%2A")]
    {
        // The bare layer asks about the path as sent, which is not the canonical one here.
        assert_eq!(values(sources, stage, request()).await, [path, concrete, concrete, concrete]);
    }
}

#[tokio::test]
async fn a_websocket_has_its_sources_when_it_is_opened() {
    let stage = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let request = |path| {
        let request = Request::get(path).header("connection", "upgrade").header("upgrade", "websocket");
        request.header("auth", "t").body(()).unwrap()
    };
    let sources = "route.request.header.Auth,route.request.querystring.k,context.routeKey";
    let got = values(sources, stage.clone(), request("/chat?k=1")).await;
    assert_eq!(got, ["t", "1", "GET /chat"]);
    // Without a cache, too: only REST APIs ask all the same.
    let missing = status(&layer(sources, stage).build().unwrap(), request("/chat")).await;
    assert_eq!(missing, (StatusCode::UNAUTHORIZED, Some(RejectionKind::MissingIdentity)));
}

/// A layer, and what it keeps answers under.
#[cfg(feature = "axum")]
fn recording(sources: &str) -> (Recorder, AuthorizerLayer) {
    let recorder = Recorder::default();
    let layer = layer(sources, stage()).with_cache(recorder.clone());
    (recorder, layer.share_answers_between_all_callers().build().unwrap())
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_matched_template_is_the_route() {
    use axum::Router;
    use axum::routing::any;
    use tower_lambda_authorizer::axum::protect;

    let recorder = Recorder::default();
    let sources = "context.routeKey,context.resourcePath,context.resourceId,context.path";
    let layer = layer(sources, stage())
        .with_cache(recorder.clone())
        .share_answers_between_all_callers()
        .build()
        .unwrap();
    let users =
        Router::new().route("/users/{id}", any(async || "")).route("/files/{*rest}", any(async || ""));
    let service = protect(Router::new().nest("/v1", users), layer);
    for path in ["/v1/users/7", "/v1/files/a/b", "/nowhere"] {
        let request = Request::put(path).body(axum::body::Body::empty()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    let users = ["PUT /v1/users/{id}", "/v1/users/{id}", "/v1/users/{id}", "/prod/v1/users/7"];
    let files = ["PUT /v1/files/{rest+}", "/v1/files/{rest+}", "/v1/files/{rest+}", "/prod/v1/files/a/b"];
    let nowhere = ["PUT /nowhere", "PUT /nowhere", "PUT /nowhere", "/prod/nowhere"];
    assert_eq!(
        *recorder.0.lock().unwrap(),
        [users, files, nowhere].map(|row| row.map(str::to_owned).to_vec())
    );
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn the_template_of_an_outer_route_is_none_of_the_protected_router() {
    use axum::Router;
    use axum::routing::any;
    use tower_lambda_authorizer::axum::protect;

    let (recorder, layer) = recording("context.routeKey,context.resourcePath");
    let route = || Router::new().route("/{id}", any(async || ""));
    let inner = || {
        let nested = route().route_service("/{id}/more", any(async || ""));
        Router::new()
            .nest("/x/nested", route())
            .nest_service("/x/service", nested)
            .route("/x/known/{id}", any(async || ""))
    };
    let outer = Router::new()
        .route_service("/x/{*rest}", protect(inner(), layer.clone()))
        .nest("/api", Router::new().route_service("/x/{*rest}", protect(inner(), layer)));
    for path in ["/x/known/1", "/x/nested/1", "/x/service/1", "/x/a", "/x/b", "/api/x/known/1", "/api/x/a"] {
        let request = Request::put(path).body(axum::body::Body::empty()).unwrap();
        outer.clone().oneshot(request).await.unwrap();
    }
    let rows = [
        ["PUT /x/known/{id}", "/x/known/{id}"],
        ["PUT /x/nested/{id}", "/x/nested/{id}"],
        // The layer stands outside of a service that is nested as such.
        ["PUT /x/service/1", "PUT /x/service/1"],
        ["PUT /x/a", "PUT /x/a"],
        ["PUT /x/b", "PUT /x/b"],
        // The template that is known lacks its beginning here.
        ["PUT /api/x/known/1", "PUT /api/x/known/1"],
        ["PUT /api/x/a", "PUT /api/x/a"],
    ];
    assert_eq!(*recorder.0.lock().unwrap(), rows.map(|row| row.map(str::to_owned).to_vec()));
}

/// axum puts the template of a router behind the one of the route that leads there, though it reads the whole path.
#[cfg(feature = "axum")]
#[tokio::test]
async fn a_template_that_the_path_does_not_fit_is_none() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::{any, any_service};

    let (recorder, layer) = recording("context.routeKey");
    let inner = Router::new().route("/docs/{doc}", any(async || "")).layer(layer.clone());
    let app = Router::new()
        .route("/docs/{id}/docs/{doc}", any(async || ""))
        .route("/a{*rest}", any(async || ""))
        .route("/odd/{id}}}", any(async || ""))
        .route("/{{odd}}/a{{{*rest}", any(async || ""))
        .nest("/api", Router::new().route("/{id}", any(async || "")))
        .layer(layer)
        .route("/docs/{id}", any_service(inner));
    let odd = ["/odd/7", "/{odd}/a{7/8"];
    for path in ["/docs/1", "/docs/1/docs/2", "/ab/c", "/api/7"].into_iter().chain(odd) {
        app.clone().oneshot(Request::put(path).body(Body::empty()).unwrap()).await.unwrap();
    }
    let keys = ["PUT /docs/1", "PUT /docs/{id}/docs/{doc}", "PUT /a{rest+}", "PUT /api/{id}"];
    let odd = ["PUT /odd/{id}}}", "PUT /{{odd}}/a{{{rest+}"];
    let keys: Vec<_> = keys.iter().chain(&odd).map(|key| vec![(*key).to_owned()]).collect();
    assert_eq!(*recorder.0.lock().unwrap(), keys);
}

/// Below a base path, the templates of two routes must not become one.
#[cfg(feature = "axum")]
#[tokio::test]
async fn a_catch_all_of_the_base_path_is_the_route_of_what_fits_it() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::{any_service, get};
    use tower_lambda_authorizer::axum::protect;

    let told = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&told);
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
        recorded.lock().unwrap().push(event.route_key().unwrap().to_owned());
        async move { Ok(AuthorizerResponse::simple(true)) }
    });
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let layer = AuthorizerLayer::request(authorizer, http.with_base_path("/v1").unwrap());
    let layer = layer.with_simple_responses().build().unwrap();
    // axum puts the template of the router behind the catch-all: `/{*rest}/{section}/list`.
    let inner = Router::new().route("/{section}/list", get(async || "")).layer(layer.clone());
    let app = Router::new()
        .route("/v1/{section}/list", get(async || ""))
        .layer(layer.clone())
        .route("/{*rest}", any_service(inner));
    let protected = protect(
        Router::new().route("/v1/{*rest}", get(async || "")).route("/{*rest}", get(async || "")),
        layer.clone(),
    );
    let protected = Router::new().fallback_service(protected);
    let letters = Router::new().route("/v1{*rest}", get(async || "")).layer(layer);
    for (app, path, expected) in [
        (&app, "/v1/a/list", "GET /{section}/list"),
        (&app, "/v1/list", "$default"),
        (&protected, "/v1/a", "GET /{rest+}"),
        (&protected, "/v1", "$default"),
        (&protected, "/v1/", "$default"),
        (&letters, "/v1/admin", "$default"),
    ] {
        let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(told.lock().unwrap().drain(..).collect::<Vec<_>>(), [expected], "{path}");
    }
}

/// Behind one route may be a service with routes of its own.
#[cfg(feature = "axum")]
#[tokio::test]
async fn a_simple_response_is_kept_for_one_path_whatever_the_route() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::{any_service, get};
    use tower_lambda_authorizer::axum::protect;

    let asked = Counter::default();
    let counted = asked.clone();
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
        counted.hit();
        async move { Ok(AuthorizerResponse::simple(event.path() == Some("/api/public"))) }
    });
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    for source in ["$context.routeKey", "$context.resourcePath", "$context.resourceId"] {
        let layer = || {
            let sources = [source, "$context.httpMethod", "$request.header.authorization"];
            AuthorizerLayer::request(authorizer.clone(), http.clone())
                .with_identity_sources(sources.map(|source| source.parse().unwrap()))
                .with_simple_responses()
                .with_cache(MemoryCache::default())
        };
        let inner = || {
            Router::new()
                .route("/api/public", get(async || "public"))
                .route("/api/admin", get(async || "admin"))
        };
        for template in ["/api/{*rest}", "/api/{id}", "/{a}/{id}"] {
            let homes = [
                Router::new().route_service(template, layer().build().unwrap().layer(inner())),
                Router::new().route(template, any_service(layer().build().unwrap().layer(inner()))),
                Router::new().route(template, any_service(inner())).layer(layer().build().unwrap()),
                Router::new().route_service(template, any_service(inner().layer(layer().build().unwrap()))),
                Router::new().fallback_service(protect(
                    Router::new().route(template, any_service(inner())),
                    layer().build().unwrap(),
                )),
            ];
            for (home, app) in homes.into_iter().enumerate() {
                let before = asked.count();
                for (path, expected) in [("/api/public", 200), ("/api/admin", 403), ("/api/public", 200)] {
                    let request =
                        Request::get(path).header("authorization", "t").body(Body::empty()).unwrap();
                    let response = app.clone().oneshot(request).await.unwrap();
                    assert_eq!(response.status().as_u16(), expected, "{source} {template} {home} {path}");
                }
                assert_eq!(asked.count() - before, 2, "{source} {template} {home}");
            }
        }
    }
    // Who asks for it has one answer for all of a route, as on AWS.
    let shared = AuthorizerLayer::request(authorizer, http)
        .with_identity_sources(["$context.routeKey".parse().unwrap(), header("authorization")])
        .with_simple_responses()
        .share_simple_responses_between_routes()
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    let app = Router::new().route("/api/{id}", get(async || "")).layer(shared);
    for path in ["/api/public", "/api/other"] {
        let request = Request::get(path).header("authorization", "t").body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn below_a_prefix_no_two_paths_of_a_protected_router_have_one_route_key() {
    use axum::Router;
    use axum::routing::any;
    use tower_lambda_authorizer::axum::protect;

    let (recorder, layer) = recording("context.routeKey");
    let inner =
        |paths: &[&str]| paths.iter().fold(Router::new(), |inner, path| inner.route(path, any(async || "")));
    let protected = |paths: &[&str]| protect(inner(paths), layer.clone());
    let alike = ["/a", "/api/a", "/apix/{id}"];
    let in_two_places = protected(&["/admin/x"]);
    let outers = [
        Router::new().nest("/api", Router::new().route_service("/{*rest}", protected(&alike))),
        Router::new().nest("/api", Router::new().fallback_service(protected(&alike))),
        Router::new().nest("/api", Router::new().fallback_service(inner(&alike).layer(layer.clone()))),
        Router::new().nest(
            "/api",
            Router::new()
                .route("/health", any(async || ""))
                .fallback_service(protected(&["/{id}", "/a", "/api/a"])),
        ),
        Router::new()
            .nest("/a", Router::new().fallback_service(in_two_places.clone()))
            .fallback_service(in_two_places.clone()),
        Router::new()
            .nest("/a", Router::new().fallback_service(in_two_places.clone()))
            .route_service("/admin/{*rest}", in_two_places),
    ];
    for (number, outer) in outers.into_iter().enumerate() {
        let paths = match number {
            0..4 => ["/api/a", "/api/api/a", "/api/apix/7", "/api/api/apix/7"].as_slice(),
            _ => &["/a/admin/x", "/admin/x"],
        };
        for path in paths {
            let request = Request::put(*path).body(axum::body::Body::empty()).unwrap();
            outer.clone().oneshot(request).await.unwrap();
        }
        let keys = std::mem::take(&mut *recorder.0.lock().unwrap());
        let expected: Vec<_> = paths.iter().map(|path| [format!("PUT {path}")]).collect();
        assert_eq!(keys, expected, "{number}");
    }
}

#[tokio::test]
async fn answers_are_told_apart_by_context_sources() {
    for (source, asked) in
        [("context.routeKey", 4), ("context.path", 2), ("context.httpMethod", 2), ("context.stage", 1)]
    {
        let calls = Counter::default();
        let authorizer = authorizer_fn({
            let calls = calls.clone();
            move |event| {
                calls.hit();
                async move { allow_all(&event) }
            }
        });
        let layer = AuthorizerLayer::request(authorizer, stage())
            .with_identity_sources(["method.request.header.a", source].map(|source| source.parse().unwrap()))
            .with_cache(MemoryCache::default())
            .build()
            .unwrap();
        for _ in 0..2 {
            for (method, path) in [("GET", "/a"), ("GET", "/b"), ("PUT", "/a"), ("PUT", "/b")] {
                let request = Request::builder().method(method).uri(path).header("a", "1").body(()).unwrap();
                assert_eq!(status(&layer, request).await.0, StatusCode::OK);
            }
        }
        assert_eq!(calls.count(), asked, "{source}");
    }
}

#[tokio::test]
async fn unusable_values_are_refused_in_every_mode_and_nobody_is_asked() {
    let long = "a".repeat(8193);
    let long_query = format!("/?k={long}");
    let get = |target: &str| Request::get(target).body(()).unwrap();
    let with = |name: &'static str, values: &[&[u8]]| {
        let mut request = get("/");
        for value in values {
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        request
    };
    let table = [
        ("method.request.header.k", with("k", &[b"a", b"b"])),
        ("method.request.header.k", with("k", &[b"a", b"a"])),
        ("method.request.header.k", with("k", &[b"", b"a"])),
        ("method.request.header.k", with("k", &[b"\xe9"])),
        ("method.request.header.k", with("k", &[b"a\tb"])),
        ("method.request.header.k", with("k", &[long.as_bytes()])),
        ("context.identity.userAgent", with("user-agent", &[b"a", b"b"])),
        ("context.identity.userAgent", with("user-agent", &[b"\xe9"])),
        ("context.identity.userAgent", with("user-agent", &[long.as_bytes()])),
        ("method.request.querystring.k", get("/?k=1&k=2")),
        ("method.request.querystring.k", get("/?k=1&%6b=1")),
        ("method.request.querystring.k", get("/?k=%ff")),
        ("method.request.querystring.k", get("/?k=a%0ab")),
        ("method.request.querystring.k", get(&long_query)),
    ];
    for (source, request) in table {
        for cached in [false, true] {
            let calls = Counter::default();
            let authorizer = authorizer_fn({
                let calls = calls.clone();
                move |event| {
                    calls.hit();
                    async move { allow_all(&event) }
                }
            });
            let layer = AuthorizerLayer::request(authorizer, stage())
                .with_identity_sources([source.parse().unwrap()])
                .share_answers_between_all_callers();
            let layer =
                if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
            let got = status(&layer, request.clone()).await;
            assert_eq!(got, (StatusCode::UNAUTHORIZED, Some(RejectionKind::AmbiguousIdentity)), "{source}");
            assert_eq!(calls.count(), 0);
        }
    }
}

/// Keeps keys of its own, as a cache in another language or on another machine has to.
#[derive(Default)]
struct OwnKeys(Mutex<Vec<(CacheKey, Arc<Authorization>)>>);

impl AuthorizerCache for OwnKeys {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        let (key, entries) = (key.to_key(), self.0.lock().unwrap());
        entries.iter().find(|(known, _)| *known == key).map(|(_, found)| Arc::clone(found))
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.0.lock().unwrap().push((key, authorization));
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.0.lock().unwrap().retain(|(known, _)| !key.equals(known));
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.0.lock().unwrap().retain(|(key, authorization)| keep(key, authorization));
    }
}

/// The cache is asked before a header is looked at closely. Only what was looked at is in it.
#[tokio::test]
async fn an_unusable_value_is_not_found_whatever_the_cache_holds() {
    let caches: [Arc<dyn AuthorizerCache>; 2] =
        [Arc::new(MemoryCache::default()), Arc::new(OwnKeys::default())];
    for cache in caches {
        for query in ["?k=a", "?k=%EF%BF%BD"] {
            let sources = ["method.request.header.k", "method.request.querystring.k"];
            let sources = sources.map(|source| source.parse().unwrap());
            let authorizer = authorizer_fn(async |event| allow_all(&event));
            let layer = AuthorizerLayer::request(authorizer, stage()).with_identity_sources(sources);
            let layer = layer.with_cache(Arc::clone(&cache)).build().unwrap();
            let with = |values: &[&[u8]]| {
                let mut request = Request::get(format!("/{query}")).body(()).unwrap();
                for value in values {
                    request.headers_mut().append("k", HeaderValue::from_bytes(value).unwrap());
                }
                request
            };
            assert_eq!(status(&layer, with(&[b"a"])).await.0, StatusCode::OK);
            let refused = (StatusCode::UNAUTHORIZED, Some(RejectionKind::AmbiguousIdentity));
            for values in [&[&b"a\xff"[..]][..], &[b"\xef\xbf\xbd"], &[b"a\t"], &[b"a", b"a"], &[b"a", b""]] {
                assert_eq!(status(&layer, with(values)).await, refused, "{values:?}");
            }
            assert_eq!(status(&layer, with(&[b"a"])).await.0, StatusCode::OK);
            let statistics = layer.cache_statistics();
            // Who is nobody is neither found nor missed.
            assert_eq!((statistics.hits, statistics.misses, statistics.loads), (1, 1, 1));
        }
    }
}

#[tokio::test]
async fn missing_values_are_refused_except_where_aws_asks_all_the_same() {
    let rest = stage;
    let http = || ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    for source in ["$request.header.k", "$request.querystring.k", "$context.identity.userAgent"] {
        for target in ["/", "/?k=", "/?k", "/?K=1"] {
            let request = || Request::get(target).header("k", "").header("user-agent", "").body(()).unwrap();
            let refused = (StatusCode::UNAUTHORIZED, Some(RejectionKind::MissingIdentity));
            let asked = (StatusCode::OK, None);

            assert_eq!(status(&layer(source, rest()).build().unwrap(), request()).await, asked);
            let demanding = layer(source, rest()).require_identity().build().unwrap();
            assert_eq!(status(&demanding, request()).await, refused);
            let cached = layer(source, rest()).with_cache(MemoryCache::default());
            // A browser's name alone tells nobody apart.
            let cached = cached.share_answers_between_all_callers().build().unwrap();
            assert_eq!(status(&cached, request()).await, refused);
            assert_eq!(status(&layer(source, http()).build().unwrap(), request()).await, refused);
        }
    }
}

/// A cached layer whose sources may be missing: it lets through who shows no `sudo` at all, and tells the host it was told.
fn of_hosts() -> AuthorizerLayer {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let host = event.header("host").unwrap_or("nobody").to_owned();
        let asks = event.query_parameter("sudo").is_some() || event.header("x-sudo").is_some();
        let policy = event.policy().allow(AnyMethod, "/*");
        let policy = if asks { policy.deny(AnyMethod, "/*") } else { policy };
        Ok(AuthorizerResponse::new(host, policy.build()?)?)
    });
    AuthorizerLayer::request(authorizer, stage())
        .with_identity_sources(
            ["header.Authorization", "header.Host", "header.X-Sudo", "querystring.sudo"]
                .map(|source| parse(&format!("method.request.{source}")).unwrap()),
        )
        .accept_missing_identity()
        .with_cache(MemoryCache::default())
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_authorizer_that_is_told_of_hosts_is_told_of_one() {
    for stage in [stage(), ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()] {
        let layer = AuthorizerLayer::request(authorizer_fn(async |event| allow_all(&event)), stage);
        let layer = layer.build().unwrap();
        for hosts in [&["a.example", "b.example"][..], &["a.example", "a.example"], &["", "a.example"]] {
            let mut request = Request::get("/x").body(()).unwrap();
            for host in hosts {
                request.headers_mut().append("host", host.parse().unwrap());
            }
            let refused = status(&layer, request).await;
            assert_eq!(refused, (StatusCode::BAD_REQUEST, Some(RejectionKind::InvalidTarget)), "{hosts:?}");
        }
        let request = Request::get("/x").header("host", "a.example").body(()).unwrap();
        assert_eq!(status(&layer, request).await.0, StatusCode::OK);
    }
}

/// Of HTTP/2, and of an absolute target, the host stands in the target.
#[tokio::test]
async fn a_host_is_told_and_kept_under_one_name() {
    let layer = of_hosts();
    let service = layer.layer(tower::service_fn(async |request: Request<()>| {
        let host = request.extensions().get::<Principal>().unwrap().id().to_owned();
        Ok::<_, Infallible>(Response::new(host))
    }));
    for round in 0..2 {
        for (target, host, told) in [
            ("http://a.example/x", None, "a.example"),
            ("http://b.example/x", None, "b.example"),
            ("http://b.example/x", Some("b.example"), "b.example"),
            ("http://B.example:80/x", Some("b.example"), "b.example"),
            ("https://c.example/x", Some("c.example:443"), "c.example:443"),
            ("/x", Some("a.example"), "a.example"),
            ("/x", None, "nobody"),
        ] {
            let mut request = Request::get(target).header("authorization", "t").body(()).unwrap();
            if let Some(host) = host {
                request.headers_mut().insert("host", host.parse().unwrap());
            }
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.into_body(), told, "{target}, {host:?}, {round}");
        }
    }
    for host in ["b.example", "a.example:8080", "a.example.", "", "b.example, a.example"] {
        let request = Request::get("http://a.example/x").header("authorization", "t").header("host", host);
        let refused = status(&layer, request.body(()).unwrap()).await;
        assert_eq!(refused, (StatusCode::BAD_REQUEST, Some(RejectionKind::InvalidTarget)), "{host}");
    }
}

#[tokio::test]
async fn an_answer_to_none_is_not_that_to_an_empty_one() {
    let layer = of_hosts();
    let ask = async |target: &str, header: Option<&str>| {
        let mut request = Request::get(target).header("authorization", "t").body(()).unwrap();
        if let Some(value) = header {
            request.headers_mut().insert("x-sudo", value.parse().unwrap());
        }
        status(&layer, request).await.0.as_u16()
    };
    for _ in 0..2 {
        assert_eq!(ask("/x", None).await, 200);
        for (target, header) in
            [("/x?sudo", None), ("/x?s%75do=", None), ("/x", Some("")), ("/x?sudo=1", Some("1"))]
        {
            assert_eq!(ask(target, header).await, 403, "{target} {header:?}");
        }
    }
    assert_eq!(layer.cache_statistics().hits, 2, "the plain one, and the one with both values");
}

/// An empty cookie field is not in the key, and so not in the event either.
#[tokio::test]
async fn cookies_are_one_value_in_the_key_and_in_the_event() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let is_plain =
            event.header("cookie").is_some_and(|cookie| cookie.split(';').all(|pair| pair.contains('=')));
        if !is_plain {
            return Err(AuthorizerError::unauthorized());
        }
        let policy = event.policy().allow_raw(event.arn().to_pattern()?).build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    let websocket = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    for (stage, format) in [
        (stage(), None),
        (http.clone(), Some(PayloadFormat::V1)),
        (http, Some(PayloadFormat::V2)),
        (websocket, None),
    ] {
        for is_cached in [false, true] {
            let layer =
                AuthorizerLayer::request(authorizer, stage.clone()).with_identity_sources([header("cookie")]);
            let layer = format.into_iter().fold(layer, |layer, format| layer.with_payload_format(format));
            let layer =
                if is_cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
            for cookies in [&["lang=en"][..], &["lang=en", ""], &["", "lang=en"], &["", "lang=en", "", ""]] {
                let request =
                    Request::get("/x").header("connection", "upgrade").header("upgrade", "websocket");
                let mut request = request.body(()).unwrap();
                for cookie in cookies {
                    request.headers_mut().append("cookie", cookie.parse().unwrap());
                }
                assert_eq!(
                    status(&layer, request).await.0,
                    StatusCode::OK,
                    "{format:?} {cookies:?} {is_cached}"
                );
            }
        }
    }
}

/// An empty value takes nothing from the others: the event lists those that are there.
#[tokio::test]
async fn an_empty_identity_hides_no_other() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let is_banned = event.identity_source().any(|value| value == "192.0.2.66");
        let policy = event.policy().allow(AnyMethod, "/*");
        let policy =
            if is_banned || event.user_agent() == Some("") { policy.deny(AnyMethod, "/*") } else { policy };
        Ok(AuthorizerResponse::new("me", policy.build()?)?)
    });
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    for (agent, is_cached) in [(false, false), (false, true), (true, true)] {
        let mut sources = vec![header("authorization"), IdentitySource::context(ContextVariable::SourceIp)];
        if agent {
            sources.push(IdentitySource::context(ContextVariable::UserAgent));
        }
        let layer = AuthorizerLayer::request(authorizer, http.clone())
            .with_identity_sources(sources)
            .with_source_ip(|head| head.get::<IpAddr>().copied())
            .accept_missing_identity();
        let layer = if is_cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let ask = async |address: &str, name: &'static str, value: Option<&str>| {
            let mut request = Request::get("/x").body(()).unwrap();
            request.extensions_mut().insert(address.parse::<IpAddr>().unwrap());
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            status(&layer, request).await.0.as_u16()
        };
        for _ in 0..2 {
            for value in [None, Some(""), Some("Bearer x")] {
                assert_eq!(ask("192.0.2.66", "authorization", value).await, 403, "{value:?}");
                assert_eq!(ask("192.0.2.7", "authorization", value).await, 200, "{value:?}");
            }
            if agent {
                assert_eq!(ask("192.0.2.7", "user-agent", Some("")).await, 403);
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_source_address_is_our_fault_not_the_callers() {
    for cached in [false, true] {
        let layer = layer("context.identity.sourceIp", stage());
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let request = || Request::get("/").header("x-forwarded-for", "192.0.2.1").body(()).unwrap();
        let unknown = (StatusCode::INTERNAL_SERVER_ERROR, Some(RejectionKind::UnavailableKey));
        assert_eq!(status(&layer, request()).await, unknown);
        let mut known = request();
        known.extensions_mut().insert("192.0.2.9".parse::<IpAddr>().unwrap());
        assert_eq!(status(&layer, known).await, (StatusCode::OK, None));
    }
}

#[test]
fn a_cache_needs_a_source_that_tells_callers_apart() {
    for (name, variable) in VARIABLES {
        let built = layer(&format!("context.{name}"), stage()).with_cache(MemoryCache::default()).build();
        match variable {
            ContextVariable::SourceIp => assert!(built.is_ok(), "{name}"),
            _ => assert_eq!(built.err(), Some(ConfigError::CacheWithoutIdentity), "{name}"),
        }
    }
    assert!(
        layer("context.path,method.request.header.a", stage())
            .with_cache(MemoryCache::default())
            .build()
            .is_ok()
    );
}

#[test]
fn one_place_in_two_spellings_is_named_twice() {
    let built = layer("method.request.header.Auth,$request.header.auth", stage()).build();
    assert!(matches!(built, Err(ConfigError::RepeatedIdentitySource { .. })));
}

#[tokio::test]
async fn tokens_are_checked_before_anybody_is_asked() {
    let calls = Counter::default();
    let authorizer = authorizer_fn({
        let calls = calls.clone();
        move |event| {
            calls.hit();
            async move { allow_all(&event) }
        }
    });
    for cached in [false, true] {
        let layer = AuthorizerLayer::token(authorizer.clone(), stage())
            .with_identity_validation_expression("Bearer [a-z]+|Basic [0-9]+");
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let before = calls.count();
        for token in ["Bearer abc", "Basic 12"] {
            assert_eq!(status(&layer, common::get("/", token)).await, (StatusCode::OK, None));
        }
        assert_eq!(calls.count(), before + 2);
        for token in ["Bearer abc1", "xBasic 12", "bearer abc", "Bearer abc, Basic 12", "Bearer "] {
            let refused = (StatusCode::UNAUTHORIZED, Some(RejectionKind::MissingIdentity));
            assert_eq!(status(&layer, common::get("/", token)).await, refused, "{token}");
        }
        assert_eq!(calls.count(), before + 2);
    }
}

#[test]
fn expressions_that_cannot_be_used_are_found_when_built() {
    let nobody = || authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
    for expression in ["(", "a)|(?:b", "(?=x)", "a++", "[", r"\1"] {
        let built =
            AuthorizerLayer::token(nobody(), stage()).with_identity_validation_expression(expression).build();
        assert!(matches!(built, Err(ConfigError::Expression(_))), "{expression}");
    }
    let built = layer("context.path", stage()).with_identity_validation_expression(".*").build();
    assert_eq!(built.err(), Some(ConfigError::ExpressionOfTokenOnly));
}

#[tokio::test]
async fn a_token_header_may_be_written_as_on_aws() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| allow_all(&event));
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_identity_sources(["method.request.header.X-Token".parse().unwrap()])
        .build()
        .unwrap();
    let inner = tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
    let request = Request::get("/").header("x-token", "t").body(()).unwrap();
    assert_eq!(layer.layer(inner).oneshot(request).await.unwrap().status(), StatusCode::OK);
}
