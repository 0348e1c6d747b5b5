//! A handler in Lambda behind a real gateway: what reaches it, and what it reads.

#[path = "backend/mod.rs"]
mod backend;
#[path = "common/mod.rs"]
mod common;

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::{Json, Router};
use common::Counter;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use lambda_http::LambdaEvent;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::axum::MissingAuthorization;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::{ApiKind, ContextValue, PayloadFormat};
use tower_lambda_authorizer::lambda::{
    AuthorizerFunction, GatewayContextError, GatewayContextLayer, GatewayContextLayerBuilder,
};
use tower_lambda_authorizer::middleware::{Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerContext, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal,
    authorizer_fn,
};

const V1: PayloadFormat = PayloadFormat::V1;
const V2: PayloadFormat = PayloadFormat::V2;
const ACCOUNT: &str = "123456789012";

fn rest() -> ApiStage {
    ApiStage::rest("us-east-1", ACCOUNT, "abcdef123", "prod").unwrap()
}

fn http() -> ApiStage {
    ApiStage::http("us-east-1", ACCOUNT, "abcdef123", "prod").unwrap()
}

fn websocket() -> ApiStage {
    ApiStage::websocket("us-east-1", ACCOUNT, "abcdef123", "prod").unwrap()
}

fn layer(stage: ApiStage) -> GatewayContextLayerBuilder {
    GatewayContextLayer::builder(stage)
}

/// The four kinds of events, with their layers.
fn kinds() -> [(&'static str, ApiStage, PayloadFormat, GatewayContextLayerBuilder); 4] {
    [
        ("REST", rest(), V1, layer(rest())),
        ("HTTP, 1.0", http(), V1, layer(http()).with_payload_format(V1)),
        ("HTTP, 2.0", http(), V2, layer(http())),
        ("WebSocket", websocket(), V1, layer(websocket())),
    ]
}

fn event(stage: &ApiStage, format: PayloadFormat, authorizer: Option<Value>) -> Value {
    let request = Request::get("/users/42").header("host", "api.example.com").body(()).unwrap();
    backend::event(stage, format, &request, authorizer)
}

/// What the gateway says about `me`.
fn me(stage: &ApiStage, format: PayloadFormat) -> Value {
    let mut answer = json!({"principalId": "me", "context": {"plan": "free"}});
    if format == V2 {
        answer["context"]["principalId"] = "me".into();
    }
    backend::authorizer(stage.kind(), format, &answer)
}

fn rest_event(authorizer: Value) -> Value {
    event(&rest(), V1, Some(authorizer))
}

fn v2_event(authorizer: Value) -> Value {
    event(&http(), V2, Some(authorizer))
}

/// A router that counts its calls, and tells what it reads.
fn router(calls: &Counter) -> Router {
    let calls = calls.clone();
    Router::new().fallback(
        async move |principal: Option<Principal>, context: AuthorizerContext, request: Request<Body>| {
            calls.hit();
            let context = context.to_request_context(ApiKind::Http, V2);
            let expires_at = principal.as_ref().and_then(Principal::expires_at);
            Json(json!({
                "principal": principal.as_ref().map(Principal::id),
                "context": context["lambda"],
                "path": request.uri().path(),
                "expires": expires_at.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()),
            }))
        },
    )
}

/// What came of an event: the kind of the refusal, or what the handler read.
async fn outcome(layer: GatewayContextLayerBuilder, event: &Value) -> Result<Value, RejectionKind> {
    outcome_of(layer, backend::read(event)).await
}

async fn outcome_of(
    layer: GatewayContextLayerBuilder,
    request: lambda_http::Request,
) -> Result<Value, RejectionKind> {
    let calls = Counter::default();
    let response = layer.build().unwrap().layer(router(&calls)).oneshot(request).await.unwrap();
    let rejection = response.extensions().get::<Rejection>().cloned();
    assert_eq!(calls.count(), usize::from(rejection.is_none()));
    match rejection {
        Some(rejection) => {
            assert_eq!(response.status(), rejection.kind().status());
            Err(rejection.kind())
        }
        None => {
            assert_eq!(response.status(), StatusCode::OK);
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            Ok(serde_json::from_slice(&bytes).unwrap())
        }
    }
}

#[tokio::test]
async fn a_handler_reads_what_the_gateway_says_in_every_kind_of_event() {
    for (name, stage, format, layer) in kinds() {
        let read = outcome(layer, &event(&stage, format, Some(me(&stage, format)))).await.unwrap();
        let path = if name == "WebSocket" { "/" } else { "/users/42" };
        let expected = json!({"principal": "me", "context": {"plan": "free"}, "path": path, "expires": null});
        assert_eq!(read, expected, "{name}");
    }
}

#[tokio::test]
async fn without_an_authorizer_s_answer_nothing_passes() {
    for (name, stage, format, _) in kinds() {
        let mut nothings = vec![None, Some(Value::Null), Some(json!({}))];
        match (name, format) {
            (_, V2) => nothings.extend([
                Some(json!({"lambda": null})),
                Some(json!({"lambda": {}})),
                Some(json!({"jwt": null})),
            ]),
            ("HTTP, 1.0", _) => nothings.push(Some(json!({"claims": null, "scopes": null}))),
            _ => {}
        }
        for nothing in nothings {
            let builder = kinds().into_iter().find(|(known, ..)| *known == name).unwrap().3;
            let kind = outcome(builder, &event(&stage, format, nothing.clone())).await;
            assert_eq!(kind, Err(RejectionKind::MissingAuthorizer), "{name}: {nothing:?}");
        }
    }
}

