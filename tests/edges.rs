//! The last that is accepted, and the first that is not.
#![cfg(feature = "axum")]

mod common;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path};
use axum::routing::any;
use common::{Counter, counting, stage};
use http::{Request, StatusCode, Uri};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::contract::{PayloadFormat, ResponseRules};
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;
use tower_lambda_authorizer::policy::{ConditionValue, PolicyDocument};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, IdentitySource,
    authorizer_fn,
};

type Events = Arc<Mutex<Vec<Value>>>;

/// A layer that lets everybody in, and the events of its authorizer.
fn layer(stage: ApiStage, sources: &[&str]) -> (AuthorizerLayerBuilder, Events) {
    let events = Events::default();
    let authorizer = authorizer_fn({
        let events = Arc::clone(&events);
        move |event: AuthorizerEvent| {
            events.lock().unwrap().push(serde_json::to_value(&event).unwrap());
            let policy =
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
            async move { Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", policy.parse()?)?) }
        }
    });
    let sources = sources.iter().map(|source| source.parse::<IdentitySource>().unwrap());
    (AuthorizerLayer::request(authorizer, stage).with_identity_sources(sources), events)
}

async fn status(layer: &AuthorizerLayer, request: http::request::Builder) -> StatusCode {
    let service = layer.layer(counting(&Counter::default()));
    service.oneshot(request.body(()).unwrap()).await.unwrap().status()
}

fn http() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

#[tokio::test]
async fn an_arn_below_a_base_path_has_1600_bytes() {
    let mapped = stage().with_base_path("/api").unwrap();
    let room = 1600 - mapped.arn().as_str().len() - "GET".len();
    let (layer, _) = layer(mapped, &[]);
    let layer = layer.build().unwrap();
    for (length, expected) in [(room, StatusCode::OK), (room + 1, StatusCode::URI_TOO_LONG)] {
        let path = format!("/api/{}", "a".repeat(length - 1));
        assert_eq!(status(&layer, Request::get(path)).await, expected, "{length}");
    }
}

#[tokio::test]
async fn a_socket_is_opened_below_the_base_path_only() {
    let sockets = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let (layer, events) = layer(sockets.with_base_path("/v1").unwrap(), &[]);
    let layer = layer.build().unwrap();
    let open = |path: &str| {
        let request = Request::get(path).header("connection", "Upgrade").header("upgrade", "websocket");
        request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    assert_eq!(status(&layer, open("/v1/chat")).await, StatusCode::OK);
    assert_eq!(status(&layer, open("/chat")).await, StatusCode::NOT_FOUND);
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert!(events[0]["methodArn"].as_str().unwrap().ends_with("/prod/$connect"));
}

#[tokio::test]
async fn cookies_that_are_joined_have_8192_bytes() {
    let (layer, _) = layer(stage(), &["method.request.header.Cookie"]);
    let layer = layer.with_cache(MemoryCache::default()).build().unwrap();
    let first = format!("a={}", "a".repeat(4094));
    // `; ` is between them.
    for (length, expected) in [(4094, StatusCode::OK), (4095, StatusCode::UNAUTHORIZED)] {
        let request = Request::get("/x").header("cookie", &first).header("cookie", "b".repeat(length));
        assert_eq!(status(&layer, request).await, expected, "{length}");
    }
    // What is empty twice is empty.
    for (second, expected) in [("", StatusCode::UNAUTHORIZED), ("a=1", StatusCode::OK)] {
        let request = Request::get("/x").header("cookie", "").header("cookie", second);
        assert_eq!(status(&layer, request).await, expected, "{second}");
    }
}

#[tokio::test]
async fn a_cache_without_lifetime_asks_about_requests_without_identity() {
    let (layer, events) = layer(stage(), &["method.request.header.X-Key"]);
    let layer =
        layer.with_cache(MemoryCache::default()).with_cache_ttl(std::time::Duration::ZERO).build().unwrap();
    for _ in 0..2 {
        assert_eq!(status(&layer, Request::get("/x")).await, StatusCode::OK);
    }
    assert_eq!(events.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn http_apis_know_headers_in_lower_case_only() {
    for format in [PayloadFormat::V1, PayloadFormat::V2] {
        let (layer, events) = layer(http(), &["$request.header.X-Api-Key"]);
        let layer = layer.with_payload_format(format).build().unwrap();
        let request = Request::get("/x").header("X-Api-Key", "k").header("X-Other", "o");
        assert_eq!(status(&layer, request).await, StatusCode::OK);
        let events = events.lock().unwrap();
        let headers = events[0]["headers"].as_object().unwrap();
        assert!(headers.contains_key("x-api-key") && headers.contains_key("x-other"), "{headers:?}");
        assert!(headers.keys().all(|name| *name == name.to_ascii_lowercase()), "{headers:?}");
    }
}

#[tokio::test]
async fn paths_of_http_apis_are_decoded_once() {
    let (layer, events) = layer(http(), &[]);
    let layer = layer.with_payload_format(PayloadFormat::V2).build().unwrap();
    let router = Router::new().route("/{*rest}", any(async |Path(rest): Path<String>| rest));
    let request = Request::get("/a%2525/%C3%A9%3Fb").body(Body::empty()).unwrap();
    let response = protect(router, layer).oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "a%25/é?b");
    let events = events.lock().unwrap();
    assert_eq!(events[0]["rawPath"], "/prod/a%25/é?b");
    assert_eq!(events[0]["routeKey"], "GET /{rest+}");
    assert_eq!(events[0]["pathParameters"], json!({ "rest": "a%25/é?b" }));
    assert_eq!(events[0]["routeArn"], format!("{}GET/a%2525/%C3%A9%3Fb", http().arn().as_str()));
}

#[tokio::test]
async fn an_original_uri_without_a_nested_router_is_the_whole_path() {
    let (layer, events) = layer(stage(), &[]);
    let layer = layer.build().unwrap();
    for (original, path, expected) in [
        ("/users/7", "/users/7", StatusCode::OK),
        ("/api/users/7", "/users/7", StatusCode::INTERNAL_SERVER_ERROR),
        ("/users/8", "/users/7", StatusCode::INTERNAL_SERVER_ERROR),
        ("/", "/users/7", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let request = Request::get(path).extension(OriginalUri(Uri::from_static(original)));
        assert_eq!(status(&layer, request).await, expected, "{original} {path}");
    }
    assert_eq!(events.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_header_that_is_no_text_is_unknown_to_conditions() {
    for (effect, operator, others, expected) in [
        ("Allow", "StringLike", "s3:*", StatusCode::FORBIDDEN),
        ("Allow", "StringNotLike", "s3:*", StatusCode::FORBIDDEN),
        ("Deny", "StringLike", "*", StatusCode::INTERNAL_SERVER_ERROR),
        ("Deny", "StringNotLike", "*", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"*","Resource":"*",
                "Condition":{{"{operator}":{{"aws:Referer":"https://example.com/*"}}}}}},
                {{"Effect":"Allow","Action":"{others}","Resource":"*"}}]}}"#
        );
        let authorizer = authorizer_fn(move |_: AuthorizerEvent| {
            let policy = PolicyDocument::from_json(&policy);
            async move { Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", policy?)?) }
        });
        let layer = AuthorizerLayer::request(authorizer, stage()).build().unwrap();
        let request = Request::get("/x").header("referer", b"https://example.com/\xFF".as_slice());
        assert_eq!(status(&layer, request).await, expected, "{effect} {operator}");
    }
}

#[tokio::test]
async fn an_address_is_found_once_for_all_conditions() {
    let policy = PolicyDocument::from_json(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
            {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
            {"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:*:*/${aws:SourceIp}${aws:SourceIp}"}]}"#,
    )
    .unwrap();
    let authorizer = authorizer_fn(move |_: AuthorizerEvent| {
        let policy = policy.clone();
        async move { Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", policy)?) }
    });
    let asked = Arc::new(Mutex::new(0));
    let asks = Arc::clone(&asked);
    let layer = AuthorizerLayer::token(authorizer, stage()).with_source_ip(move |_| {
        *asks.lock().unwrap() += 1;
        Some([192, 0, 2, 1].into())
    });
    let request = Request::head("/x/").header("authorization", "t");
    assert_eq!(status(&layer.build().unwrap(), request).await, StatusCode::OK);
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn no_client_chooses_the_id_of_a_request_to_an_http_api() {
    let refuses = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("me", event.policy().build()?)?)
    });
    let layer = AuthorizerLayer::request(refuses, http()).build().unwrap();
    let request = Request::get("/x").header("apigw-requestid", "mine").header("x-amzn-requestid", "mine");
    let service = layer.layer(counting(&Counter::default()));
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let ids: Vec<_> = response.headers().get_all("apigw-requestid").iter().collect();
    assert!(ids.len() == 1 && ids[0] != "mine", "{ids:?}");
}

