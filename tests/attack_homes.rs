//! What a hostile review of tokens and of homes found: each test says what should be.
#![cfg(all(
    feature = "testing",
    feature = "jwks-http",
    feature = "lambda",
    feature = "lambda-http",
    feature = "axum"
))]

#[path = "backend/mod.rs"]
mod backend;
mod common;

use std::time::Duration;

use axum::Router;
use common::{Counter, counting, get, stage};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::{PayloadFormat, TokenEvent};
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::preset::RestCognitoAuthorizer;
use tower_lambda_authorizer::jwt::{HttpJwks, Issuer, JwtAuthorizer, KeySet, RouteScopes};
use tower_lambda_authorizer::lambda::{AuthorizerFunction, GatewayContextLayer, GatewayContextLayerBuilder};
use tower_lambda_authorizer::middleware::{Rejection, RejectionKind};
use tower_lambda_authorizer::testing::{FakeIssuer, TestKey, claims, cognito_id_claims, jwks};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

const ISSUER: &str = "https://id.example.com/";

fn key() -> TestKey {
    TestKey::rs256("k1")
}

fn keys() -> KeySet {
    KeySet::from_jwks(jwks([&key()]).as_bytes()).unwrap()
}

/// F2. A token that may be ten minutes old is not served from a cache when it is fifty minutes old.
#[tokio::test]
async fn a_kept_answer_ends_with_the_age_a_token_may_have() {
    let clock = ManualClock::default();
    let issuer =
        Issuer::new(ISSUER, keys()).with_audience("orders").with_max_token_age(Duration::from_secs(600));
    let authorizer = JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
    let token = format!("Bearer {}", key().token(&claims(ISSUER, "orders", &clock)));

    let event = |token: &str| {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/a".parse().unwrap();
        AuthorizerEvent::from(TokenEvent::new(arn, token))
    };
    let max_age = authorizer.authorize(event(&token)).await.unwrap().max_age().unwrap();

    let layer = AuthorizerLayer::token(authorizer.clone(), stage())
        .with_clock(clock.clone())
        .with_cache(MemoryCache::builder().build())
        .with_cache_ttl(Duration::from_secs(3600))
        .build()
        .unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    let response = service.clone().oneshot(get("/a", &token)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    clock.advance(Duration::from_secs(3000));
    assert!(authorizer.authorize(event(&token)).await.is_err(), "the token itself is too old");
    let response = service.clone().oneshot(get("/a", &token)).await.unwrap();
    assert_eq!((max_age, response.status()), (Duration::from_secs(600), StatusCode::UNAUTHORIZED));
}

fn rest() -> ApiStage {
    ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

fn http() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

async fn outcome(
    layer: GatewayContextLayerBuilder,
    event: &Value,
) -> Result<(String, String), RejectionKind> {
    let router = Router::new().fallback(async |principal: Principal, request: Request<axum::body::Body>| {
        format!("{} {}", principal.id(), request.uri().path())
    });
    let response = layer.build().unwrap().layer(router).oneshot(backend::read(event)).await.unwrap();
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        return Err(rejection.kind());
    }
    let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (who, path) = text.split_once(' ').unwrap();
    Ok((who.to_owned(), path.to_owned()))
}

/// F1. Behind a mapping `v1`, the API's own address is still there: what a client asks for as `/v1/admin` there is asked
/// about as `/v1/admin`, while the same path of the mapped domain is asked about as `/admin`. A policy that denies
/// `/admin` knows nothing of the first.
#[tokio::test]
async fn the_api_s_own_address_is_no_way_around_a_policy_about_a_mapped_path() {
    let stage = || rest().with_custom_domain("api.example.com").unwrap().with_base_path("/v1").unwrap();
    let request = Request::get("/v1/admin").header("host", "api.example.com").body(()).unwrap();
    let me = json!({"principalId": "me"});

    // Through the mapped domain: no stage in `requestContext.path`, ARN `GET/admin`.
    let mut mapped = backend::event(&stage(), PayloadFormat::V1, &request, Some(me.clone()));
    mapped["pathParameters"] = json!({"proxy": "admin"});
    mapped["requestContext"]["path"] = "/v1/admin".into();
    assert_eq!(
        outcome(GatewayContextLayer::builder(stage()), &mapped).await,
        Ok(("me".into(), "/v1/admin".into()))
    );

    // Through the API's own address: ARN `GET/v1/admin`.
    let mut own = mapped.clone();
    let address = "abcdef123.execute-api.us-east-1.amazonaws.com";
    own["pathParameters"] = json!({"proxy": "v1/admin"});
    own["headers"] = json!({ "host": address });
    own["multiValueHeaders"] = json!({ "host": [address] });
    own["requestContext"]["domainName"] = address.into();
    own["requestContext"]["path"] = "/prod/v1/admin".into();
    let got = outcome(GatewayContextLayer::builder(stage()), &own).await;

    // What the same policy says where this crate asks.
    let layer = AuthorizerLayer::request(
        authorizer_fn(async |event: AuthorizerEvent| {
            let policy = event.policy().allow(tower_lambda_authorizer::policy::AnyMethod, "/*");
            let policy = policy.deny(Method::GET, "/admin*").build()?;
            Ok(AuthorizerResponse::new("me", policy)?)
        }),
        stage(),
    );
    let calls = Counter::default();
    let service = layer.build().unwrap().layer(counting(&calls));
    let denied = service.oneshot(Request::get("/v1/admin").body(()).unwrap()).await.unwrap();
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);

    assert!(got.is_err(), "served {got:?}, about which the gateway has asked as `GET/v1/admin`");
}

