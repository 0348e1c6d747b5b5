//! Cognito user pools, and the three presets that do what API Gateway's own authorizers do.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

mod common;

use std::error::Error;
use std::time::Duration;

use common::{Counter, counting};
use http::header::WWW_AUTHENTICATE;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::{PayloadFormat, ResponseRules, TokenEvent};
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::preset::{
    HttpJwtAuthorizer, HttpJwtAuthorizerBuilder, RestCognitoAuthorizer, RestCognitoAuthorizerBuilder,
    RestJwtAuthorizer,
};
use tower_lambda_authorizer::jwt::{
    Algorithm, Issuer, JwtAuthorizer, JwtConfigError, JwtError, JwtReason, KeySet, RouteScopes, TokenSource,
    TokenUse,
};
use tower_lambda_authorizer::policy::{AnyMethod, Decision};
use tower_lambda_authorizer::testing::{
    TestKey, TestToken, claims, cognito_access_claims, cognito_id_claims, jwks,
};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
};

const POOL: &str = "eu-central-1_AbCdEfGhI";
const OTHER_POOL: &str = "us-east-1_Zyxwvutsr";
const ISSUER: &str = "https://id.example.com/";

fn key() -> TestKey {
    TestKey::rs256("k1")
}

fn keys(keys: &[&TestKey]) -> KeySet {
    KeySet::from_jwks(jwks(keys.iter().copied()).as_bytes()).unwrap()
}

fn pool() -> UserPool {
    UserPool::new("eu-central-1", POOL).unwrap().with_client_id("app")
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(&name),
            value => claims.as_object_mut().unwrap().insert(name, value),
        };
    }
    claims
}

fn arn(resource: &str) -> tower_lambda_authorizer::policy::ExecuteApiArn {
    format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{resource}").parse().unwrap()
}

async fn ask(
    authorizer: &impl Authorizer,
    resource: &str,
    header: &str,
) -> Result<AuthorizerResponse, AuthorizerError> {
    authorizer.authorize(AuthorizerEvent::from(TokenEvent::new(arn(resource), header))).await
}

fn allows(response: &AuthorizerResponse, resource: &str) -> bool {
    response.policy().unwrap().evaluate(&arn(resource)) == Decision::Allow
}

fn reason(error: &AuthorizerError) -> JwtReason {
    error.source().unwrap().downcast_ref::<JwtError>().unwrap().reason()
}

fn text<'r>(response: &'r AuthorizerResponse, name: &str) -> Option<&'r str> {
    response.context().get(name).and_then(|value| value.as_str())
}

#[tokio::test]
async fn a_pool_accepts_tokens_of_its_clients_and_of_one_use() {
    let clock = ManualClock::default();
    let authorizer = |token_use: TokenUse| {
        JwtAuthorizer::builder()
            .with_issuer(pool().with_token_use(token_use).issuer(keys(&[&key()])))
            .with_clock(clock.clone())
            .build()
            .unwrap()
    };
    let (access, id, either) =
        (authorizer(TokenUse::Access), authorizer(TokenUse::Id), authorizer(TokenUse::Either));
    let access_token =
        |changes: Value| key().token(&changed(cognito_access_claims(POOL, "app", &clock), changes));
    let id_token = |changes: Value| key().token(&changed(cognito_id_claims(POOL, "app", &clock), changes));
    for (authorizer, token, expected) in [
        (&access, access_token(json!({})), None),
        (&access, id_token(json!({})), Some(JwtReason::TokenUse)),
        (&id, id_token(json!({})), None),
        (&id, access_token(json!({})), Some(JwtReason::TokenUse)),
        (&either, access_token(json!({})), None),
        (&either, id_token(json!({})), None),
        (&either, access_token(json!({"token_use": null})), Some(JwtReason::TokenUse)),
        (&either, access_token(json!({"token_use": "refresh"})), Some(JwtReason::TokenUse)),
        (&either, access_token(json!({"token_use": ["access"]})), Some(JwtReason::TokenUse)),
        (&access, access_token(json!({"client_id": "other"})), Some(JwtReason::Client)),
        (&access, access_token(json!({"client_id": null})), Some(JwtReason::Client)),
        (&access, access_token(json!({"client_id": null, "aud": "app"})), Some(JwtReason::Client)),
        (&id, id_token(json!({"aud": "other"})), Some(JwtReason::Audience)),
        (&id, id_token(json!({"aud": null, "client_id": "app"})), Some(JwtReason::Audience)),
        (&access, key().token(&cognito_access_claims(OTHER_POOL, "app", &clock)), Some(JwtReason::Issuer)),
        (
            &access,
            access_token(
                json!({"iss": format!("https://issuer-cognito-idp.eu-central-1.amazonaws.com/{POOL}")}),
            ),
            None,
        ),
        (
            &access,
            TestKey::rs512("k1").token(&cognito_access_claims(POOL, "app", &clock)),
            Some(JwtReason::Algorithm),
        ),
    ] {
        assert_eq!(authorizer.verify(&token).await.err().map(|error| error.reason()), expected, "{token}");
    }
    let claims =
        access.verify(&access_token(json!({"cognito:groups": ["a", "b"], "scope": "x y"}))).await.unwrap();
    assert_eq!(claims.groups().collect::<Vec<_>>(), ["a", "b"]);
    assert!(claims.has_scope("y") && !claims.has_scope("x y"));
    let nobody = UserPool::new("eu-central-1", POOL).unwrap();
    assert!(matches!(
        JwtAuthorizer::new(nobody.clone().issuer(keys(&[&key()]))),
        Err(JwtConfigError::Issuer { problem, .. }) if problem.contains("client")
    ));
    assert!(JwtAuthorizer::new(nobody.accept_any_client().issuer(keys(&[&key()]))).is_ok());
}

