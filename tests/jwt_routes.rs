//! Routes with scopes against axum's own router: a handler runs only for a token that its route asks for.
#![cfg(all(feature = "testing", feature = "jwt", feature = "axum"))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use http::{Method, Request};
use tower::ServiceExt;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::preset::HttpJwtAuthorizer;
use tower_lambda_authorizer::jwt::{KeySet, RouteScopes};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::testing::{TestKey, claims, jwks};
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n
    }
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

const SCOPES: [&str; 4] = ["s0", "s1", "s2", "s3"];

#[derive(Clone, Debug)]
struct Route {
    method: Option<Method>,
    template: String,
    scopes: Vec<&'static str>,
}

fn template(random: &mut Random) -> String {
    let count = random.below(4);
    let mut text = String::new();
    for index in 0..count {
        text.push('/');
        text += match random.below(9) {
            0..=2 => "a",
            3 => "b",
            4 => "a@b",
            5 => "%20",
            6 if index + 1 == count => "{p+}",
            _ => ["{x}", "{y}", "{z}", "{w}"][index],
        };
    }
    if text.is_empty() || random.below(6) == 0 && !text.ends_with("+}") {
        text.push('/');
    }
    text
}

fn path(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.below(4) {
        text.push('/');
        text += *random.pick(&[
            "a", "a", "b", "a@b", "a%40b", "%20", "a%2Fb", "a%2fa", "%61", "c", "a;x", "A", "%2B", "a%2F",
        ]);
    }
    if text.is_empty() || random.below(4) == 0 {
        text.push('/');
    }
    text
}