/// F3. A context that has an object called `claims` is that of a Lambda authorizer if the gateway says so.
#[tokio::test]
async fn a_context_with_claims_in_it_does_not_replace_the_principal_and_the_expiry() {
    // Of our own function: format 2.0 reserves neither `claims` nor `scopes`.
    let clock = ManualClock::new(Duration::from_secs(1_767_225_600));
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let policy = event.policy().allow(tower_lambda_authorizer::policy::AnyMethod, "/*").build()?;
        let claims = tower_lambda_authorizer::contract::ContextValue::from(json!({"sub": "alice"}));
        Ok(AuthorizerResponse::new("https://idp-2.example#alice", policy)?
            .with_context("claims", claims)
            .with_max_age(Duration::from_secs(60)))
    });
    let function = AuthorizerFunction::new(authorizer).with_clock(clock.clone());
    let asked = r#"{"version":"2.0","type":"REQUEST","headers":{},
        "routeArn":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users"}"#;
    let answer: Value = serde_json::from_str(function.invoke(asked).await.unwrap().get()).unwrap();
    // The integration has format 1.0: the gateway writes the context side by side.
    let said = backend::authorizer(http().kind(), PayloadFormat::V1, &answer);
    let request = Request::get("/users").header("host", "api.example.com").body(()).unwrap();
    let event = backend::event(&http(), PayloadFormat::V1, &request, Some(said));
    let layer = || {
        GatewayContextLayer::builder(http()).with_payload_format(PayloadFormat::V1).with_clock(clock.clone())
    };
    let fresh = outcome(layer(), &event).await;
    clock.advance(Duration::from_secs(100_000));
    let stale = outcome(layer(), &event).await;
    assert_eq!(
        (fresh, stale),
        (Ok(("https://idp-2.example#alice".into(), "/users".into())), Err(RejectionKind::ExpiredAnswer))
    );
}

/// F4. What a Cognito authorizer of a REST API really says (amazon-archives/amazon-cognito-identity-js#92).
#[tokio::test]
async fn the_times_of_a_cognito_authorizer_are_dates() {
    let claims = json!({
        "sub": "cdad23f0", "aud": "clm2h5m9", "email_verified": "true", "token_use": "id",
        "auth_time": "1469814773", "exp": "Fri Jul 29 18:52:53 UTC 2016", "iat": "Fri Jul 29 17:52:53 UTC 2016",
    });
    let request = Request::get("/users").header("host", "api.example.com").body(()).unwrap();
    let event = backend::event(&rest(), PayloadFormat::V1, &request, Some(json!({ "claims": claims })));
    // 18:52:53 is 1469818373.
    for (now, expected) in [
        (1_469_818_372, Ok(("cdad23f0".to_owned(), "/users".to_owned()))),
        (1_469_818_373, Err(RejectionKind::ExpiredAnswer)),
    ] {
        let clock = ManualClock::new(Duration::from_secs(now));
        let got = outcome(GatewayContextLayer::builder(rest()).with_clock(clock), &event).await;
        assert_eq!(got, expected, "{now}");
    }
}

