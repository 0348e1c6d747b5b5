//! What a table of tokens does not show: configurations that take something back, answers that meet a cache, paths
//! that two programs read in two ways, and clocks that stand still.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

mod common;

use common::{Counter, counting, get, stage};
use http::header::{HeaderName, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::TokenEvent;
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::preset::{
    HttpJwtAuthorizer, RestCognitoAuthorizer, RestJwtAuthorizer, RestJwtAuthorizerBuilder,
};
use tower_lambda_authorizer::jwt::{
    Algorithm, Issuer, JwtAuthorizer, JwtConfigError, JwtReason, KeySet, RouteScopes, TokenSource, TokenUse,
};
use tower_lambda_authorizer::middleware::ConfigError;
use tower_lambda_authorizer::policy::{AnyMethod, Decision};
use tower_lambda_authorizer::testing::{TestKey, claims, cognito_access_claims, cognito_id_claims, jwks};
use tower_lambda_authorizer::{ApiStage, Authorizer, AuthorizerEvent, AuthorizerLayer};

const ISSUER: &str = "https://id.example.com/";
const POOL: &str = "us-east-1_pool";
const CLIENT: &str = "client";

fn key() -> TestKey {
    TestKey::rs256("k1")
}

fn keys() -> KeySet {
    KeySet::from_jwks(jwks([&key()]).as_bytes()).unwrap()
}

fn issuer() -> Issuer {
    Issuer::new(ISSUER, keys()).with_audience("orders")
}

fn pool() -> UserPool {
    UserPool::new("us-east-1", POOL).unwrap()
}

fn http_stage() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn jwt(source: TokenSource, clock: &ManualClock) -> JwtAuthorizer {
    let builder = JwtAuthorizer::builder().with_issuer(issuer()).with_clock(clock.clone());
    builder.with_token_source(source).build().unwrap()
}

/// A layer that keeps answers by another part of the request than the one with the token would give one caller's
/// answer to the next.
#[test]
fn an_answer_is_only_kept_by_what_holds_the_token() {
    let clock = ManualClock::default();
    let refused = |authorizer: &dyn Fn() -> SharedJwt, identity: &str, cached: bool| {
        let layer = AuthorizerLayer::request(authorizer(), http_stage())
            .with_identity_sources([identity.parse().unwrap()]);
        let layer = if cached { layer.with_cache(MemoryCache::builder().build()) } else { layer };
        matches!(layer.build(), Err(ConfigError::CredentialOutsideIdentity { .. }))
    };
    let generic = |source: TokenSource| {
        let clock = clock.clone();
        move || SharedJwt::new(jwt(source.clone(), &clock))
    };
    let preset = |source: TokenSource| {
        move || {
            let builder = HttpJwtAuthorizer::builder(ISSUER, keys()).with_audience("orders");
            SharedJwt::new(builder.with_token_source(source.clone()).build().unwrap())
        }
    };
    let pools = || {
        let builder = RestCognitoAuthorizer::builder().with_pool(pool().with_client_id(CLIENT), keys());
        SharedJwt::new(builder.with_token_header("x-token").build().unwrap())
    };
    let rest = || {
        let builder = RestJwtAuthorizer::builder([Algorithm::Rs256]).with_issuer(issuer());
        SharedJwt::new(builder.build().unwrap())
    };
    let (header, query) = ("$request.header.authorization", "$request.querystring.t");
    let (tenant, other) = ("$request.header.x-tenant", "$request.header.x-token");
    for (authorizer, right, wrong) in [
        (&generic(TokenSource::authorization()) as &dyn Fn() -> SharedJwt, header, tenant),
        (&generic(TokenSource::authorization().with_bare_tokens()), header, tenant),
        (&generic(TokenSource::header("X-Token")), other, header),
        (&generic(TokenSource::query_parameter("t")), query, header),
        (&preset(TokenSource::authorization()), header, query),
        (&preset(TokenSource::query_parameter("t")), query, header),
        (&pools, other, header),
        (&rest, header, tenant),
    ] {
        assert!(!refused(authorizer, right, true), "{right}");
        assert!(refused(authorizer, wrong, true), "{wrong} for {right}");
        assert!(!refused(authorizer, wrong, false), "{wrong} for {right}");
    }
}

type SharedJwt = tower_lambda_authorizer::authorizer::SharedAuthorizer;

/// A gateway gives an authorizer of type `TOKEN` the token out of whatever header it was told, and no query.
#[tokio::test]
async fn a_token_authorizer_has_its_token_from_any_header_and_from_no_query() {
    let clock = ManualClock::default();
    let layer = |source: TokenSource, header: HeaderName| {
        AuthorizerLayer::token(jwt(source, &clock), stage())
            .with_token_header(header)
            .with_cache(MemoryCache::builder().build())
            .build()
    };
    let x_token = HeaderName::from_static("x-token");
    let query = TokenSource::query_parameter("t");
    assert!(matches!(layer(query, x_token.clone()), Err(ConfigError::CredentialOutsideToken { .. })));
    let token = key().token(&claims(ISSUER, "orders", &clock));
    for source in [TokenSource::authorization(), TokenSource::header("x-token")] {
        let service = layer(source, x_token.clone()).unwrap().layer(counting(&Counter::default()));
        let request = Request::get("/x").header("x-token", format!("Bearer {token}")).body(()).unwrap();
        assert_eq!(service.oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
}

/// What was demanded of a pool's tokens is demanded still, whatever else is said of the issuer.
#[tokio::test]
async fn a_demand_is_not_taken_back_by_another() {
    let clock = ManualClock::default();
    let access = cognito_access_claims(POOL, CLIENT, &clock);
    let id = cognito_id_claims(POOL, CLIENT, &clock);
    let verify = async |issuer: Issuer, claims: &Value| {
        let authorizer =
            JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
        authorizer.verify(&key().token(claims)).await.map(drop).map_err(|error| error.reason())
    };
    let any = pool().accept_any_client().with_token_use(TokenUse::Access);
    // Any audience is still a token of the right use.
    let issuer = any.clone().issuer(keys()).accept_any_audience();
    assert_eq!(verify(issuer.clone(), &access).await, Ok(()));
    assert_eq!(verify(issuer, &id).await, Err(JwtReason::TokenUse));
    // An audience that is demanded beside the client is looked at.
    let issuer = pool().with_client_id(CLIENT).issuer(keys()).with_audience("https://api.example.com");
    assert_eq!(verify(issuer.clone(), &access).await, Err(JwtReason::Audience));
    let bound = with(access.clone(), "aud", "https://api.example.com");
    assert_eq!(verify(issuer.clone(), &bound).await, Ok(()));
    assert_eq!(verify(issuer, &with(bound, "client_id", "other")).await, Err(JwtReason::Client));

    // The same behind the preset that has rules of its own for audiences.
    let authorizer = RestJwtAuthorizer::builder([Algorithm::Rs256])
        .with_issuer(any.issuer(keys()).with_audience(CLIENT))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let ask = async |claims: &Value| {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/x".parse().unwrap();
        let event = TokenEvent::new(arn, format!("Bearer {}", key().token(claims)));
        authorizer.authorize(event.into()).await.is_ok()
    };
    assert!(ask(&access).await && !ask(&id).await);
}

/// Nor are the scopes of an issuer, with routes or without.
#[tokio::test]
async fn the_scopes_of_an_issuer_are_needed_behind_a_preset_too() {
    let clock = ManualClock::default();
    let routes = || RouteScopes::new().with_route(Method::GET, "/x", ["read"]).unwrap();
    let scoped = || issuer().with_required_scope("orders").with_required_scope("read");
    let build =
        |builder: RestJwtAuthorizerBuilder| builder.with_issuer(scoped()).with_clock(clock.clone()).build();
    let presets = [
        build(RestJwtAuthorizer::builder([Algorithm::Rs256])).unwrap(),
        build(RestJwtAuthorizer::builder([Algorithm::Rs256]).with_routes(routes())).unwrap(),
    ];
    for preset in presets {
        for (scope, status) in [("read", 403), ("orders", 403), ("other", 403), ("orders read", 200)] {
            let token = key().token(&with(claims(ISSUER, "orders", &clock), "scope", scope));
            let layer = AuthorizerLayer::token(preset.clone(), stage()).build().unwrap();
            let calls = Counter::default();
            let response = layer.layer(counting(&calls)).oneshot(get("/x", &format!("Bearer {token}"))).await;
            assert_eq!(response.unwrap().status().as_u16(), status, "{scope}");
            assert_eq!(calls.count(), usize::from(status == 200));
        }
    }
}

/// Whoever says "any" and names some has said two things.
#[test]
fn any_audience_and_a_named_one_do_not_go_together() {
    for issuer in [
        issuer().accept_any_audience(),
        Issuer::new(ISSUER, keys()).accept_any_audience().with_client_id(CLIENT),
        pool().with_client_id(CLIENT).issuer(keys()).accept_any_audience(),
    ] {
        let error = JwtAuthorizer::new(issuer).unwrap_err();
        assert!(matches!(error, JwtConfigError::Issuer { .. }), "{error}");
    }
    assert!(JwtAuthorizer::new(Issuer::new(ISSUER, keys()).accept_any_audience()).is_ok());
}

/// A gateway or a router may take two spellings for one route; then the weaker of two demands is not enough.
#[tokio::test]
async fn a_route_is_not_reached_through_a_weaker_one() {
    let clock = ManualClock::default();
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/admin", ["admin"])
        .and_then(|routes| routes.with_route(Method::GET, "/admin/@me", ["admin"]))
        .and_then(|routes| routes.with_route(AnyMethod, "/open/", []))
        .and_then(|routes| routes.with_route(AnyMethod, "/open", ["admin"]))
        .and_then(|routes| routes.with_route(Method::GET, "/files/secret/key", ["admin"]))
        .and_then(|routes| routes.with_route(AnyMethod, "/{rest+}", []))
        .unwrap();
    let anything_goes = routes.clone().with_other_routes([]).unwrap();
    let token = key().token(&claims(ISSUER, "orders", &clock));
    for routes in [routes, anything_goes] {
        let authorizer = HttpJwtAuthorizer::builder(ISSUER, keys())
            .with_audience("orders")
            .with_routes(routes)
            .with_clock(clock.clone())
            .build()
            .unwrap();
        let allows = async |resource: &str| {
            let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{resource}");
            let event: AuthorizerEvent = TokenEvent::new(arn.parse().unwrap(), token.as_str()).into();
            let arn = event.arn().clone();
            let response = authorizer.authorize(event).await.unwrap();
            response.policy().unwrap().evaluate(&arn) == Decision::Allow
        };
        for good in [
            "GET/x",
            "POST/x",
            "HEAD/x",
            "GET/x/",
            "GET/x/y/",
            "GET/a%20b",
            "GET/x%40y",
            "GET/open/",
            "GET/files/a%2Fb",
            "POST/admin",
        ] {
            assert!(allows(good).await, "{good}");
        }
        for bad in [
            "GET/admin",
            "GET/admin/",
            "HEAD/admin",
            "HEAD/admin/",
            "GET/%61dmin",
            "GET/%61dmin/",
            "GET/admin/%40me",
            "GET/admin/%40me/",
            "GET//admin",
            "GET/x//y",
            "GET/admin//",
            "GET/./admin",
            "GET/x/../admin",
            "GET/x/%2e%2e/admin",
            "GET/x/%2E./admin",
            "GET/files/secret%2Fkey",
            "GET/files/secret%2fkey",
        ] {
            assert!(!allows(bad).await, "{bad}");
        }
    }
}
/// An HTTP API may show a slash that was escaped in a parameter as a slash.
#[tokio::test]
async fn an_event_has_the_path_of_its_route_or_no_scope_will_do() {
    let clock = ManualClock::default();
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/users/{id}", ["admin"])
        .and_then(|routes| routes.with_route(Method::GET, "/users/{id}/avatar", ["user"]))
        .and_then(|routes| routes.with_route(Method::GET, "/files/{path+}", ["user"]))
        .and_then(|routes| routes.with_route(Method::GET, "/{path+}", ["admin"]))
        .and_then(|routes| routes.with_route(Method::GET, "/{tenant}", ["admin"]))
        .and_then(|routes| routes.with_route(Method::GET, "/health", []))
        .unwrap();
    let authorizer = HttpJwtAuthorizer::builder(ISSUER, keys()).with_audience("orders");
    let authorizer = authorizer.with_routes(routes).with_clock(clock.clone()).build().unwrap();
    let token = key().token(&with(claims(ISSUER, "orders", &clock), "scope", "user"));
    for (route, path, parameters, expected) in [
        ("GET /users/{id}/avatar", "/users/x/avatar", json!({"id": "x"}), Decision::Allow),
        ("GET /files/{path+}", "/files/a/b", json!({"path": "a/b"}), Decision::Allow),
        ("$default", "/users/x/avatar", json!({}), Decision::Allow),
        ("GET /users/{id}", "/users/x/avatar", json!({"id": "x/avatar"}), Decision::ImplicitDeny),
        ("GET /users/{id}", "/users/x/avatar", json!({"id": "x%2Favatar"}), Decision::ImplicitDeny),
        ("GET /users/{id}", "/users/x", json!({"id": "x"}), Decision::ImplicitDeny),
        // Sent as `/files%2Fa`, which is no file, and as `/%68ealth`.
        ("GET /{path+}", "/files/a", json!({"path": "files/a"}), Decision::ImplicitDeny),
        ("GET /{path+}", "/files/a", json!({"path": "files%2Fa"}), Decision::ImplicitDeny),
        ("GET /{tenant}", "/health", json!({"tenant": "health"}), Decision::ImplicitDeny),
        ("GET /health", "/health", json!({}), Decision::Allow),
    ] {
        let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET{path}");
        let template = route.trim_start_matches("GET ");
        let v2 = json!({
            "version": "2.0", "type": "REQUEST", "routeArn": arn, "identitySource": [token], "routeKey": route,
            "rawPath": path, "rawQueryString": "", "headers": {"authorization": token}, "pathParameters": parameters,
            "requestContext": {"http": {"method": "GET", "path": path}, "routeKey": route, "stage": "$default"},
        });
        let v1 = json!({
            "version": "1.0", "type": "REQUEST", "methodArn": arn, "identitySource": token, "resource": template,
            "path": path, "httpMethod": "GET", "headers": {"authorization": token}, "pathParameters": parameters,
            "requestContext": {"resourcePath": template, "stage": "$default"},
        });
        for event in [v1, v2] {
            let event = AuthorizerEvent::from_json(&event.to_string()).unwrap();
            let arn = event.arn().clone();
            let answer = authorizer.authorize(event).await.unwrap();
            assert_eq!(answer.policy().unwrap().evaluate(&arn), expected, "{route} {path} {parameters}");
        }
    }
}

/// A scope stands between quotation marks in a challenge.
#[tokio::test]
async fn a_scope_cannot_end_its_quotation() {
    for scope in ["a\"b", "a\\b", "a\", realm=\"b"] {
        assert!(RouteScopes::new().with_route(Method::GET, "/a", [scope]).is_err(), "{scope}");
        assert!(RouteScopes::new().with_other_routes([scope]).is_err(), "{scope}");
        let issuer = issuer().with_required_scope(scope);
        assert!(matches!(JwtAuthorizer::new(issuer), Err(JwtConfigError::Issuer { .. })), "{scope}");
    }
    let clock = ManualClock::default();
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(issuer().with_required_scope("orders:read"))
        .with_realm("a\", error=\"none\\")
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let token = format!("Bearer {}", key().token(&claims(ISSUER, "orders", &clock)));
    let response = layer.layer(counting(&Counter::default())).oneshot(get("/x", &token)).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        r#"Bearer realm="a\", error=\"none\\", error="insufficient_scope", scope="orders:read""#
    );
}

/// A claim takes its place in a path as text.
#[tokio::test]
async fn a_claim_is_no_pattern() {
    use tower_lambda_authorizer::jwt::Rule;

    let clock = ManualClock::default();
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(issuer())
        .with_rule(Rule::everyone().allow(AnyMethod, "/users/{tenant}/*"))
        .with_rule(Rule::everyone().allow(AnyMethod, "/trees/{tenant+}"))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    for tenant in [
        "*",
        "?",
        "a/*",
        "${aws:username}",
        "..",
        ".",
        "",
        "%2A",
        "a%2fb",
        "a:b",
        "{sub}",
        "a\nb",
        "é*",
        "a/../b",
    ] {
        let claims = with(claims(ISSUER, "orders", &clock), "tenant", tenant);
        let arn = |path: &str| format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET{path}");
        let event = TokenEvent::new(arn("/x").parse().unwrap(), format!("Bearer {}", key().token(&claims)));
        let response = authorizer.authorize(event.into()).await.unwrap();
        for path in [
            "/users/bob/x",
            "/users/a/x",
            "/users/a/b",
            "/users/b/x",
            "/users/",
            "/users//x",
            "/users/x",
            "/trees/bob",
            "/trees/a/b/c",
            "/trees/b",
            "/trees/",
            "/x",
            "/users/../x",
            "/users/%2A",
            "/users/alice/x",
        ] {
            let decision = response.policy().unwrap().evaluate(&arn(path).parse().unwrap());
            assert_eq!(decision, Decision::ImplicitDeny, "{tenant:?} {path}");
        }
    }
    // One that does not fit into a pattern takes nothing else away.
    let long = with(claims(ISSUER, "orders", &clock), "tenant", json!("é".repeat(64)));
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(issuer())
        .with_rule(Rule::everyone().allow(AnyMethod, "/tenants/{tenant}/and/{tenant}/*"))
        .with_rule(Rule::everyone().allow(Method::GET, "/x"))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/x";
    let event = TokenEvent::new(arn.parse().unwrap(), format!("Bearer {}", key().token(&long)));
    let response = authorizer.authorize(event.into()).await.unwrap();
    assert_eq!(response.policy().unwrap().evaluate(&arn.parse().unwrap()), Decision::Allow);
}