#[tokio::test]
async fn a_handler_runs_only_for_a_scope_of_its_route() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let rounds: usize = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
    let mut random = Random(seed);
    let clock = ManualClock::default();
    let key = TestKey::rs256("k1");
    let tokens: Vec<(&str, String)> = ["none"]
        .into_iter()
        .chain(SCOPES)
        .map(|scope| {
            let mut claims = claims("https://id.example.com/", "api", &clock);
            claims["scope"] = scope.into();
            (scope, format!("Bearer {}", key.token(&claims)))
        })
        .collect();
    let (mut ran, mut asked, mut refused) = (0, 0, 0);
    let hook = std::panic::take_hook();
    // Routers that axum does not build are no news.
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains("jwt_routes.rs") || info.to_string().contains("reached") {
            hook(info);
        }
    }));
    for _ in 0..rounds {
        let mut routes: Vec<Route> = Vec::new();
        let mut scopes = RouteScopes::new();
        for _ in 0..1 + random.below(5) {
            let methods = [None, Some(Method::GET), Some(Method::POST), Some(Method::HEAD)];
            let method = methods[random.below(4)].clone();
            let needed: Vec<&str> = (0..random.below(3)).map(|_| *random.pick(&SCOPES)).collect();
            let route = Route { method, template: template(&mut random), scopes: needed };
            let added = match &route.method {
                Some(method) => scopes.clone().with_route(method, &route.template, route.scopes.clone()),
                None => scopes.clone().with_route(AnyMethod, &route.template, route.scopes.clone()),
            };
            if let Ok(added) = added {
                // Names of parameters do not tell routes apart for one, and do for the other.
                scopes = added;
                routes.push(route);
            }
        }
        let other: Option<Vec<&'static str>> = match random.below(3) {
            0 => None,
            1 => Some(vec![]),
            _ => Some(vec!["s0"]),
        };
        if let Some(other) = &other {
            scopes = scopes.with_other_routes(other.iter().copied()).unwrap();
        }
        let hit: Arc<Mutex<Option<usize>>> = Arc::default();
        let router = catch_unwind(AssertUnwindSafe(|| {
            let mut router = Router::new();
            let mut by_template: Vec<(String, MethodRouter)> = Vec::new();
            for (index, route) in routes.iter().enumerate() {
                let hit = Arc::clone(&hit);
                let handler = move || {
                    let hit = Arc::clone(&hit);
                    async move { *hit.lock().unwrap() = Some(index) }
                };
                let axum = route.template.replace("{p+}", "{*p}");
                let slot = by_template.iter().position(|(known, _)| *known == axum);
                let known = slot.map(|slot| by_template.remove(slot).1);
                let method = route.method.clone().map(|method| MethodFilter::try_from(method).unwrap());
                let made = match (known, method) {
                    (None, None) => any(handler),
                    (None, Some(method)) => on(method, handler),
                    (Some(known), Some(method)) => known.on(method, handler),
                    (Some(known), None) => known.fallback(handler),
                };
                by_template.push((axum, made));
            }
            for (template, made) in by_template {
                router = router.route(&template, made);
            }
            let hit = Arc::clone(&hit);
            router.fallback(async move || *hit.lock().unwrap() = Some(usize::MAX))
        }));
        let Ok(router) = router else { continue };
        let authorizer = HttpJwtAuthorizer::builder(
            "https://id.example.com/",
            KeySet::from_jwks(jwks([&key]).as_bytes()).unwrap(),
        )
        .with_audience("api")
        .with_routes(scopes)
        .with_clock(clock.clone())
        .build()
        .unwrap();
        let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
        let layer = AuthorizerLayer::request(authorizer, stage)
            .with_identity_sources(["$request.header.Authorization".parse().unwrap()]);
        let layer = match random.below(5) {
            0 => layer.allow_encoded_slash(),
            1 => layer.decode_unreserved_escapes(),
            2 => layer.head_as_get(),
            _ => layer,
        };
        let built = layer.build().unwrap();
        let service = match random.below(3) {
            0 => tower::util::BoxCloneSyncService::new(router.layer(built)),
            1 => tower::util::BoxCloneSyncService::new(tower::Layer::layer(&built, router)),
            _ => tower::util::BoxCloneSyncService::new(protect(router, built)),
        };
        for _ in 0..60 {
            let method =
                random.pick(&[Method::GET, Method::GET, Method::POST, Method::HEAD, Method::PUT]).clone();
            let path = path(&mut random);
            let (scope, token) = random.pick(&tokens);
            *hit.lock().unwrap() = None;
            let request = Request::builder().method(&method).uri(&path).header("authorization", token);
            let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            asked += 1;
            match *hit.lock().unwrap() {
                None => refused += 1,
                Some(usize::MAX) => {
                    ran += 1;
                    let fine = other.as_ref().is_some_and(|other| other.is_empty() || other.contains(scope));
                    assert!(fine, "{method} {path} ({scope}) reached the fallback: {routes:?} {other:?}");
                }
                Some(index) => {
                    ran += 1;
                    let needed = &routes[index].scopes;
                    let fine = needed.is_empty() || needed.contains(scope);
                    assert!(
                        fine,
                        "{method} {path} ({scope}) reached {:?}: {routes:?} {other:?} {}",
                        routes[index],
                        response.status()
                    );
                }
            }
        }
    }
    println!("asked {asked}, ran {ran}, refused {refused}");
    assert!(ran > asked / 50);
}

fn stage() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()
}

/// A layer in front of an HTTP API, and a request with a token that has the scope `user`.
fn for_users(
    routes: RouteScopes,
    encoded_slash: bool,
) -> (AuthorizerLayer, impl Fn(Method, &str) -> Request<Body>) {
    for_users_of(stage(), routes, encoded_slash)
}