#[tokio::test]
async fn without_principal_still_wants_an_authorizer() {
    for (name, stage, format, builder) in kinds() {
        let refused = outcome(builder.without_principal(), &event(&stage, format, None)).await;
        assert_eq!(refused, Err(RejectionKind::MissingAuthorizer), "{name}");
    }
    for (name, stage, format, builder) in kinds().into_iter().filter(|(_, _, format, _)| *format == V1) {
        let refused = outcome(builder.without_principal(), &event(&stage, format, Some(json!({})))).await;
        assert_eq!(refused, Err(RejectionKind::MissingAuthorizer), "{name}");
    }
    let anonymous = || layer(http()).without_principal();
    assert_eq!(outcome(anonymous(), &v2_event(Value::Null)).await, Err(RejectionKind::MissingAuthorizer));
    // An answer that says nothing, and what cannot be told from one.
    for empty in [json!({"lambda": null}), json!({"lambda": {}}), json!({}), json!({"jwt": null})] {
        let read = outcome(anonymous(), &v2_event(empty)).await.unwrap();
        assert_eq!((&read["principal"], &read["context"]), (&Value::Null, &Value::Null));
    }
    let read = outcome(anonymous(), &v2_event(json!({"lambda": {"plan": "free"}}))).await.unwrap();
    assert_eq!((&read["principal"], &read["context"]), (&Value::Null, &json!({"plan": "free"})));
    // Whoever is named is named all the same.
    let read = outcome(layer(rest()).without_principal(), &rest_event(me(&rest(), V1))).await.unwrap();
    assert_eq!(read["principal"], "me");
    let old = layer(http()).with_payload_format(V1).without_principal();
    let read = outcome(old, &event(&http(), V1, Some(json!({"integrationLatency": 3})))).await.unwrap();
    assert_eq!(read["principal"], Value::Null);
}

#[tokio::test]
async fn another_api_stage_or_kind_is_refused() {
    let said = me(&rest(), V1);
    let mut events = Vec::new();
    for (path, value) in
        [("apiId", "other12345"), ("apiId", "ABCDEF123"), ("stage", "test"), ("stage", "$default")]
    {
        let mut event = rest_event(said.clone());
        event["requestContext"][path] = value.into();
        events.push((path, event));
        let mut event = v2_event(me(&http(), V2));
        event["requestContext"][path] = value.into();
        events.push((path, event));
    }
    for path in ["apiId", "stage"] {
        let mut event = rest_event(said.clone());
        event["requestContext"].as_object_mut().unwrap().remove(path);
        events.push((path, event));
    }
    events.push(("a connection", event(&websocket(), V1, Some(me(&websocket(), V1)))));
    for (what, event) in events {
        for builder in [layer(rest()), layer(http()), layer(http()).with_payload_format(V1)] {
            let refused = outcome(builder, &event).await;
            assert_eq!(refused, Err(RejectionKind::ForeignEvent), "{what}: {event}");
        }
    }
    for event in [rest_event(said), v2_event(me(&http(), V2))] {
        assert_eq!(outcome(layer(websocket()), &event).await, Err(RejectionKind::ForeignEvent));
    }
    assert_eq!(outcome(layer(http()), &rest_event(me(&rest(), V1))).await, Err(RejectionKind::ForeignEvent));
    assert_eq!(outcome(layer(rest()), &v2_event(me(&http(), V2))).await, Err(RejectionKind::ForeignEvent));
}

#[tokio::test]
async fn function_urls_load_balancers_and_whatever_has_no_event_are_refused() {
    let url = |authorizer: Option<Value>| {
        let stage = ApiStage::http("us-east-1", ACCOUNT, "abcdef123", "$default").unwrap();
        let mut event = event(&stage, V2, authorizer);
        event["requestContext"]["accountId"] = "anonymous".into();
        event["requestContext"]["apiId"] = "2hvz4l6m3mkqs5x2y7".into();
        event["requestContext"]["domainName"] = "2hvz4l6m3mkqs5x2y7.lambda-url.us-east-1.on.aws".into();
        event
    };
    let iam =
        json!({"iam": {"accessKey": "AKIA", "accountId": ACCOUNT, "userArn": "arn:aws:iam::1:user/me"}});
    let default_stage = || ApiStage::http("us-east-1", ACCOUNT, "abcdef123", "$default").unwrap();
    for event in [url(None), url(Some(iam)), url(Some(me(&http(), V2)))] {
        for builder in [layer(default_stage()), layer(default_stage()).without_principal()] {
            assert_eq!(outcome(builder, &event).await, Err(RejectionKind::ForeignEvent));
        }
    }
    let balancer = json!({
        "httpMethod": "GET", "path": "/users/42", "queryStringParameters": {}, "body": "", "isBase64Encoded": false,
        "headers": {"host": "api.example.com", "x-amzn-oidc-identity": "me", "x-amzn-request-context": "{}"},
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/x/y"}}
    });
    for (_, _, _, builder) in kinds() {
        let refused = outcome(builder.without_principal(), &balancer).await;
        assert_eq!(refused, Err(RejectionKind::ForeignEvent));
    }
    for (_, _, _, builder) in kinds() {
        let plain = Request::get("/users/42").body(lambda_http::Body::Empty).unwrap();
        let refused = outcome_of(builder.without_principal(), plain).await;
        assert_eq!(refused, Err(RejectionKind::ForeignEvent));
    }
}

#[tokio::test]
async fn an_iam_authorizer_and_two_authorizers_are_none() {
    let iam = json!({"accessKey": "AKIA", "accountId": ACCOUNT, "callerId": "x", "userId": "me"});
    for authorizer in [
        json!({ "iam": iam }),
        json!({"iam": iam, "lambda": {"principalId": "me"}}),
        json!({"iam": iam, "jwt": {"claims": {"sub": "me"}, "scopes": null}}),
        json!({"jwt": {"claims": {"sub": "you"}, "scopes": null}, "lambda": {"principalId": "me"}}),
    ] {
        let refused = outcome(layer(http()).without_principal(), &v2_event(authorizer)).await;
        assert_eq!(refused, Err(RejectionKind::MissingAuthorizer));
    }
}

