//! Routes with an authorizer of their own, inside of `protect`: whatever is asked for, somebody decides.
#![cfg(feature = "axum")]

mod common;

use axum::body::Body;
use axum::routing::{any, get};
use axum::{Extension, Router};
use common::{Counter, allow_all, stage};
use http::{Method, Request, StatusCode};
use tower::ServiceExt;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RequestHead};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

/// A layer that knows one token, and counts how often it is asked.
fn layer_for(token: &'static str, asked: &Counter) -> AuthorizerLayer {
    let asked = asked.clone();
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
        asked.hit();
        async move {
            if event.bearer_token() != Some(token) {
                return Err(AuthorizerError::unauthorized());
            }
            let policy = event.policy().allow(tower_lambda_authorizer::policy::AnyMethod, "/*").build()?;
            Ok(AuthorizerResponse::new(token, policy)?)
        }
    });
    AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap()
}

/// How often the handlers were called: those for users, and those for administrators.
#[derive(Clone, Debug, Default)]
struct Calls {
    user: Counter,
    admin: Counter,
}

async fn for_users(principal: Principal, Extension(calls): Extension<Calls>) -> String {
    calls.user.hit();
    principal.id().to_owned()
}

async fn for_administrators(principal: Principal, Extension(calls): Extension<Calls>) -> String {
    calls.admin.hit();
    principal.id().to_owned()
}

/// A service with ordinary routes and routes for administrators, in every way that there is to have both.
fn services(calls: &Calls) -> Vec<(&'static str, Service)> {
    let asked = Counter::default();
    let (user, admin) = (layer_for("user", &asked), layer_for("admin", &asked));
    let users = || Router::new().route("/users/{id}", any(for_users)).fallback(for_users);
    let admins =
        || Router::new().route("/{*rest}", any(for_administrators)).route("/", any(for_administrators));
    let with = |router: Router| router.layer(Extension(calls.clone()));
    let is_admin =
        |head: &RequestHead<'_>| head.template().is_some_and(|template| template.starts_with("/admin"));

    let chosen = user.clone().with_alternative(admin.clone(), is_admin).unwrap();
    let beside = protect(with(users().nest("/admin", admins())), chosen);
    let nested = Router::new()
        .nest_service("/admin", protect(with(admins()), admin.clone()))
        .fallback_service(protect(with(users()), user.clone()));
    // Here administrators have to be users, too: both tokens are one header, so nobody is both.
    let inside = protect(with(users().nest("/admin", admins().layer(admin))), user);
    vec![
        ("an alternative", Service::new(beside)),
        ("two protected routers", Service::new(nested)),
        ("a layer inside", Service::new(inside)),
    ]
}

type Service =
    tower::util::BoxCloneSyncService<Request<Body>, http::Response<Body>, std::convert::Infallible>;

async fn ask(
    service: &Service,
    method: &Method,
    path: &str,
    token: Option<&str>,
) -> Option<(StatusCode, bool)> {
    let request = Request::builder().method(method).uri(path);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    let response = service.clone().oneshot(request.body(Body::empty()).ok()?).await.unwrap();
    Some((response.status(), response.extensions().get::<Rejection>().is_some()))
}

#[tokio::test]
async fn no_path_and_no_method_leads_around_the_authorizer_of_a_route() {
    let calls = Calls::default();
    let paths = [
        "/users/1",
        "/users/1/",
        "/",
        "/nothing",
        "/admin",
        "/admin/",
        "/admin/x",
        "/admin/x/y",
        "//admin/x",
        "/admin//x",
        "/Admin/x",
        "/%61dmin/x",
        "/admin%2Fx",
        "/admin/%2e%2e/users/1",
        "/users/../admin/x",
        "/./admin/x",
        "/admin;a=b/x",
        "/users/1;/admin/x",
        "/adminx",
        "/%2Fadmin/x",
        "/admin\\x",
        "/admin?x=/users/1",
        "*",
        "/users/%2e%2e/admin/x",
        "/users/1%00",
        "/admin/*",
        "/admin/%2A",
    ];
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, Method::TRACE, Method::CONNECT];
    for (name, service) in services(&calls) {
        for path in paths {
            for method in &methods {
                for token in [None, Some("nobody")] {
                    let Some((status, refused)) = ask(&service, method, path, token).await else { continue };
                    assert!(
                        refused && status.is_client_error(),
                        "{name}: {method} {path} {token:?}: {status}"
                    );
                }
                assert_eq!((calls.user.count(), calls.admin.count()), (0, 0), "{name}: {method} {path}");
                // A user is no administrator, however the path is written.
                let Some((status, refused)) = ask(&service, method, path, Some("user")).await else {
                    continue;
                };
                assert!(refused != status.is_success(), "{name}: {method} {path}: {status}");
                assert_eq!(calls.admin.count(), 0, "{name}: {method} {path}");
                calls.user.reset();
            }
        }
    }
}