fn for_users_of(
    stage: ApiStage,
    routes: RouteScopes,
    encoded_slash: bool,
) -> (AuthorizerLayer, impl Fn(Method, &str) -> Request<Body>) {
    let clock = ManualClock::default();
    let key = TestKey::rs256("k1");
    let keys = KeySet::from_jwks(jwks([&key]).as_bytes()).unwrap();
    let authorizer = HttpJwtAuthorizer::builder("https://id.example.com/", keys)
        .with_audience("api")
        .with_routes(routes)
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_identity_sources(["$request.header.Authorization".parse().unwrap()]);
    let layer = if encoded_slash { layer.allow_encoded_slash() } else { layer };
    let mut claims = claims("https://id.example.com/", "api", &clock);
    claims["scope"] = "user".into();
    let token = format!("Bearer {}", key.token(&claims));
    let request = move |method, path: &str| {
        let request = Request::builder().method(method).uri(path).header("authorization", &token);
        request.body(Body::empty()).unwrap()
    };
    (layer.build().unwrap(), request)
}

/// A route for `HEAD` says what `HEAD` takes of its own path, and not of another that a router prefers.
#[tokio::test]
async fn a_route_for_head_does_not_open_a_more_specific_route_for_get() {
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/admin", ["admin"])
        .and_then(|routes| routes.with_route(Method::HEAD, "/{page}", ["user"]))
        .unwrap();
    let unlisted = RouteScopes::new()
        .with_route(Method::HEAD, "/{page}", [])
        .and_then(|routes| routes.with_other_routes(["admin"]))
        .unwrap();
    let rest = RouteScopes::new()
        .with_route(Method::HEAD, "/{page}", ["user"])
        .and_then(|routes| routes.with_route(AnyMethod, "/{all+}", ["admin"]))
        .unwrap();
    for routes in [routes, unlisted, rest] {
        let (layer, request) = for_users(routes, false);
        let ran: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let admin = Arc::clone(&ran);
        let router = Router::new()
            .route(
                "/admin",
                axum::routing::get(async move || *admin.lock().unwrap() = Some("the admin's page")),
            )
            .route("/{page}", axum::routing::head(async || ()));
        let status = protect(router, layer).oneshot(request(Method::HEAD, "/admin")).await.unwrap().status();
        assert_eq!((*ran.lock().unwrap(), status), (None, http::StatusCode::FORBIDDEN));
    }
}

/// The same handler, listed for one method and with its slash.
#[tokio::test]
async fn a_route_for_any_method_does_not_open_one_for_a_method() {
    for (for_any, for_post) in [("/admin", "/admin/"), ("/admin/", "/admin"), ("/admin", "/admin/{path+}")] {
        let routes = RouteScopes::new()
            .with_route(AnyMethod, for_any, ["user"])
            .and_then(|routes| routes.with_route(Method::POST, for_post, ["admin"]))
            .unwrap();
        let (layer, request) = for_users(routes, false);
        let handlers = axum::routing::get(async || "anybody's").post(async || "the admin's");
        let router = Router::new().nest_service("/admin", Router::new().route("/", handlers));
        let service = protect(router, layer);
        for path in ["/admin", "/admin/"] {
            let status = service.clone().oneshot(request(Method::POST, path)).await.unwrap().status();
            assert_eq!(status, http::StatusCode::FORBIDDEN, "POST {path}, {for_any} and {for_post}");
        }
        let status = service.oneshot(request(Method::GET, for_any)).await.unwrap().status();
        assert_eq!(status, http::StatusCode::OK, "GET {for_any}");
    }
}

/// axum serves `/admin` and `/admin/` below `nest_service("/admin", …)`, and says `/admin/` of both.
#[tokio::test]
async fn the_root_of_a_nested_service_is_not_reached_without_its_slash() {
    let admin = || RouteScopes::new().with_route(AnyMethod, "/admin/", ["admin"]).unwrap();
    let below = || RouteScopes::new().with_route(AnyMethod, "/admin/{path+}", ["admin"]).unwrap();
    for routes in [
        admin().with_other_routes(["user"]).unwrap(),
        admin().with_route(AnyMethod, "/{page}", ["user"]).unwrap(),
        admin().with_route(AnyMethod, "/{all+}", ["user"]).unwrap(),
        below().with_other_routes(["user"]).unwrap(),
        below().with_route(AnyMethod, "/{page}", ["user"]).unwrap(),
        below().with_route(AnyMethod, "/{all+}", ["user"]).unwrap(),
    ] {
        let (layer, request) = for_users(routes, false);
        let inner = Router::new().fallback(any(async || "the admin's page"));
        let router = Router::new().nest_service("/admin", inner).route("/{page}", any(async || "a page"));
        let service = protect(router, layer);
        for (method, path, expected) in [
            (Method::GET, "/admin", 403),
            (Method::GET, "/admin/", 403),
            (Method::POST, "/admin", 403),
            (Method::HEAD, "/admin", 403),
            (Method::GET, "/other", 200),
        ] {
            let status = service.clone().oneshot(request(method.clone(), path)).await.unwrap().status();
            assert_eq!(status.as_u16(), expected, "{method} {path}");
        }
    }
}