#[tokio::test]
async fn the_claims_of_a_checked_token_are_a_context_and_name_the_principal() {
    let claims =
        json!({"sub": "user-1", "iss": "https://issuer", "cognito:groups": "a,b", "client_id": "app"});
    let jwt = json!({"claims": claims, "scopes": ["read"]});
    for (name, builder, event) in [
        ("2.0", layer(http()), v2_event(json!({ "jwt": jwt }))),
        ("1.0", layer(http()).with_payload_format(V1), event(&http(), V1, Some(jwt.clone()))),
        ("REST", layer(rest()), rest_event(json!({ "claims": claims }))),
    ] {
        let read = outcome(builder, &event).await.unwrap();
        assert_eq!((&read["principal"], &read["context"]), (&json!("user-1"), &claims), "{name}");
    }
    let read = outcome(layer(http()).principal_from("client_id"), &v2_event(json!({ "jwt": jwt }))).await;
    assert_eq!(read.unwrap()["principal"], "app");

    for claims in [json!({}), json!({"sub": ""}), json!({"principalId": "me", "username": "me"})] {
        let event = v2_event(json!({"jwt": {"claims": claims, "scopes": null}}));
        assert_eq!(outcome(layer(http()), &event).await, Err(RejectionKind::Unauthorized), "{claims}");
        assert_eq!(
            outcome(layer(http()).without_principal(), &event).await.unwrap()["principal"],
            Value::Null
        );
    }
}

/// Format 2.0 reserves neither name, and in format 1.0 the gateway writes the context side by side with what it knows itself.
#[tokio::test]
async fn claims_in_the_context_of_a_lambda_authorizer_are_a_value_like_any_other() {
    let clock = ManualClock::new(Duration::from_secs(1_767_225_600));
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new("https://idp-2.example#alice", policy)?
            .with_context("claims", ContextValue::from(json!({"sub": "alice"})))
            .with_context("scopes", ContextValue::from(json!(["read"])))
            .with_max_age(Duration::from_secs(60)))
    });
    let function = AuthorizerFunction::new(authorizer).with_clock(clock.clone());
    let asked = r#"{"version":"2.0","type":"REQUEST","headers":{},
        "routeArn":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users"}"#;
    let answer: Value = serde_json::from_str(function.invoke(asked).await.unwrap().get()).unwrap();
    let event = event(&http(), V1, Some(backend::authorizer(http().kind(), V1, &answer)));
    let layer = || layer(http()).with_payload_format(V1).with_clock(clock.clone());
    let read = outcome(layer(), &event).await.unwrap();
    assert_eq!(read["principal"], "https://idp-2.example#alice");
    assert_eq!(read["context"], json!({"claims": {"sub": "alice"}, "scopes": ["read"]}));
    // The next whole second.
    clock.advance(Duration::from_secs(61));
    assert_eq!(outcome(layer(), &event).await, Err(RejectionKind::ExpiredAnswer));
}

/// As observed: amazon-archives/amazon-cognito-identity-js#92.
#[tokio::test]
async fn the_times_of_a_cognito_authorizer_are_dates() {
    let claims = json!({
        "sub": "cdad23f0", "aud": "clm2h5m9", "email_verified": "true", "token_use": "id",
        "auth_time": "1469814773", "exp": "Fri Jul 29 18:52:53 UTC 2016", "iat": "Fri Jul 29 17:52:53 UTC 2016",
    });
    let event_of = |claims: &Value| rest_event(json!({ "claims": claims }));
    // 18:52:53 is 1469818373.
    for (now, expected) in
        [(1_469_818_372, Ok(json!("cdad23f0"))), (1_469_818_373, Err(RejectionKind::ExpiredAnswer))]
    {
        let clock = ManualClock::new(Duration::from_secs(now));
        let read = outcome(layer(rest()).with_clock(clock), &event_of(&claims)).await;
        assert_eq!(read.map(|read| read["principal"].clone()), expected, "{now}");
    }
    let clock = ManualClock::new(Duration::from_secs(1_469_818_372));
    for exp in ["Fri Jul 29 18:52:53 PDT 2016", "Mon Jul 29 18:52:53 UTC 2016", "tomorrow"] {
        let mut claims = claims.clone();
        claims["exp"] = exp.into();
        let read = outcome(layer(rest()).with_clock(clock.clone()), &event_of(&claims)).await;
        assert_eq!(read, Err(RejectionKind::InvalidResponse), "{exp}");
    }
    // Nobody else prints them so.
    let jwt = v2_event(json!({"jwt": {"claims": claims, "scopes": null}}));
    let read = outcome(layer(http()).with_clock(clock), &jwt).await;
    assert_eq!(read, Err(RejectionKind::InvalidResponse));
}

#[tokio::test]
async fn the_expiry_of_a_token_is_looked_at_again() {
    let clock = ManualClock::new(Duration::from_secs(1_000));
    let of = |exp: &str| v2_event(json!({"jwt": {"claims": {"sub": "me", "exp": exp}, "scopes": null}}));
    for (exp, expected) in [
        ("1001", Ok(json!(1_001))),
        ("1e4", Ok(json!(10_000))),
        ("1000", Err(RejectionKind::ExpiredAnswer)),
        ("1", Err(RejectionKind::ExpiredAnswer)),
        ("-1", Err(RejectionKind::InvalidResponse)),
        ("soon", Err(RejectionKind::InvalidResponse)),
        ("", Err(RejectionKind::InvalidResponse)),
    ] {
        let read = outcome(layer(http()).with_clock(clock.clone()), &of(exp)).await;
        assert_eq!(read.map(|read| read["expires"].clone()), expected, "{exp}");
    }
}

