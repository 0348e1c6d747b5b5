//! A remote authorizer in a layer: what clients see.

use std::time::Duration;

use http::{Request, StatusCode};
use serde_json::json;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::Challenge;
use tower_lambda_authorizer::remote::RemoteAuthorizer;
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};

use crate::common::{Counter, counting, get, stage};
use crate::endpoint::{Endpoint, Reply, failed, response, returned};
use crate::{both, http};

/// What a function in front of everybody's own records answers.
fn policy(context: &serde_json::Value) -> String {
    let statement = |effect, path| {
        let resource = format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/{path}");
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    };
    let statements = [statement("Allow", "users/*"), statement("Deny", "users/root")];
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    json!({"principalId": "me", "policyDocument": document, "context": context}).to_string()
}

async fn ask<S>(service: S, path: &str) -> (StatusCode, String)
where
    S: tower::Service<Request<()>, Response = http::Response<String>, Error = std::convert::Infallible>,
{
    let response = service.oneshot(get(path, "Bearer abc")).await.unwrap_or_else(|never| match never {});
    (response.status(), response.into_body())
}

#[tokio::test]
async fn a_functions_policy_decides() {
    let endpoint = Endpoint::start(|_| returned(&policy(&json!({})))).await;
    for (name, authorizer) in both!(&endpoint) {
        let calls = Counter::default();
        let service = AuthorizerLayer::token(authorizer, stage()).build().unwrap().layer(counting(&calls));
        assert_eq!(ask(service.clone(), "/users/42").await, (StatusCode::OK, "me".to_owned()), "{name}");
        assert_eq!(ask(service.clone(), "/users/root").await.0, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(ask(service.clone(), "/orders/42").await.0, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(calls.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn no_failure_reaches_the_handler_or_tells_the_client_anything() {
    let unauthorized = (StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#.to_owned());
    let failure = (StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":null}"#.to_owned());
    let replies = [
        (failed(r#"{"errorMessage":"Unauthorized","errorType":"Error"}"#), &unauthorized),
        (returned(r#"{"errorMessage":"Unauthorized"}"#), &unauthorized),
        (failed(r#"{"errorMessage":"the database said no"}"#), &failure),
        (returned(r#"{"errorMessage":"the database said no"}"#), &failure),
        (returned("null"), &failure),
        (returned(r#""Unauthorized""#), &failure),
        (returned(r#"{"isAuthorized":true}"#), &failure),
        (returned(r#"{"principalId":"a","principalId":"b","policyDocument":{"Statement":[]}}"#), &failure),
        (returned(r#"{"principalId":"me","policyDocument":{"Statement":[{"Effect":"Allow"}]}}"#), &failure),
        (Reply::Send(response(403, "", r#"{"message":"no permission"}"#)), &failure),
        (Reply::Send(response(200, "", "<html>it works</html>")), &failure),
        (Reply::Reset, &failure),
    ];
    for (reply, expected) in replies {
        let script = reply.clone();
        let endpoint = Endpoint::start(move |_| script.clone()).await;
        for (name, authorizer) in both!(&endpoint) {
            let calls = Counter::default();
            let service =
                AuthorizerLayer::token(authorizer, stage()).build().unwrap().layer(counting(&calls));
            assert_eq!(ask(service, "/users/42").await, *expected, "{name}, {reply:?}");
            assert_eq!(calls.count(), 0, "{name}, {reply:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_kept_until_the_function_says_it_expires() {
    let clock = ManualClock::default();
    let times = clock.clone();
    let endpoint = Endpoint::start(move |_| {
        returned(&policy(&json!({"authorizerExpiresAt": times.wall().as_secs() + 61, "plan": "free"})))
    })
    .await;
    let authorizer = http(&endpoint).with_clock(clock.clone()).build().unwrap();
    let calls = Counter::default();
    let cache = MemoryCache::default();
    let layer = AuthorizerLayer::token(authorizer, stage()).with_cache(cache).with_clock(clock.clone());
    let service = layer.build().unwrap().layer(counting(&calls));
    for (seconds, requests) in [(0, 1), (59, 1), (1, 2), (59, 2), (1, 3)] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(ask(service.clone(), "/users/42").await.0, StatusCode::OK);
        assert_eq!(endpoint.seen().len(), requests, "after {seconds} s more");
    }
}

#[tokio::test]
async fn simple_responses_are_for_apis_that_take_them() {
    let endpoint = Endpoint::start(|n| returned(&format!(r#"{{"isAuthorized":{}}}"#, n % 2 == 0))).await;
    let stage = || ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    for (name, authorizer) in both!(&endpoint, |builder| builder.with_simple_responses()) {
        let calls = Counter::default();
        let layer = AuthorizerLayer::request(authorizer, stage()).with_simple_responses();
        let service = layer.build().unwrap().layer(counting(&calls));
        assert_eq!(ask(service.clone(), "/users/42").await.0, StatusCode::OK, "{name}");
        assert_eq!(ask(service, "/users/42").await.0, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(calls.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn the_challenge_is_the_configured_one() {
    let endpoint = Endpoint::start(|_| failed(r#"{"errorMessage":"Unauthorized"}"#)).await;
    let authorizer: RemoteAuthorizer = http(&endpoint).with_challenge(Challenge::bearer()).build().unwrap();
    let calls = Counter::default();
    let service = AuthorizerLayer::token(authorizer, stage()).build().unwrap().layer(counting(&calls));
    for request in [get("/users/42", "Bearer abc"), Request::get("/users/42").body(()).unwrap()] {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
    assert_eq!((calls.count(), endpoint.seen().len()), (0, 1));
}