/// The same with a base path, below which its root has the path `/`.
#[tokio::test]
async fn the_root_of_a_base_path_is_not_reached_without_its_slash() {
    let below = || RouteScopes::new().with_route(AnyMethod, "/{path+}", ["admin"]).unwrap();
    let others = || below().with_other_routes(["user"]).unwrap();
    let root = |method| others().with_route(method, "/", ["user"]).unwrap();
    for (routes, expected) in [
        (others(), [403, 403, 403]),
        (root(Method::POST), [403, 403, 403]),
        (root(Method::GET), [200, 200, 403]),
        (others().with_route(AnyMethod, "/", ["user"]).unwrap(), [200, 200, 403]),
    ] {
        let base_path = stage().with_base_path("/v1").unwrap();
        let (layer, request) = for_users_of(base_path, routes.clone(), false);
        let inner = || Router::new().fallback(any(async || "the admin's page"));
        let service = protect(Router::new().nest_service("/v1", inner()), layer);
        for (path, expected) in ["/v1", "/v1/", "/v1/x"].into_iter().zip(expected) {
            let status = service.clone().oneshot(request(Method::GET, path)).await.unwrap().status();
            assert_eq!(status.as_u16(), expected, "{path}: {routes:?}");
        }
        let (layer, request) = for_users(routes.clone(), false);
        let service = protect(Router::new().fallback_service(inner()), layer);
        let status = service.oneshot(request(Method::GET, "/")).await.unwrap().status();
        assert_eq!(status.as_u16(), expected[0], "{routes:?}");
    }
}