#[tokio::test]
async fn the_principal_is_looked_for_where_it_was_said() {
    let by = |name: &str, stage: ApiStage| layer(stage).principal_from(name);
    let foreign = json!({"lambda": {"userId": 42, "tenant": "t", "admin": true}});
    let read = outcome(by("userId", http()), &v2_event(foreign.clone())).await.unwrap();
    assert_eq!((&read["principal"], &read["context"]["userId"]), (&json!("42"), &json!(42)));
    let read = outcome(by("tenant", http()), &v2_event(foreign.clone())).await.unwrap();
    assert_eq!(read["principal"], "t");
    for (stage, format) in [(rest(), V1), (http(), V2)] {
        let event = event(&stage, format, Some(me(&stage, format)));
        assert_eq!(outcome(by("principalId", stage), &event).await.unwrap()["principal"], "me");
    }
    let mut said = me(&rest(), V1);
    said["user"] = "somebody else".into();
    let read = outcome(by("user", rest()), &rest_event(said)).await.unwrap();
    assert_eq!(read["principal"], "somebody else");

    for (builder, event) in [
        (by("nobody", http()), v2_event(foreign.clone())),
        (by("admin", http()), v2_event(foreign.clone())),
        (by("UserId", http()), v2_event(foreign.clone())),
        (layer(http()), v2_event(foreign)),
        (layer(rest()), rest_event(json!({"plan": "free", "integrationLatency": 1}))),
        (layer(rest()), rest_event(json!({"principalId": "", "integrationLatency": 1}))),
        (layer(rest()), rest_event(json!({"principalId": null, "integrationLatency": 1}))),
        (layer(rest()), rest_event(json!({"principalId": 1, "integrationLatency": 1}))),
        (layer(rest()), rest_event(json!({"principalId": ["me"]}))),
        (layer(rest()).without_principal(), rest_event(json!({"principalId": ["me"]}))),
        (layer(rest()), rest_event(json!({"principalId": "a\nb"}))),
        (layer(rest()), rest_event(json!({"principalId": "x".repeat(2049)}))),
        (by("x", rest()), rest_event(json!({"principalId": "me", "x": "a\u{0}"}))),
    ] {
        assert_eq!(outcome(builder, &event).await, Err(RejectionKind::InvalidResponse), "{event}");
    }
}

#[tokio::test]
async fn an_answer_is_good_until_it_says() {
    let clock = ManualClock::new(Duration::from_secs(1_000));
    let until = |value: Value| {
        let told = json!({"principalId": "me", "authorizerExpiresAt": value, "plan": "free"});
        [(layer(rest()), rest_event(told.clone())), (layer(http()), v2_event(json!({ "lambda": told })))]
    };
    for good in [json!(1_001), json!("1001"), json!("1001.5")] {
        for (builder, event) in until(good) {
            let clock = clock.clone();
            let read = outcome(builder.with_clock(clock), &event).await.unwrap();
            assert_eq!(read["context"], json!({"plan": "free"}));
            assert_eq!(read["expires"], 1_001);
        }
    }
    for past in [json!(1_000), json!("1000"), json!(0), json!("999.9")] {
        for (builder, event) in until(past) {
            let refused = outcome(builder.with_clock(clock.clone()), &event).await;
            assert_eq!(refused, Err(RejectionKind::ExpiredAnswer), "{event}");
        }
    }
    for wrong in [json!(null), json!(true), json!("soon"), json!(-1), json!("NaN"), json!(""), json!([1])] {
        for (builder, event) in until(wrong) {
            let refused = outcome(builder.with_clock(clock.clone()), &event).await;
            assert_eq!(refused, Err(RejectionKind::InvalidResponse), "{event}");
        }
    }
    clock.advance(Duration::from_secs(1));
    for (builder, event) in until(json!(1_001)) {
        let refused = outcome(builder.with_clock(clock.clone()), &event).await;
        assert_eq!(refused, Err(RejectionKind::ExpiredAnswer));
    }
}

#[tokio::test]
async fn a_connection_whose_answer_has_expired_says_nothing_more_and_may_end() {
    let clock = ManualClock::new(Duration::from_secs(1_000));
    let of = |event_type: &str| {
        let told = json!({"principalId": "me", "authorizerExpiresAt": "1000", "integrationLatency": 1});
        let mut event = event(&websocket(), V1, Some(told));
        event["requestContext"]["eventType"] = event_type.into();
        event["body"] = "hello".into();
        event
    };
    let layer = || layer(websocket()).with_clock(clock.clone());
    assert_eq!(outcome(layer(), &of("CONNECT")).await, Err(RejectionKind::ExpiredAnswer));
    assert_eq!(outcome(layer(), &of("MESSAGE")).await, Err(RejectionKind::ExpiredAnswer));
    assert_eq!(outcome(layer(), &of("DISCONNECT")).await.unwrap()["principal"], "me");
}

/// An event about `path`, as the gateway has it for the authorizer.
fn at(stage: &ApiStage, format: PayloadFormat, path: &str) -> Value {
    let mut event = event(stage, format, Some(me(stage, format)));
    event[if format == V2 { "rawPath" } else { "path" }] = path.into();
    if format == V1 {
        let asked = stage.base_path().and_then(|base_path| path.strip_prefix(base_path)).unwrap_or(path);
        event["pathParameters"] = json!({"proxy": asked.trim_start_matches('/')});
        event["requestContext"]["path"] = match stage.base_path() {
            Some(_) => path.into(),
            None => format!("/prod{path}").into(),
        };
    }
    event
}