#[tokio::test]
async fn each_route_is_decided_by_its_own_authorizer() {
    let calls = Calls::default();
    let mut allowed = Vec::new();
    for (name, service) in services(&calls) {
        for (path, token) in
            [("/users/1", "user"), ("/users/1", "admin"), ("/admin/x", "user"), ("/admin/x", "admin")]
        {
            let (status, _) = ask(&service, &Method::GET, path, Some(token)).await.unwrap();
            if status == StatusCode::OK {
                allowed.push((name, path, token));
            }
        }
    }
    assert_eq!(
        allowed,
        [
            ("an alternative", "/users/1", "user"),
            ("an alternative", "/admin/x", "admin"),
            ("two protected routers", "/users/1", "user"),
            ("two protected routers", "/admin/x", "admin"),
            ("a layer inside", "/users/1", "user"),
        ]
    );
    assert_eq!((calls.user.count(), calls.admin.count()), (3, 2));
}

#[tokio::test]
async fn two_authorizers_that_both_have_to_allow_can_both_allow() {
    let key = authorizer_fn(async |event: AuthorizerEvent| match event.header("x-api-key") {
        Some("good") => allow_all(&event),
        _ => Err(AuthorizerError::unauthorized()),
    });
    let key = AuthorizerLayer::request(key, stage())
        .with_identity_sources([IdentitySource::header(http::HeaderName::from_static("x-api-key"))])
        .build()
        .unwrap();
    let user = layer_for("user", &Counter::default());
    let router = Router::new()
        .route("/plain", get(async |principal: Principal| principal.id().to_owned()))
        .route("/both", get(async |principal: Principal| principal.id().to_owned()).layer(key));
    let service = protect(router, user);
    for (path, token, key, expected) in [
        ("/plain", "user", None, "200 user"),
        ("/both", "user", None, r#"401 {"message":"Unauthorized"}"#),
        ("/both", "user", Some("bad"), r#"401 {"message":"Unauthorized"}"#),
        ("/both", "nobody", Some("good"), r#"401 {"message":"Unauthorized"}"#),
        ("/both", "user", Some("good"), "200 me"),
    ] {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(
            format!("{status} {}", std::str::from_utf8(&body).unwrap()),
            expected,
            "{path} {token} {key:?}"
        );
    }
}

#[tokio::test]
async fn exactly_one_of_two_authorizers_decides_and_each_has_its_own_answers() {
    let (present_asked, next_asked, admin_asked) = Default::default();
    let (present, next) = (layer_for("user", &present_asked), layer_for("next", &next_asked));
    let admin = layer_for("admin", &admin_asked);
    let chosen = next.with_alternative(admin, |head| head.method() == Method::PUT).unwrap();
    let layer = present.with_alternative(chosen, |head| head.headers().contains_key("x-next")).unwrap();
    let router = Router::new().route("/{*rest}", any(async |principal: Principal| principal.id().to_owned()));
    let service = Service::new(protect(router, layer.clone()));
    let ask = async |method: Method, token: &str, is_next: bool| {
        let request =
            Request::builder().method(method).uri("/x").header("authorization", format!("Bearer {token}"));
        let request = if is_next { request.header("x-next", "1") } else { request };
        service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    };
    for _ in 0..2 {
        assert_eq!(ask(Method::GET, "user", false).await, 200);
        assert_eq!(ask(Method::GET, "next", true).await, 200);
        assert_eq!(ask(Method::PUT, "admin", true).await, 200);
    }
    assert_eq!([&present_asked, &next_asked, &admin_asked].map(Counter::count), [1, 1, 1]);
    // Nobody's token is good with another, although their answers are kept.
    for (token, method, is_next) in [
        ("user", Method::GET, true),
        ("user", Method::PUT, true),
        ("next", Method::GET, false),
        ("next", Method::PUT, true),
        ("admin", Method::PUT, false),
        ("admin", Method::GET, true),
    ] {
        assert_eq!(ask(method, token, is_next).await, 401, "{token}");
    }
    // Whoever is forgotten is forgotten by all.
    let asked = || [&present_asked, &next_asked, &admin_asked].map(Counter::count);
    let before = asked();
    layer.invalidate_all();
    ask(Method::GET, "user", false).await;
    ask(Method::GET, "next", true).await;
    ask(Method::PUT, "admin", true).await;
    assert_eq!(asked(), before.map(|count| count + 1));
}

#[test]
fn layers_that_belong_together_stand_in_front_of_one_stage() {
    let layer = |stage: ApiStage| {
        let nobody = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
        AuthorizerLayer::request(nobody, stage).build().unwrap()
    };
    let other = [
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "dev").unwrap(),
        ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap(),
        stage().with_base_path("/v1").unwrap(),
    ];
    for other in other {
        let result = layer(stage()).with_alternative(layer(other), |_| true);
        assert_eq!(result.err(), Some(ConfigError::OtherStage));
    }
    assert!(layer(stage()).with_alternative(layer(stage()), |_| true).is_ok());
}

fn layer_that_maps(rules: &[(&str, &str)]) -> AuthorizerLayer {
    let mapping =
        rules.iter().fold(ParameterMapping::new(), |mapping, (key, value)| mapping.with(key, value).unwrap());
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| allow_all(&event));
    AuthorizerLayer::token(authorizer, stage()).with_parameter_mapping(mapping).build().unwrap()
}

const OVERWRITES: (&str, &str) = ("overwrite:header.x-user", "$context.authorizer.principalId");

#[test]
fn layers_beside_each_other_take_the_same_parameters_from_clients() {
    let others: [(&[(&str, &str)], &str); 4] = [
        (&[], "header.x-user"),
        (&[("append:header.x-user", "somebody")], "header.x-user"),
        (&[OVERWRITES, ("remove:header.x-role", "")], "header.x-role"),
        (&[OVERWRITES, ("overwrite:querystring.user", "somebody")], "querystring.user"),
    ];
    for (rules, parameter) in others {
        let (one, other) = (layer_that_maps(&[OVERWRITES]), layer_that_maps(rules));
        let expected = Some(ConfigError::OtherMapping { parameter: parameter.into() });
        assert_eq!(one.clone().with_alternative(other.clone(), |_| true).err(), expected, "{rules:?}");
        assert_eq!(other.clone().with_alternative(one.clone(), |_| true).err(), expected, "{rules:?}");
        // One of them stands beside somebody already.
        let other = other.clone().with_alternative(other, |_| true).unwrap();
        assert_eq!(one.with_alternative(other, |_| true).err(), expected, "{rules:?}");
    }
    assert!(
        layer_that_maps(&[]).with_alternative(layer_that_maps(&[("append:header.x", "1")]), |_| true).is_ok()
    );
    // Who takes `user` takes `_user`, too, and not the other way round.
    let [user, marked] =
        ["user", "_user"].map(|name| layer_that_maps(&[(&format!("overwrite:querystring.{name}"), "me")]));
    let expected = Some(ConfigError::OtherMapping { parameter: "querystring.user".into() });
    assert_eq!(user.clone().with_alternative(marked.clone(), |_| true).err(), expected);
    assert_eq!(marked.with_alternative(user, |_| true).err(), expected);
}

#[tokio::test]
async fn a_mapped_header_cannot_be_forged_by_choosing_the_alternative() {
    let next = layer_that_maps(&[("remove:header.x_user", "")]);
    let layer = layer_that_maps(&[OVERWRITES])
        .with_alternative(next, |head| head.headers().contains_key("x-next"))
        .unwrap();
    let handler = async |request: Request<Body>| {
        let users = request.headers().get_all("x-user").iter().map(|user| user.to_str().unwrap());
        users.collect::<Vec<_>>().join(",")
    };
    let service = Service::new(protect(Router::new().route("/x", any(handler)), layer));
    for (name, expected) in [("x-present", "me"), ("x-next", "")] {
        let request =
            Request::get("/x").header("authorization", "t").header("x-user", "root").header(name, "1");
        let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(axum::body::to_bytes(response.into_body(), 1024).await.unwrap(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_share_is_stable_grows_and_is_about_as_large_as_it_says() {
    let tokens: Vec<String> = (0..4_000).map(|number| format!("Bearer {number}")).collect();
    let within = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&within);
    let nobody = || authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
    let layer = |stage| AuthorizerLayer::request(nobody(), stage).build().unwrap();
    let layer = layer(stage())
        .with_alternative(layer(stage()), move |head| {
            let shares =
                [0, 5, 50, 100].map(|percent| head.falls_within(percent, &http::header::AUTHORIZATION));
            seen.lock().unwrap().push(shares);
            false
        })
        .unwrap();
    let service = Service::new(protect(Router::new(), layer));
    for token in tokens.iter().chain(&tokens) {
        let request = Request::get("/").header("authorization", token).body(Body::empty()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    service.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let within = within.lock().unwrap();
    let (first, rest) = within.split_at(tokens.len());
    assert_eq!(first, &rest[..tokens.len()], "the same value falls into the same share");
    assert_eq!(rest[tokens.len()], [false; 4], "nothing falls into no share");
    assert!(first.iter().all(|shares| shares.windows(2).all(|pair| pair[0] <= pair[1])), "shares grow");
    let count = |index: usize| first.iter().filter(|shares| shares[index]).count();
    assert_eq!((count(0), count(3)), (0, tokens.len()));
    assert!((100..300).contains(&count(1)), "{} of 4,000 are five percent", count(1));
    assert!((1_800..2_200).contains(&count(2)), "{} of 4,000 are half", count(2));
}