/// axum tries the fallback of a nested router behind all routes, also those that begin with a parameter.
#[tokio::test]
async fn a_rest_does_not_open_what_goes_before_the_fallback_of_a_nested_router() {
    let ran: Arc<Mutex<Vec<&str>>> = Arc::default();
    let page = |name: &'static str| {
        let ran = Arc::clone(&ran);
        any(async move || ran.lock().unwrap().push(name))
    };
    let inner = Router::new().route("/index", page("index")).fallback_service(page("file"));
    let router = Router::new()
        .route("/{tenant}/settings", page("settings"))
        .route("/{tenant}/{of}/settings", page("more settings"))
        .nest_service("/{tenant}/keys", Router::new().fallback(page("keys")))
        .nest("/public", inner);
    let routes = || {
        RouteScopes::new()
            .with_route(AnyMethod, "/{tenant}/settings", ["admin"])
            .and_then(|routes| routes.with_route(Method::GET, "/{tenant}/{of}/settings", ["admin"]))
            .and_then(|routes| routes.with_route(AnyMethod, "/{tenant}/keys/{path+}", ["admin"]))
            .and_then(|routes| routes.with_route(AnyMethod, "/public/{path+}", ["user"]))
            .and_then(|routes| routes.with_route(AnyMethod, "/{path+}", ["admin"]))
            .unwrap()
    };
    for routes in [routes(), routes().with_other_routes(["user"]).unwrap()] {
        let (layer, request) = for_users(routes, false);
        let service = protect(router.clone(), layer);
        for (method, path, expected) in [
            (Method::GET, "/public/settings", None),
            (Method::POST, "/public/settings", None),
            (Method::GET, "/public/settings/", None),
            (Method::GET, "/public/a/settings", None),
            (Method::GET, "/public/keys/a", None),
            (Method::GET, "/public/keys/a/b", None),
            (Method::GET, "/public/keys/", None),
            (Method::GET, "/public/keys", None),
            (Method::HEAD, "/public/a/settings", None),
            (Method::GET, "/public/a", Some("file")),
            (Method::GET, "/public/settings/a", Some("file")),
            (Method::GET, "/public/index", Some("index")),
        ] {
            let status = service.clone().oneshot(request(method.clone(), path)).await.unwrap().status();
            let expected_status = if expected.is_some() { 200 } else { 403 };
            assert_eq!(status.as_u16(), expected_status, "{method} {path}");
            assert_eq!(
                std::mem::take(&mut *ran.lock().unwrap()),
                Vec::from_iter(expected),
                "{method} {path}"
            );
        }
    }
    // Nor if another rest, which asks for no more, stands between the two.
    let masked = RouteScopes::new()
        .with_route(AnyMethod, "/sites/public/{path+}", ["user"])
        .and_then(|routes| routes.with_route(AnyMethod, "/sites/{tenant}/a/{path+}", ["user"]))
        .and_then(|routes| routes.with_route(AnyMethod, "/sites/{tenant}/{of}/settings", ["admin"]))
        .unwrap();
    let (layer, request) = for_users(masked, false);
    let nested = |name| Router::new().route("/index", page("index")).fallback_service(page(name));
    let sites = Router::new()
        .route("/sites/{tenant}/{of}/settings", page("settings"))
        .nest("/sites/{tenant}/a", nested("a"))
        .nest("/sites/public", nested("public"));
    let service = protect(sites, layer);
    for (path, status) in [("/sites/public/a/settings", 403), ("/sites/public/a/b", 200)] {
        let response = service.clone().oneshot(request(Method::GET, path)).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
    assert_eq!(std::mem::take(&mut *ran.lock().unwrap()), ["public"]);
    // What is listed without a rest says what it takes.
    let routes = routes().with_route(AnyMethod, "/public/settings", ["user"]).unwrap();
    let (layer, request) = for_users(routes, false);
    let service = protect(router.route("/public/settings", page("own")), layer);
    assert_eq!(service.oneshot(request(Method::GET, "/public/settings")).await.unwrap().status(), 200);
    assert_eq!(*ran.lock().unwrap(), ["own"]);
}

/// The same where a catch-all with a more specific template serves what is below, and not the path itself.
#[tokio::test]
async fn the_root_of_a_nested_service_is_not_hidden_by_a_catch_all() {
    let inner = Router::new().fallback(any(async || "the admin's page"));
    let router = Router::new()
        .route("/users/{id}/{*path}", any(async || "a file"))
        .nest_service("/{tenant}/admin", inner)
        .route("/{tenant}/{page}", any(async || "a page"));
    let routes = || {
        RouteScopes::new()
            .with_route(AnyMethod, "/users/{id}/{path+}", ["user"])
            .and_then(|routes| routes.with_route(AnyMethod, "/{tenant}/admin/{path+}", ["admin"]))
            .unwrap()
    };
    for routes in [
        routes().with_other_routes(["user"]).unwrap(),
        routes().with_route(AnyMethod, "/{tenant}/{page}", ["user"]).unwrap(),
    ] {
        let (layer, request) = for_users(routes, false);
        let service = protect(router.clone(), layer);
        for (path, expected) in [
            ("/users/admin", 403),
            ("/users/admin/", 403),
            ("/a/admin", 403),
            // Here the file is served; where the first stood in a service, the admin's page would be.
            ("/users/admin/x", 403),
            ("/users/b/x", 200),
            ("/a/page", 200),
        ] {
            let status = service.clone().oneshot(request(Method::GET, path)).await.unwrap().status();
            assert_eq!(status.as_u16(), expected, "{path}");
        }
    }
}