#[tokio::test]
async fn what_is_served_is_what_the_gateway_has_asked_about() {
    for (event_path, served) in [
        ("/users/42", Ok("/users/42")),
        ("/", Ok("/")),
        ("/users/42/", Ok("/users/42/")),
        ("/prod/users", Ok("/prod/users")),
        ("/prod", Ok("/prod")),
        ("/production", Ok("/production")),
        ("/a%20b/%e2%82%ac", Ok("/a%20b/%e2%82%ac")),
        ("/a b", Ok("/a%20b")),
        ("/a%40b", Ok("/a%40b")),
        ("/a@b", Ok("/a@b")),
        ("/a|b^\"c", Ok("/a|b^\"c")),
        ("/public/../admin", Err(RejectionKind::InvalidTarget)),
        ("/public/%2e%2e/admin", Err(RejectionKind::InvalidTarget)),
        ("/../admin", Err(RejectionKind::InvalidTarget)),
        (r"/public\..\admin", Err(RejectionKind::InvalidTarget)),
        ("/ad\tmin", Err(RejectionKind::InvalidTarget)),
        ("//admin", Err(RejectionKind::InvalidTarget)),
        ("/a/%2F", Err(RejectionKind::InvalidTarget)),
        ("/%61dmin", Err(RejectionKind::InvalidTarget)),
        ("", Err(RejectionKind::InvalidTarget)),
        ("/admin?", Err(RejectionKind::TargetMoved)),
        ("/admin?x=1", Err(RejectionKind::TargetMoved)),
        ("/admin#x", Err(RejectionKind::TargetMoved)),
        ("/é", Err(RejectionKind::InvalidTarget)),
    ] {
        let read = outcome(layer(rest()), &at(&rest(), V1, event_path)).await;
        let path = read.as_ref().map(|read| read["path"].as_str().unwrap());
        assert_eq!(path, served.as_ref().map(|path| &**path), "REST: {event_path}");
    }
    let named = || ("2.0", http(), "/prod");
    let default = || ("2.0", ApiStage::http("us-east-1", ACCOUNT, "abcdef123", "$default").unwrap(), "");
    for (name, stage, prefix) in [named(), default()] {
        for (event_path, served) in [
            ("/users/42", Ok("/users/42")),
            ("/", Ok("/")),
            ("/prod/users", Ok("/prod/users")),
            ("/a b/é", Ok("/a%20b/%C3%A9")),
            ("/a*{b}", Ok("/a%2A%7Bb%7D")),
            ("/100%", Ok("/100%25")),
            // `lambda_http` has the router decode what was decoded.
            ("/%41", Err(RejectionKind::TargetMoved)),
            ("/%zz%41", Err(RejectionKind::TargetMoved)),
            ("/a?b", Err(RejectionKind::TargetMoved)),
            ("/a#b", Err(RejectionKind::TargetMoved)),
            ("/public/../admin", Err(RejectionKind::InvalidTarget)),
            ("/public/%2e%2e/admin", Err(RejectionKind::TargetMoved)),
            (r"/public\..\admin", Err(RejectionKind::InvalidTarget)),
            ("//admin", Err(RejectionKind::InvalidTarget)),
            ("/ad\nmin", Err(RejectionKind::InvalidTarget)),
        ] {
            let event = at(&stage, V2, &format!("{prefix}{event_path}"));
            let read = outcome(layer(stage.clone()), &event).await;
            let path = read.as_ref().map(|read| read["path"].as_str().unwrap());
            assert_eq!(path, served.as_ref().map(|path| &**path), "{name}, {prefix}: {event_path}");
        }
    }
    // A named stage is there, always.
    for path in ["/users/42", "/production/users", "/test/users"] {
        assert_eq!(outcome(layer(http()), &at(&http(), V2, path)).await, Err(RejectionKind::TargetMoved));
    }
    assert_eq!(outcome(layer(http()), &at(&http(), V2, "/prod")).await.unwrap()["path"], "/");
    // A message has no path.
    let odd = at(&websocket(), V1, "/admin");
    assert_eq!(outcome(layer(websocket()), &odd).await, Err(RejectionKind::InvalidTarget));
}

#[tokio::test]
async fn a_uri_that_was_changed_on_the_way_is_seen() {
    for (uri, served) in [
        // As `lambda_http` makes it where the stage is to be ignored.
        ("https://api.example.com/users/42?a=1", Ok("/users/42")),
        ("https://api.example.com/prod/users/42?a=1", Ok("/users/42")),
        ("/users/42", Ok("/users/42")),
        ("/users/%34%32", Err(RejectionKind::TargetMoved)),
        ("/users/43", Err(RejectionKind::TargetMoved)),
        ("/users/42/", Err(RejectionKind::TargetMoved)),
        ("/prod/prod/users/42", Err(RejectionKind::TargetMoved)),
        ("/test/users/42", Err(RejectionKind::TargetMoved)),
        ("/users//42", Err(RejectionKind::TargetMoved)),
        ("/USERS/42", Err(RejectionKind::TargetMoved)),
        ("https://u:p@api.example.com/users/42", Err(RejectionKind::InvalidTarget)),
    ] {
        let mut request = backend::read(&at(&rest(), V1, "/users/42"));
        *request.uri_mut() = uri.parse().unwrap();
        let read = outcome_of(layer(rest()), request).await;
        let path = read.as_ref().map(|read| read["path"].as_str().unwrap());
        assert_eq!(path, served.as_ref().map(|path| &**path), "{uri}");
    }
    let mut request = backend::read(&at(&rest(), V1, "/users/42"));
    *request.method_mut() = http::Method::from_bytes(b"GET*").unwrap();
    assert_eq!(outcome_of(layer(rest()), request).await, Err(RejectionKind::InvalidTarget));
}

#[tokio::test]
async fn other_spellings_pass_where_that_was_asked_for() {
    let slashes = || layer(rest()).allow_encoded_slash();
    assert_eq!(outcome(slashes(), &at(&rest(), V1, "/a%2fb")).await.unwrap()["path"], "/a%2fb");
    let refused = outcome(slashes(), &at(&rest(), V1, "/a%2f..%2fb")).await;
    assert_eq!(refused, Err(RejectionKind::InvalidTarget));
    let lenient = || layer(rest()).decode_unreserved_escapes();
    assert_eq!(outcome(lenient(), &at(&rest(), V1, "/%61dmin")).await.unwrap()["path"], "/admin");
    let refused = outcome(lenient(), &at(&rest(), V1, "/x/%2e%2e/admin")).await;
    assert_eq!(refused, Err(RejectionKind::InvalidTarget));
}

#[tokio::test]
async fn a_base_path_is_where_clients_have_it() {
    let mapped = |stage: ApiStage| stage.with_base_path("/v1").unwrap();
    let read = |stage: ApiStage, format, path: &'static str| async move {
        let stage = mapped(stage);
        let event = at(&stage, format, path);
        outcome(layer(stage), &event).await.map(|read| read["path"].clone())
    };
    assert_eq!(read(rest(), V1, "/v1/users").await, Ok(json!("/v1/users")));
    assert_eq!(read(rest(), V1, "/users").await, Err(RejectionKind::OutsideBasePath));
    assert_eq!(read(rest(), V1, "/v10/users").await, Err(RejectionKind::OutsideBasePath));
    assert_eq!(read(http(), V2, "/prod/users").await, Ok(json!("/v1/users")));
    assert_eq!(read(http(), V2, "/prod/").await, Ok(json!("/v1")));
    assert_eq!(read(http(), V2, "/prod/v1/users").await, Ok(json!("/v1/v1/users")));
}