#[test]
fn an_answer_has_256_kib() {
    let answer = |length: usize| {
        let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let start = format!(r#"{{"principalId":"me","policyDocument":{policy},"context":{{"a":""#);
        let fill = "x".repeat(length - start.len() - 3);
        format!("{start}{fill}\"}}}}")
    };
    let rules = ResponseRules::rest();
    assert_eq!(answer(262_144).len(), 262_144);
    assert!(AuthorizerResponse::from_json(answer(262_144), &rules).is_ok());
    assert!(AuthorizerResponse::from_json(answer(262_145), &rules).is_err());
}

#[test]
fn of_twenty_keys_none_is_there_twice_in_another_case() {
    let policy = |last: &str| {
        let keys = (0..19).map(|number| format!(r#""x:Key{number}":"v""#)).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*",
                "Condition":{{"StringEquals":{{{keys},"{last}":"v"}}}}}}]}}"#
        )
    };
    assert!(PolicyDocument::from_json(&policy("x:key19")).is_ok());
    for last in ["X:KEY0", "x:key17", "x:Key18"] {
        assert!(PolicyDocument::from_json(&policy(last)).is_err(), "{last}");
    }
}

#[test]
fn variables_of_sockets_messages_identify_nobody() {
    for name in ["context.messageId", "context.awsEndpointRequestId"] {
        assert!(name.parse::<IdentitySource>().is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_name_that_is_another_s_is_not_asked_about_again() {
    let policy = PolicyDocument::from_json(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"app:k":"y"}}}]}"#,
    )
    .unwrap();
    for (path, expected) in
        [("/a/b", 1), ("/a%2Fb", 2), ("/a%2F%2Fb", 3), ("/a%40%2F%2fb", 3), ("/%40%c3%a9%2Fb", 3)]
    {
        let policy = policy.clone();
        let authorizer = authorizer_fn(move |_: AuthorizerEvent| {
            let policy = policy.clone();
            async move { Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", policy)?) }
        });
        let asked = Arc::new(Mutex::new(0));
        let asks = Arc::clone(&asked);
        let layer = AuthorizerLayer::token(authorizer, stage()).allow_encoded_slash();
        let layer = layer.with_condition_keys(move |_, _| {
            *asks.lock().unwrap() += 1;
            ConditionValue::from("x")
        });
        let request = Request::get(path).header("authorization", "t");
        assert_eq!(status(&layer.build().unwrap(), request).await, StatusCode::OK);
        assert_eq!(*asked.lock().unwrap(), expected, "{path}");
    }
}