/// axum tries the routes of a router before those of a service in it, however literal these are.
#[tokio::test]
async fn the_route_that_was_taken_is_asked_about_too() {
    let listed = |one: &str, other: &str| {
        let one = RouteScopes::new().with_route(AnyMethod, one, ["admin"]).unwrap();
        one.with_route(AnyMethod, other, ["user"]).unwrap()
    };
    let mine = || any(async || "mine");
    let outer = |path| Router::new().route(path, any(async || "anybody's"));
    let inner = Router::new().route("/users/me/{page}", mine()).route("/users/me", mine());
    for (routes, router, path, open) in [
        (
            listed("/api/users/{id}/settings", "/api/users/me/{page}"),
            outer("/api/users/{id}/settings").nest_service("/api", inner.clone()),
            "/api/users/me/settings",
            "/api/users/me/other",
        ),
        (
            listed("/users/{id}/settings", "/users/me/{page}"),
            outer("/users/{id}/settings").fallback_service(inner.clone()),
            "/users/me/settings",
            "/users/me/other",
        ),
        (
            listed("/users/{id}", "/users/me"),
            outer("/users/{id}").fallback_service(inner.clone()),
            "/users/me",
            "/users/me/other",
        ),
        // What a catch-all has taken.
        (
            listed("/users/{id}/settings/{path+}", "/users/me/{section}/{page}"),
            outer("/users/{id}/settings/{*path}")
                .fallback_service(Router::new().route("/users/me/{section}/{page}", mine())),
            "/users/me/settings/x",
            "/users/me/other/x",
        ),
        // And what nobody tells the template of.
        (
            listed("/api/users/{id}/settings/{path+}", "/api/users/me/{section}/{page}"),
            Router::new()
                .nest_service("/api/users/{id}/settings", Router::new().fallback(any(async || "anybody's")))
                .nest_service("/api", Router::new().route("/users/me/{section}/{page}", mine())),
            "/api/users/me/settings/x",
            "/api/users/me/other/x",
        ),
    ] {
        let routes = routes.with_other_routes(["user"]).unwrap();
        let (layer, request) = for_users(routes, false);
        // Around the router, no template is seen, as by a layer of type `TOKEN`. Where one is always preferred, only it is listed.
        if path != "/users/me" {
            let around = tower::Layer::layer(&layer, router.clone());
            let status = around.oneshot(request(Method::GET, path)).await.unwrap().status();
            assert_eq!(status, http::StatusCode::FORBIDDEN, "{path}");
        }
        for service in [protect(router.clone(), layer.clone()), protect(router.layer(layer.clone()), layer)] {
            for method in [Method::GET, Method::HEAD] {
                let status = service.clone().oneshot(request(method.clone(), path)).await.unwrap().status();
                assert_eq!(status, http::StatusCode::FORBIDDEN, "{method} {path}");
            }
            let status = service.oneshot(request(Method::GET, open)).await.unwrap().status();
            assert_eq!(status, http::StatusCode::OK, "{open}");
        }
    }
    // Inside of what is nested, too.
    let routes = listed("/api/users/{id}", "/api/users/me").with_other_routes(["user"]).unwrap();
    let (layer, request) = for_users(routes, false);
    let router = outer("/users/{id}").fallback_service(inner);
    for nested in [
        Router::new().nest_service("/api", protect(router.clone(), layer.clone())),
        Router::new().nest_service("/api", router.clone().layer(layer.clone())),
        Router::new().nest("/api", router.layer(layer)),
    ] {
        for (path, expected) in [("/api/users/me", 403), ("/api/users/me/other", 200)] {
            let status = nested.clone().oneshot(request(Method::GET, path)).await.unwrap().status();
            assert_eq!(status.as_u16(), expected, "{path}");
        }
    }
}