/// What a client asks for as `/v1/admin` at the API's own address is asked about as `/v1/admin`; the same path of a mapped
/// domain is asked about as `/admin`. A policy that denies `/admin` knows nothing of the first.
#[tokio::test]
async fn the_api_s_own_address_is_no_way_around_a_policy_about_a_mapped_path() {
    const OWN: &str = "abcdef123.execute-api.us-east-1.amazonaws.com";
    for (name, stage) in [("REST", rest()), ("HTTP, 1.0", http())] {
        let stage = stage.with_custom_domain("api.example.com").unwrap().with_base_path("/v1").unwrap();
        let layer = || match stage.kind() {
            ApiKind::Http => layer(stage.clone()).with_payload_format(V1),
            _ => layer(stage.clone()),
        };
        let mapped = at(&stage, V1, "/v1/admin");
        assert_eq!(outcome(layer(), &mapped).await.unwrap()["path"], "/v1/admin", "{name}");

        let changed = |changes: &[(&str, Value)]| {
            let mut event = mapped.clone();
            for (pointer, value) in changes {
                *event.pointer_mut(pointer).unwrap() = value.clone();
            }
            event
        };
        let asked = ("/pathParameters/proxy", json!("v1/admin"));
        let domain = ("/requestContext/domainName", json!(OWN));
        let path = ("/requestContext/path", json!("/prod/v1/admin"));
        for changes in [
            // The whole of it, and each sign alone.
            &[asked.clone(), domain.clone(), path.clone()][..],
            std::slice::from_ref(&asked),
            std::slice::from_ref(&domain),
            std::slice::from_ref(&path),
            &[("/requestContext/path", json!("/prod//v1/admin"))],
            &[(
                "/requestContext/domainName",
                json!("abcdef123-vpce-0a1b.execute-api.us-east-1.amazonaws.com"),
            )],
            &[("/pathParameters", Value::Null)],
            &[
                ("/requestContext/resourcePath", json!("/v1/{proxy+}")),
                ("/pathParameters/proxy", json!("admin")),
            ],
        ] {
            let got = outcome(layer(), &changed(changes)).await;
            assert_eq!(got, Err(RejectionKind::OutsideBasePath), "{name}: {changes:?}");
        }
        let fixed =
            changed(&[("/requestContext/resourcePath", json!("/admin")), ("/pathParameters", Value::Null)]);
        assert_eq!(outcome(layer(), &fixed).await.unwrap()["path"], "/v1/admin", "{name}");
    }
    // The route `$default` has no template: there it has to be the domain that is configured.
    let stage = http().with_base_path("/v1").unwrap();
    let named = stage.clone().with_custom_domain("api.example.com").unwrap();
    for (stage, domain, expected) in [
        (&named, json!("api.example.com"), true),
        (&named, json!("API.example.com"), true),
        (&named, json!("other.example.com"), false),
        (&named, Value::Null, false),
        (&stage, json!("api.example.com"), false),
        (&stage, json!(OWN), false),
    ] {
        let mut event = at(stage, V1, "/v1/admin");
        event["requestContext"]["resourcePath"] = "$default".into();
        event["requestContext"]["domainName"] = domain.clone();
        event["pathParameters"] = Value::Null;
        let got = outcome(layer(stage.clone()).with_payload_format(V1), &event).await.map(|_| ());
        let expected = if expected { Ok(()) } else { Err(RejectionKind::OutsideBasePath) };
        assert_eq!(got, expected, "{domain}");
    }
    let root = http().with_custom_domain("api.example.com").unwrap();
    for (stage, domain, path, expected) in [
        (http(), json!(OWN), "/x", true),
        (http(), json!("mapped.example.com"), "/x", false),
        (http(), Value::Null, "/x", false),
        (http(), json!(OWN), "/prod/x", false),
        (http(), json!(OWN), "/prod", false),
        (http(), json!(OWN), "/production", true),
        (root.clone(), json!("api.example.com"), "/x", true),
        (root, json!("mapped.example.com"), "/x", false),
    ] {
        let mut event = at(&stage, V1, path);
        event["requestContext"]["resourcePath"] = "$default".into();
        event["requestContext"]["domainName"] = domain.clone();
        event["pathParameters"] = Value::Null;
        let got = outcome(layer(stage).with_payload_format(V1), &event).await.map(|_| ());
        let expected = if expected { Ok(()) } else { Err(RejectionKind::TargetMoved) };
        assert_eq!(got, expected, "{domain} {path}");
    }
    // A mapping that nobody has configured, and a path that it is not.
    let mut unknown = at(&rest(), V1, "/v1/admin");
    unknown["pathParameters"]["proxy"] = "admin".into();
    assert_eq!(outcome(layer(rest()), &unknown).await, Err(RejectionKind::TargetMoved));
}

/// Events of HTTP APIs have paths decoded: what was `/users/a%2Fb`, and asked about as that, would be led to another route.
#[tokio::test]
async fn a_slash_in_a_parameter_of_an_http_api_leads_nowhere_else() {
    for (template, parameters, path, expected) in [
        ("/users/{id}", json!({"id": "42"}), "/users/42", true),
        ("/users/{id}", json!({"id": "42"}), "/users/42/", true),
        ("/users/{id}", json!({"id": "a b"}), "/users/a b", true),
        ("/users/{id}", json!({"id": "a%20b"}), "/users/a b", true),
        ("/users/{id}", json!({"id": "a/keys"}), "/users/a/keys", false),
        ("/users/{id}", json!({"id": "a%2Fkeys"}), "/users/a/keys", false),
        ("/users/{id}", json!({"id": "a"}), "/users/a/keys", false),
        ("/users/{id}", Value::Null, "/users/a", false),
        ("/users/{id}/{rest+}", json!({"id": "a", "rest": "b/c"}), "/users/a/b/c", true),
        ("/users/{id}/{rest+}", json!({"id": "a/b", "rest": "c"}), "/users/a/b/c", false),
        ("/users/{rest+}", json!({"rest": "a/keys"}), "/users/a/keys", true),
        ("/users", Value::Null, "/users", true),
        ("/users", Value::Null, "/admin", false),
        // Decoded twice, and cut at a `?`: what was asked about was another path.
        ("/{proxy+}", json!({"proxy": "users/a%2Fkeys"}), "/users/a/keys", false),
        ("/{proxy+}", json!({"proxy": "%61dmin"}), "/admin", false),
        ("/{page}", json!({"page": "%61dmin"}), "/admin", false),
        ("/{page}", json!({"page": "admin%3Fx"}), "/admin", false),
        ("/{page}", json!({"page": "admin?x"}), "/admin", false),
        ("/{page}", json!({"page": "caf%C3%A9@"}), "/caf\u{e9}@", true),
    ] {
        for leniency in [false, true] {
            let of = |layer: GatewayContextLayerBuilder| {
                if leniency { layer.allow_encoded_slash() } else { layer }
            };
            let expected = if expected { Ok(()) } else { Err(RejectionKind::TargetMoved) };

            let mut event = at(&http(), V2, &format!("/prod{path}"));
            event["routeKey"] = format!("GET {template}").into();
            event["requestContext"]["routeKey"] = event["routeKey"].clone();
            event["pathParameters"] = parameters.clone();
            let got = outcome(of(layer(http())), &event).await.map(|_| ());
            assert_eq!(got, expected, "2.0: {template} {path} {parameters}");

            let mut event = at(&http(), V1, path);
            event["resource"] = template.into();
            event["requestContext"]["resourcePath"] = template.into();
            event["pathParameters"] = parameters.clone();
            let got = outcome(of(layer(http()).with_payload_format(V1)), &event).await.map(|_| ());
            assert_eq!(got, expected, "1.0: {template} {path} {parameters}");
        }
    }
}