#[tokio::test]
async fn several_pools_keep_their_clients_apart() {
    let clock = ManualClock::default();
    let other_key = key().other();
    let other = UserPool::new("us-east-1", OTHER_POOL).unwrap().with_client_id("other");
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(pool().issuer(keys(&[&key()])))
        .with_issuer(other.clone().issuer(keys(&[&other_key])))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let verify = async |key: &TestKey, pool: &str, client: &str| {
        let token = key.token(&cognito_access_claims(pool, client, &clock));
        authorizer.verify(&token).await.err().map(|error| error.reason())
    };
    assert_eq!(verify(&key(), POOL, "app").await, None);
    assert_eq!(verify(&other_key, OTHER_POOL, "other").await, None);
    assert_eq!(verify(&key(), POOL, "other").await, Some(JwtReason::Client));
    assert_eq!(verify(&key(), OTHER_POOL, "other").await, Some(JwtReason::Signature));
    // Both spellings of a pool are its name.
    let pinned =
        UserPool::from_issuer(&format!("https://issuer-cognito-idp.us-east-1.amazonaws.com/{OTHER_POOL}"))
            .unwrap();
    let twice = JwtAuthorizer::builder()
        .with_issuer(other.issuer(keys(&[&key()])))
        .with_issuer(pinned.with_client_id("x").issuer(keys(&[&key()])))
        .build();
    assert!(matches!(twice, Err(JwtConfigError::DuplicateIssuer { .. })));
}

fn rest_cognito(clock: &ManualClock) -> RestCognitoAuthorizerBuilder {
    RestCognitoAuthorizer::builder().with_pool(pool(), keys(&[&key()])).with_clock(clock.clone())
}

#[tokio::test]
async fn rest_methods_without_scopes_take_id_tokens_and_others_access_tokens() {
    let clock = ManualClock::default();
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/profile", [])
        .and_then(|routes| routes.with_route(Method::GET, "/orders/{id}", ["orders/read", "orders/all"]))
        .unwrap();
    let authorizer = rest_cognito(&clock).with_routes(routes).build().unwrap();
    assert_eq!(authorizer.challenge(), None);
    let id = key().token(&cognito_id_claims(POOL, "app", &clock));
    let access = |scope: &str| {
        key().token(&changed(cognito_access_claims(POOL, "app", &clock), json!({"scope": scope})))
    };
    let profile = ask(&authorizer, "GET/profile", &id).await.unwrap();
    assert!(
        allows(&profile, "GET/profile")
            && !allows(&profile, "GET/orders/1")
            && !allows(&profile, "PUT/profile")
    );
    assert_eq!(profile.max_age(), Some(Duration::ZERO));
    let orders =
        ask(&authorizer, "GET/orders/7", &format!("Bearer {}", access("x orders/all"))).await.unwrap();
    assert!(allows(&orders, "GET/orders/7") && !allows(&orders, "GET/orders/8"));
    for (resource, token, expected) in [
        ("GET/profile", access("orders/read"), JwtReason::TokenUse),
        ("GET/orders/7", id.clone(), JwtReason::TokenUse),
        ("GET/orders/7", access("orders"), JwtReason::Scope),
        ("GET/orders/7", access("orders/read2 ORDERS/READ"), JwtReason::Scope),
    ] {
        let error = ask(&authorizer, resource, &token).await.unwrap_err();
        assert_eq!(
            (reason(&error), error.challenge(), error.message()),
            (expected, None, None),
            "{resource}"
        );
    }
    // What no method covers is denied, whatever the token.
    for resource in ["POST/profile", "GET/orders", "GET/orders/7/lines", "GET/"] {
        let denied = ask(&authorizer, resource, &id).await.unwrap();
        assert!(denied.policy().unwrap().statements().is_empty(), "{resource}");
    }
}