/// `/health/` is the root of `nest_service("/{tenant}", …)`, and not `/health`.
#[tokio::test]
async fn a_slash_at_the_end_leads_past_a_more_specific_route() {
    let routes = || {
        let routes = RouteScopes::new().with_route(AnyMethod, "/{tenant}", ["admin"]).unwrap();
        routes.with_route(AnyMethod, "/health", ["user"]).unwrap()
    };
    let router = Router::new()
        .route("/health", any(async || "healthy"))
        .nest_service("/{tenant}", Router::new().route("/", any(async || "the admin's page")));
    for (routes, slash) in [
        (routes(), 403),
        (routes().with_other_routes(["user"]).unwrap(), 403),
        (routes().with_route(AnyMethod, "/health/", ["user"]).unwrap(), 200),
    ] {
        let (layer, request) = for_users(routes, false);
        let service = protect(router.clone(), layer);
        for (path, expected) in [("/health/", slash), ("/x/", 403), ("/x", 403), ("/health", 200)] {
            let status = service.clone().oneshot(request(Method::GET, path)).await.unwrap().status();
            assert_eq!(status.as_u16(), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_file_has_one_scope_however_many_slashes_are_escaped() {
    let folder = std::env::temp_dir().join(format!("tla-scopes-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("events")).unwrap();
    std::fs::write(folder.join("events/secret"), "secret").unwrap();
    std::fs::write(folder.join("events/public"), "public").unwrap();
    let routes = RouteScopes::new()
        .with_route(AnyMethod, "/files/events/secret", ["admin"])
        .and_then(|routes| routes.with_route(AnyMethod, "/files/{path+}", ["user"]))
        .unwrap();
    let (layer, request) = for_users(routes, true);
    let files = tower_http::services::ServeDir::new(&folder);
    let service = protect(Router::new().nest_service("/files", files), layer);
    let separators = ["/", "%2F", "%2f", "/%2F", "%2F%2F", "%2F%2F%2F"];
    let mut refused = 0;
    for (file, expected) in [("secret", &[403][..]), ("public", &[200, 403, 404])] {
        for method in [Method::GET, Method::HEAD] {
            for before in separators {
                for between in separators {
                    let path = format!("/files{before}events{between}{file}");
                    let response = service.clone().oneshot(request(method.clone(), &path)).await.unwrap();
                    let status = response.status().as_u16();
                    assert!(expected.contains(&status), "{method} {path}: {status}");
                    refused += usize::from(status == 403);
                }
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(refused >= 2 * separators.len() * separators.len());
}

/// `%2F` in a parameter is data, and behind it a catch-all takes another for a slash.
#[tokio::test]
async fn an_escaped_slash_does_not_hide_another() {
    let routes = RouteScopes::new()
        .with_route(AnyMethod, "/projects/{id}/files/{path+}", ["user"])
        .and_then(|routes| routes.with_route(AnyMethod, "/projects/{id}/files/secret/{path+}", ["admin"]))
        .unwrap();
    let (layer, request) = for_users(routes, true);
    let ran: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let files = Arc::clone(&ran);
    let router = Router::new().route(
        "/projects/{id}/files/{*path}",
        any(async move |axum::extract::Path(both): axum::extract::Path<(String, String)>| {
            files.lock().unwrap().push(both);
        }),
    );
    let service = protect(router, layer);
    let status = async |path: &str| {
        let response = service.clone().oneshot(request(Method::GET, path)).await.unwrap();
        response.status().as_u16()
    };
    for id in ["1", "g%2Fp", "g%2Fp%2Fq", "%2Fp"] {
        for secret in ["secret/key", "secret%2Fkey", "%2Fsecret%2fkey", "/secret%2Fkey"] {
            let path = format!("/projects/{id}/files/{secret}");
            assert!(matches!(status(&path).await, 400 | 403), "{path}");
        }
    }
    assert_eq!(*ran.lock().unwrap(), []);
    assert_eq!(status("/projects/g%2Fp/files/public%2Fkey").await, 200);
    assert_eq!(*ran.lock().unwrap(), [("g/p".to_owned(), "public/key".to_owned())]);
}