/// A REST API shows slashes at the front as one, and nobody has seen what it asks about then.
#[tokio::test]
async fn the_path_of_a_rest_event_is_the_one_that_was_sent() {
    for (sent, refused) in [
        ("/prod/admin", None),
        ("/admin", None),
        // As local emulators have it.
        ("/{proxy+}", None),
        ("/prod//admin", Some(RejectionKind::InvalidTarget)),
        ("//admin", Some(RejectionKind::InvalidTarget)),
        ("/prod/public", Some(RejectionKind::TargetMoved)),
        ("/prod/%61dmin", Some(RejectionKind::TargetMoved)),
        ("/prod/admin/", Some(RejectionKind::TargetMoved)),
    ] {
        let mut event = at(&rest(), V1, "/admin");
        event["requestContext"]["path"] = sent.into();
        assert_eq!(outcome(layer(rest()), &event).await.err(), refused, "{sent}");
    }
    let mut event = at(&rest(), V1, "/admin");
    event["requestContext"]["path"] = Value::Null;
    assert_eq!(outcome(layer(rest()), &event).await.err(), None);
}

/// As `tower::limit::ConcurrencyLimit`, with one place.
struct OnePlace(Arc<Semaphore>, Option<OwnedSemaphorePermit>);

impl Clone for OnePlace {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), None)
    }
}

impl Service<lambda_http::Request> for OnePlace {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.1 = self.1.take().or_else(|| Arc::clone(&self.0).try_acquire_owned().ok());
        if self.1.is_some() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn call(&mut self, _: lambda_http::Request) -> Self::Future {
        drop(self.1.take().unwrap());
        ready(Ok(Response::new(String::new())))
    }
}