#[tokio::test]
async fn rest_users_are_told_that_their_token_has_expired_and_nothing_else() {
    let clock = ManualClock::default();
    let authorizer = rest_cognito(&clock).build().unwrap();
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let calls = Counter::default();
    let layer = AuthorizerLayer::token(authorizer, stage).with_clock(clock.clone()).build().unwrap();
    let service = layer.layer(counting(&calls));
    let good = cognito_id_claims(POOL, "app", &clock);
    let expired = key().token(&changed(good.clone(), json!({"exp": 1})));
    let wrong = key().other().token(&good);
    for (header, body) in [
        (expired, "The incoming token has expired"),
        (wrong, "Unauthorized"),
        ("x".to_owned(), "Unauthorized"),
        (String::new(), "Unauthorized"),
    ] {
        let response = service.clone().oneshot(common::get("/x", &header)).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(*response.body(), format!(r#"{{"message":"{body}"}}"#));
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }
    assert_eq!(calls.count(), 0);
    let response = service.oneshot(common::get("/x", &key().token(&good))).await.unwrap();
    assert_eq!((response.status(), calls.count()), (StatusCode::OK, 1));
}

#[tokio::test]
async fn rest_claims_are_text_in_the_context() {
    let clock = ManualClock::default();
    let authorizer = rest_cognito(&clock).build().unwrap();
    let changes =
        json!({"cognito:groups": ["a", "b"], "principalId": "mallory", "claims": "x", "custom:n": "1"});
    let mut claims = changed(cognito_id_claims(POOL, "app", &clock), changes);
    claims["nothing"] = Value::Null;
    let response = ask(&authorizer, "GET/x", &key().token(&claims)).await.unwrap();
    assert_eq!(text(&response, "cognito:groups"), Some("a,b"));
    assert_eq!(text(&response, "email_verified"), Some("true"));
    // An hour after the start of 2026.
    assert_eq!(text(&response, "exp"), Some("Thu Jan 01 01:00:00 UTC 2026"));
    assert_eq!(text(&response, "iat"), Some("Thu Jan 01 00:00:00 UTC 2026"));
    assert_eq!(text(&response, "custom:n"), Some("1"));
    assert!(["principalId", "claims", "nothing"].iter().all(|name| response.context().get(name).is_none()));
    assert_eq!(response.principal_id(), response.context().get("sub").and_then(|sub| sub.as_str()));
    assert_eq!(response.max_age(), Some(Duration::from_secs(3600)));
    assert!(allows(&response, "DELETE/anything"));
    let http = [PayloadFormat::V1, PayloadFormat::V2].map(ResponseRules::http);
    for rules in [ResponseRules::rest(), ResponseRules::websocket()].into_iter().chain(http) {
        response.check(&rules).unwrap();
    }
}

#[tokio::test]
async fn the_identity_validation_expression_is_matched_against_the_audience() {
    let clock = ManualClock::default();
    let routes = RouteScopes::new()
        .with_route(AnyMethod, "/open", [])
        .and_then(|routes| routes.with_route(AnyMethod, "/scoped", ["s"]))
        .unwrap();
    let any = UserPool::new("eu-central-1", POOL).unwrap().accept_any_client();
    let authorizer = RestCognitoAuthorizer::builder()
        .with_pool(any, keys(&[&key()]))
        .with_identity_validation_expression("app[0-9]+")
        .with_routes(routes)
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let id = |client: &str| key().token(&cognito_id_claims(POOL, client, &clock));
    assert!(ask(&authorizer, "GET/open", &id("app12")).await.is_ok());
    for client in ["app", "xapp1", "app1x"] {
        let error = ask(&authorizer, "GET/open", &id(client)).await.unwrap_err();
        assert_eq!(reason(&error), JwtReason::Audience, "{client}");
    }
    let access = changed(cognito_access_claims(POOL, "app1", &clock), json!({"scope": "s"}));
    let error = ask(&authorizer, "GET/scoped", &key().token(&access)).await.unwrap_err();
    assert_eq!(reason(&error), JwtReason::Audience);
    let wrong = rest_cognito(&clock).with_identity_validation_expression("(").build();
    assert!(matches!(wrong, Err(JwtConfigError::Expression(_))));
}

fn http_jwt(clock: &ManualClock) -> HttpJwtAuthorizerBuilder {
    HttpJwtAuthorizer::builder(ISSUER, keys(&[&key(), &TestKey::es256("ec")]))
        .with_audience("orders")
        .with_audience("client")
        .with_clock(clock.clone())
}

#[tokio::test]
async fn an_http_api_checks_what_aws_says_it_checks() {
    let clock = ManualClock::default();
    let authorizer = http_jwt(&clock).build().unwrap();
    let now = clock.wall().as_secs();
    let good = claims(ISSUER, "orders", &clock);
    let with = |changes: Value| key().token(&changed(good.clone(), changes));
    for (token, expected) in [
        (with(json!({})), None),
        (TestKey::rs512("k1").token(&good), Some(JwtReason::Algorithm)),
        (TestKey::ps256("k1").token(&good), Some(JwtReason::Algorithm)),
        (TestKey::es256("ec").token(&good), Some(JwtReason::Algorithm)),
        (TestToken::new(&good).without_header("kid").signed_by(&key()), Some(JwtReason::Key)),
        (with(json!({"aud": ["x", "client"]})), None),
        (with(json!({"aud": null, "client_id": "client"})), None),
        (with(json!({"aud": "x", "client_id": "client"})), Some(JwtReason::Audience)),
        (with(json!({"aud": null, "client_id": "x"})), Some(JwtReason::Audience)),
        (with(json!({"aud": null})), Some(JwtReason::Audience)),
        (with(json!({"exp": now})), Some(JwtReason::Expired)),
        (with(json!({"exp": now + 1})), None),
        (with(json!({"nbf": now + 5})), None),
        (with(json!({"nbf": now + 6})), Some(JwtReason::NotYetValid)),
        (with(json!({"iat": now + 5})), None),
        (with(json!({"iat": now + 6})), Some(JwtReason::IssuedInFuture)),
        (with(json!({"token_use": "id"})), None),
    ] {
        let found = ask(&authorizer, "GET/x", &token).await;
        assert_eq!(found.as_ref().err().map(reason), expected, "{token}");
    }
    // `alg` in a key set binds the key; without it any RSA algorithm with PKCS #1 v1.5 will do.
    let pem = KeySet::from_pem(key().public_pem().as_bytes()).unwrap().with_kid("k1").unwrap();
    let authorizer =
        HttpJwtAuthorizer::builder(ISSUER, pem).with_audience("orders").with_clock(clock.clone());
    let authorizer = authorizer.build().unwrap();
    assert!(ask(&authorizer, "GET/x", &TestKey::rs512("k1").token(&good)).await.is_ok());
    assert_eq!(
        ask(&authorizer, "GET/x", &TestKey::ps256("k1").token(&good)).await.as_ref().err().map(reason),
        Some(JwtReason::Algorithm)
    );
    assert!(HttpJwtAuthorizer::builder(ISSUER, keys(&[&key()])).build().is_err());
    for name in ["http://id.example.com", "id.example.com", "https://id.example.com/?a", "not a url"] {
        let builder = HttpJwtAuthorizer::builder(name, keys(&[&key()])).with_audience("orders");
        assert!(matches!(builder.build(), Err(JwtConfigError::Issuer { .. })), "{name}");
    }
}

#[tokio::test]
async fn rest_apis_forgive_clocks_that_differ_by_five_seconds() {
    let clock = ManualClock::default();
    let now = clock.wall().as_secs();
    let cognito = rest_cognito(&clock).build().unwrap();
    let jwt = RestJwtAuthorizer::builder([Algorithm::Rs256])
        .with_issuer(Issuer::new(ISSUER, keys(&[&key()])).with_audience("orders"))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    for (changes, expected) in [
        (json!({"exp": now - 4}), None),
        (json!({"exp": now - 5}), Some(JwtReason::Expired)),
        (json!({"nbf": now + 5}), None),
        (json!({"nbf": now + 6}), Some(JwtReason::NotYetValid)),
        (json!({"iat": now + 5}), None),
        (json!({"iat": now + 6}), Some(JwtReason::IssuedInFuture)),
    ] {
        let id = key().token(&changed(cognito_id_claims(POOL, "app", &clock), changes.clone()));
        let own = key().token(&changed(claims(ISSUER, "orders", &clock), changes.clone()));
        let found = ask(&cognito, "GET/x", &id).await;
        assert_eq!(found.as_ref().err().map(reason), expected, "Cognito: {changes}");
        let found = ask(&jwt, "GET/x", &own).await;
        assert_eq!(found.as_ref().err().map(reason), expected, "JWT: {changes}");
    }
}

#[tokio::test]
async fn an_http_api_answers_in_the_spelling_of_aws() {
    let clock = ManualClock::default();
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/orders", ["read", "all"])
        .and_then(|routes| routes.with_route(Method::GET, "/open", []))
        .unwrap();
    let authorizer = http_jwt(&clock).with_routes(routes).build().unwrap();
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let calls = Counter::default();
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_identity_sources(["$request.header.Authorization".parse().unwrap()])
        .with_cache(MemoryCache::builder().build())
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let service = layer.layer(counting(&calls));
    let good = claims(ISSUER, "orders", &clock);
    let with = |changes: Value| key().token(&changed(good.clone(), changes));
    let invalid =
        |text: &str| Some(format!(r#"Bearer scope="" error="invalid_token" error_description="{text}""#));
    for (path, header, status, challenge) in [
        ("/open", None, 401, Some("Bearer".to_owned())),
        ("/open", Some("Basic YTpi".to_owned()), 401, Some("Bearer".to_owned())),
        ("/open", Some(with(json!({"aud": "x"}))), 401, invalid("the token does not have a valid audience")),
        ("/open", Some(with(json!({"exp": 1}))), 401, invalid("the token has expired")),
        ("/open", Some(with(json!({}))), 200, None),
        ("/open", Some(format!("Bearer {}", with(json!({})))), 200, None),
        ("/orders", Some(with(json!({"scope": "x all"}))), 200, None),
        ("/orders", Some(with(json!({"scp": ["read"]}))), 200, None),
        (
            "/orders",
            Some(with(json!({"scope": "x"}))),
            403,
            Some(
                r#"Bearer scope="read all" error="insufficient_scope" error_description="the token has none of the scopes that are needed""#
                    .to_owned(),
            ),
        ),
        ("/elsewhere", Some(with(json!({"scope": "all"}))), 403, None),
    ] {
        let mut request = Request::get(path);
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let response = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
        let found = response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), found), (status, challenge), "{path} {header:?}");
        let body = match status {
            401 => r#"{"message":"Unauthorized"}"#,
            403 => r#"{"message":"Forbidden"}"#,
            _ => "alice",
        };
        assert_eq!(response.body(), body);
    }
    // The same token, cached for one route, is asked about again for another.
    let token = with(json!({"scope": "all"}));
    for path in ["/open", "/orders", "/open", "/orders"] {
        let response = service.clone().oneshot(common::get(path, &token)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn an_http_api_prints_claims_as_aws_does() {
    let clock = ManualClock::default();
    let authorizer = http_jwt(&clock).build().unwrap();
    let changes = json!({"groups": ["admin", "poweruser"], "exp": 1_787_996_002, "vip": true});
    let token = key().token(&changed(claims(ISSUER, "orders", &clock), changes));
    let response = ask(&authorizer, "GET/x", &token).await.unwrap();
    assert_eq!(text(&response, "groups"), Some("[admin poweruser]"));
    assert_eq!((text(&response, "exp"), text(&response, "vip")), (Some("1787996002"), Some("true")));
    // A machine has no subject: it is its client, or nobody.
    let machine = changed(claims(ISSUER, "orders", &clock), json!({"sub": null, "client_id": "m"}));
    assert_eq!(ask(&authorizer, "GET/x", &key().token(&machine)).await.unwrap().principal_id(), Some("m"));
    let nobody = changed(machine, json!({"client_id": null}));
    assert_eq!(ask(&authorizer, "GET/x", &key().token(&nobody)).await.unwrap().principal_id(), None);
}

#[tokio::test]
async fn an_http_token_can_come_in_the_query() {
    let clock = ManualClock::default();
    let authorizer = http_jwt(&clock).with_token_source(TokenSource::query_parameter("t")).build().unwrap();
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_identity_sources(["$request.querystring.t".parse().unwrap()])
        .build()
        .unwrap();
    let token = key().token(&claims(ISSUER, "orders", &clock));
    let request = Request::get(format!("/x?t={token}")).body(()).unwrap();
    let response = layer.layer(counting(&Counter::default())).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_rest_api_trusts_several_issuers_with_claims_of_their_own() {
    let clock = ManualClock::default();
    let pool_name = format!("https://cognito-idp.eu-central-1.amazonaws.com/{POOL}");
    let ec = TestKey::es256("ec");
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/orders", ["orders:read", "orders/read"])
        .and_then(|routes| routes.with_other_routes([]))
        .unwrap();
    let authorizer = RestJwtAuthorizer::builder([Algorithm::Rs256])
        .with_issuer(
            Issuer::new(ISSUER, keys(&[&ec])).with_audience("orders").with_algorithms([Algorithm::Es256]),
        )
        .with_issuer(
            Issuer::new(&pool_name, keys(&[&key()]))
                .with_audience("app")
                .with_required_claim("token_use", "access"),
        )
        .with_routes(routes)
        .with_clock(clock.clone())
        .build()
        .unwrap();
    assert_eq!(authorizer.challenge(), None);
    let own = |changes: Value| ec.token(&changed(claims(ISSUER, "orders", &clock), changes));
    let cognito = |changes: Value| key().token(&changed(cognito_access_claims(POOL, "app", &clock), changes));
    let id = key().token(&cognito_id_claims(POOL, "app", &clock));
    for (resource, token, outcome) in [
        ("GET/orders", own(json!({"scope": "orders:read"})), Ok(true)),
        ("GET/orders", own(json!({"scp": "orders/read"})), Ok(true)),
        ("GET/orders", own(json!({})), Ok(false)),
        ("GET/other", own(json!({})), Ok(true)),
        ("GET/orders", cognito(json!({"scope": "orders/read"})), Ok(true)),
        ("GET/other", cognito(json!({"client_id": "x"})), Err(JwtReason::Audience)),
        ("GET/other", id, Err(JwtReason::Claim)),
        ("GET/other", own(json!({"iss": pool_name})), Err(JwtReason::Algorithm)),
        ("GET/other", own(json!({"sub": null})), Err(JwtReason::Principal)),
    ] {
        let found = ask(&authorizer, resource, &token).await;
        let found = found.as_ref().map(|response| allows(response, resource)).map_err(reason);
        assert_eq!(found, outcome, "{resource} {token}");
    }
    let with = |issuer: Issuer| RestJwtAuthorizer::builder([Algorithm::Rs256]).with_issuer(issuer).build();
    let named = |name: &str| Issuer::new(name, keys(&[&key()])).with_audience("x");
    assert!(with(named("https://id.example.com")).is_ok());
    for bad in
        ["id.example.com", "http://id.example.com", "https://id.example.com/?a", "https://id.example.com/#a"]
    {
        assert!(with(named(bad)).is_err(), "{bad}");
    }
    assert!(with(Issuer::new(ISSUER, keys(&[&key()]))).is_err());
    assert!(with(Issuer::new(ISSUER, keys(&[&key()])).accept_any_audience()).is_err());
    assert!(with(named(ISSUER).with_client_id("x")).is_err());
    let secret = Issuer::new(ISSUER, KeySet::from_hmac_secret(&[7; 32]).unwrap()).with_audience("x");
    assert!(with(secret.with_algorithms([Algorithm::Hs256])).is_err());
}

#[tokio::test]
async fn a_websocket_connection_has_no_route_with_scopes() {
    let clock = ManualClock::default();
    let token = key().token(&claims(ISSUER, "orders", &clock));
    let open = http_jwt(&clock).build().unwrap();
    assert!(allows(&ask(&open, "$connect", &token).await.unwrap(), "$connect"));
    let routes = RouteScopes::new().with_route(AnyMethod, "/{all+}", []).unwrap();
    let routed = http_jwt(&clock).with_routes(routes).build().unwrap();
    assert!(!allows(&ask(&routed, "$connect", &token).await.unwrap(), "$connect"));
}