/// F5. An answer that is about one route is not given to who asks for another at the same time.
#[tokio::test]
async fn a_refusal_that_is_about_a_route_is_not_shared() {
    const POOL: &str = "us-east-1_pool";
    let clock = ManualClock::default();
    let issuer = FakeIssuer::start().unwrap();
    issuer.set_keys(jwks([&key()]));
    issuer.hold();
    let pool = UserPool::new("us-east-1", POOL).unwrap().with_client_id("client");
    let jwks = HttpJwks::new(issuer.jwks_url()).with_clock(clock.clone()).build().unwrap();
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/profile", [])
        .and_then(|routes| routes.with_route(Method::GET, "/orders", ["orders/read"]))
        .unwrap();
    let authorizer = RestCognitoAuthorizer::builder()
        .with_pool(pool, jwks)
        .with_routes(routes)
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_cache(MemoryCache::builder().build())
        .build()
        .unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    let token = format!("Bearer {}", key().token(&cognito_id_claims(POOL, "client", &clock)));
    let orders = tokio::spawn(service.clone().oneshot(get("/orders", &token)));
    issuer.requested(1).await;
    let profile = tokio::spawn(service.clone().oneshot(get("/profile", &token)));
    tokio::task::yield_now().await;
    issuer.release();
    assert_eq!(orders.await.unwrap().unwrap().status(), StatusCode::UNAUTHORIZED);
    let status = profile.await.unwrap().unwrap().status();
    let again = service.clone().oneshot(get("/profile", &token)).await.unwrap().status();
    assert_eq!((again, status), (StatusCode::OK, StatusCode::OK));
    let _ = clock.wall();
}

/// F6. No event makes a reader panic, however many headers it has.
#[tokio::test]
async fn an_event_with_more_headers_than_a_map_holds_is_an_error() {
    let headers: serde_json::Map<String, Value> =
        (0..40_000).map(|number| (format!("x-{number}"), Value::from("a"))).collect();
    let event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/a",
        "headers": headers,
    })
    .to_string();
    let read = std::panic::catch_unwind(|| AuthorizerEvent::from_json(&event).is_err());
    assert_eq!(read.ok(), Some(true));
}

/// F9. What a REST API's Cognito authorizer hands on: a list with commas (aws/chalice#783), times as dates.
#[tokio::test]
async fn a_rest_api_prints_claims_of_a_pool_as_it_does() {
    let clock = ManualClock::new(Duration::from_secs(1_469_814_773));
    let pool = UserPool::new("us-east-1", "us-east-1_pool").unwrap().with_client_id("client");
    let authorizer =
        RestCognitoAuthorizer::builder().with_pool(pool, keys()).with_clock(clock.clone()).build().unwrap();
    let mut claims = cognito_id_claims("us-east-1_pool", "client", &clock);
    claims["cognito:groups"] = json!(["test", "test2"]);
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/a".parse().unwrap();
    let response = authorizer
        .authorize(TokenEvent::new(arn, format!("Bearer {}", key().token(&claims))).into())
        .await
        .unwrap();
    let text = |name: &str| response.context().get(name).and_then(|value| value.as_str()).map(str::to_owned);
    assert_eq!(
        (text("cognito:groups"), text("exp")),
        (Some("test,test2".into()), Some("Fri Jul 29 18:52:53 UTC 2016".into()))
    );
}

/// F10. What a function of somebody else's says is one short line in a log.
#[test]
fn a_message_about_an_answer_is_short_and_printable() {
    use tower_lambda_authorizer::contract::ResponseRules;
    let key = format!("a\\nERROR forged {}", "x".repeat(100_000));
    let answer = format!(
        r#"{{"principalId":"me","policyDocument":{{"Version":"2012-10-17","Statement":[]}},"context":{{"{key}":[]}}}}"#
    );
    let error = AuthorizerResponse::from_json(&answer, &ResponseRules::rest()).unwrap_err();
    let (text, location) = (error.to_string(), error.location());
    assert!(
        text.len() < 1024 && !text.contains(char::is_control) && !location.contains(char::is_control),
        "{} bytes, {:?}",
        text.len(),
        text.chars().take(40).collect::<String>()
    );
}