#[tokio::test]
async fn a_refused_event_gives_its_place_back() {
    let inner = OnePlace(Arc::new(Semaphore::new(1)), None);
    let service = layer(http()).build().unwrap().layer(inner);
    let (mut one, mut other) = (service.clone(), service);
    let refused = backend::read(&event(&http(), V2, None));
    assert_eq!(one.ready().await.unwrap().call(refused).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert!(poll_fn(|cx| Poll::Ready(other.poll_ready(cx).is_ready())).await);
}

#[tokio::test]
async fn headers_can_move_nothing_and_say_nothing() {
    let said = json!({"principalId": "root", "context": {"plan": "gold"}}).to_string();
    let context =
        json!({"apiId": "abcdef123", "stage": "prod", "authorizer": {"principalId": "root"}}).to_string();
    for (name, value) in [
        ("host", "h/admin?"),
        ("host", "h/prod/users/42?admin=true&"),
        ("host", "u:p@h"),
        ("x-forwarded-proto", "https://evil/admin?"),
        ("x-forwarded-proto", "https://evil/prod/users/42?"),
        ("x-forwarded-proto", "file"),
    ] {
        for mut event in [at(&rest(), V1, "/users/42"), at(&http(), V2, "/prod/users/42")] {
            let stage = if event["version"] == "2.0" { http() } else { rest() };
            event["headers"][name] = value.into();
            let refused = outcome(layer(stage), &event).await;
            assert_eq!(refused, Err(RejectionKind::InvalidTarget), "{name}: {value}");
        }
    }
    for (name, value) in [
        ("x-amzn-request-context", &*context),
        ("x-amzn-lambda-context", &said),
        ("x-lambda-authorizer", &said),
        ("x-apigateway-event", &said),
        ("x-apigateway-context", &context),
        ("x-principal-id", "root"),
        ("principalid", "root"),
        ("x-amzn-oidc-identity", "root"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-forwarded-prefix", "/admin"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "for=127.0.0.1;host=evil;proto=http"),
    ] {
        let mut event = at(&rest(), V1, "/users/42");
        event["headers"][name] = value.into();
        let read = outcome(layer(rest()), &event).await.unwrap();
        assert_eq!((&read["principal"], &read["path"]), (&json!("me"), &json!("/users/42")), "{name}");
        assert_eq!(read["context"], json!({"plan": "free"}), "{name}");
        event["requestContext"].as_object_mut().unwrap().remove("authorizer");
        let refused = outcome(layer(rest()), &event).await;
        assert_eq!(refused, Err(RejectionKind::MissingAuthorizer), "{name}");
    }
}

/// A principal that a layer has made for somebody else.
async fn somebody() -> Principal {
    let authorizer = authorizer_fn(async |event| common::allow_all(&event));
    let layer = AuthorizerLayer::token(authorizer, common::stage()).build().unwrap();
    let service = layer.layer(tower::service_fn(async |request: Request<()>| {
        Ok::<_, Infallible>(
            Response::builder()
                .extension(request.extensions().get::<Principal>().unwrap().clone())
                .body(String::new())
                .unwrap(),
        )
    }));
    let response = service.oneshot(common::get("/", "x")).await.unwrap();
    response.extensions().get::<Principal>().unwrap().clone()
}

#[tokio::test]
async fn what_is_in_the_extensions_already_counts_for_nothing() {
    let forged = somebody().await;
    let with_both = |event: &Value| {
        let mut request = backend::read(event);
        request.extensions_mut().insert(forged.clone());
        request.extensions_mut().insert(forged.context().clone());
        request
    };
    let refused = outcome_of(layer(rest()), with_both(&event(&rest(), V1, None))).await;
    assert_eq!(refused, Err(RejectionKind::MissingAuthorizer));
    let anonymous = with_both(&v2_event(json!({"lambda": {"plan": "free"}})));
    let read = outcome_of(layer(http()).without_principal(), anonymous).await.unwrap();
    assert_eq!((&read["principal"], &read["context"]), (&Value::Null, &json!({"plan": "free"})));
}

#[tokio::test]
async fn a_handler_that_no_layer_stands_before_is_a_mistake_in_lambda_too() {
    let calls = Counter::default();
    let request = backend::read(&rest_event(me(&rest(), V1)));
    let response = router(&calls).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.extensions().get(), Some(&MissingAuthorization::NoLayer));
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn behind_a_router_the_layer_refuses_what_it_cannot_have_routed_anew() {
    let calls = Counter::default();
    let said = me(&rest(), V1);
    let ask = async |router: Router, path: &str| {
        let mut event = at(&rest(), V1, path);
        event["requestContext"]["authorizer"] = said.clone();
        let response = router.oneshot(backend::read(&event)).await.unwrap();
        let rejection = response.extensions().get::<Rejection>().map(Rejection::kind);
        (response.status().as_u16(), rejection)
    };
    let protected = || layer(rest()).build().unwrap();
    let count = |calls: &Counter| {
        let calls = calls.clone();
        axum::routing::get(async move |_: Principal| calls.hit().to_string())
    };

    // It has routed `/prod/users`, and was asked about `/users`.
    let inside = Router::new().route("/prod/users", count(&calls)).layer(protected());
    assert_eq!(ask(inside, "/users").await, (500, Some(RejectionKind::TargetMoved)));
    let nested = Router::new().route("/users", count(&calls)).layer(protected());
    let nested = Router::new().nest("/prod", nested);
    assert_eq!(ask(nested, "/users").await, (500, Some(RejectionKind::TargetMoved)));
    let nested = protected().layer(Router::new().route("/users", count(&calls)));
    let nested = Router::new().nest_service("/prod", nested);
    assert_eq!(ask(nested, "/users").await, (500, Some(RejectionKind::TargetMoved)));
    assert_eq!(calls.count(), 0);

    // As a fall-back nothing has been routed yet.
    let fallback = protected().layer(Router::new().route("/users", count(&calls)));
    let fallback = Router::new().route("/prod/health", count(&calls)).fallback_service(fallback);
    assert_eq!(ask(fallback, "/users").await, (200, None));
    assert_eq!(calls.count(), 1);
}

#[tokio::test]
async fn refusals_look_like_the_gateway_s_or_as_asked_for() {
    let calls = Counter::default();
    for (stage, format, status, body, error_type) in [
        (rest(), V1, 401, r#"{"message":"Unauthorized"}"#, Some("UnauthorizedException")),
        (http(), V2, 401, r#"{"message":"Unauthorized"}"#, None),
    ] {
        let service = layer(stage.clone()).build().unwrap().layer(router(&calls));
        let response = service.oneshot(backend::read(&event(&stage, format, None))).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["cache-control"], "no-store");
        let found = headers.get("x-amzn-errortype").map(|value| value.to_str().unwrap());
        assert_eq!(found, error_type);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(bytes, body);
    }
    for (stage, body) in [
        (rest(), r#"{"Message":"User is not authorized to access this resource"}"#),
        (http(), r#"{"message":"Forbidden"}"#),
    ] {
        let service = layer(stage).build().unwrap().layer(router(&calls));
        let plain = Request::get("/").body(lambda_http::Body::Empty).unwrap();
        let response = service.oneshot(plain).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
    let teapot = |rejection: &Rejection| {
        let mut response = Response::new(Body::from(rejection.to_string()));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response.headers_mut().insert("x-refused", HeaderValue::from_static("yes"));
        response
    };
    let service = layer(rest()).with_rejection_response(teapot).build().unwrap().layer(router(&calls));
    let response = service.oneshot(backend::read(&event(&rest(), V1, None))).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-refused"]),
        (418, &"yes".parse().unwrap())
    );
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, "the gateway asked no authorizer about the request");
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn lambda_http_takes_the_whole_service_and_returns_what_a_gateway_reads() {
    let calls = Counter::default();
    let service = layer(http()).build().unwrap().layer(router(&calls));
    let mut function = lambda_http::Adapter::from(service);
    for (event, status) in [(v2_event(me(&http(), V2)), 200), (event(&http(), V2, None), 401)] {
        let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), lambda_http::Context::default());
        let response = function.ready().await.unwrap().call(event).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        assert_eq!(response["statusCode"], status);
        let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        assert_eq!(body.get("principal"), (status == 200).then_some(&json!("me")));
    }
    assert_eq!(calls.count(), 1);
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused_when_built() {
    let wrong = |builder: GatewayContextLayerBuilder| builder.build().unwrap_err();
    assert_eq!(wrong(layer(rest()).with_payload_format(V1)), GatewayContextError::FormatOfHttpOnly);
    assert_eq!(wrong(layer(websocket()).with_payload_format(V2)), GatewayContextError::FormatOfHttpOnly);
    let both = layer(rest()).principal_from("x").without_principal();
    assert_eq!(wrong(both), GatewayContextError::PrincipalAndNone);
    for name in ["", "authorizerExpiresAt", "integrationLatency"] {
        let error = wrong(layer(rest()).principal_from(name));
        assert_eq!(error, GatewayContextError::PrincipalKey { name: name.into() });
        assert!(error.to_string().contains("names no principal"));
    }
}
