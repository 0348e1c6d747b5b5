//! What was found by attacking the core. Each test says what has to hold, and fails as long as it does not.

#![cfg(feature = "axum")]

mod common;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use common::{Counter, allow_all, counting, stage};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_http::services::ServeDir;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::contract::{Authorization, ResponseRules};
use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::middleware::Rejection;
use tower_lambda_authorizer::policy::{ConditionValue, PolicyDocument};
use tower_lambda_authorizer::request::{ContextVariable, IdentitySource};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

fn allowing() -> impl Authorizer + Clone {
    authorizer_fn(async |event: AuthorizerEvent| allow_all(&event))
}

/// Answers with these statements; `~` is the stage.
fn with_policy(statements: &str) -> impl Authorizer + Clone + use<> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
        .replace('~', "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod");
    let policy = PolicyDocument::from_json(&text).unwrap();
    authorizer_fn(move |_event: AuthorizerEvent| {
        let policy = policy.clone();
        async move { Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", policy)?) }
    })
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    std::pin::pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn ask_for(path: &str) -> Request<Body> {
    Request::get(path).header("authorization", "t").body(Body::empty()).unwrap()
}

/// A header that a layer sets is deleted whoever decides (R9).
#[tokio::test]
async fn a_mapped_header_cannot_be_forged_by_choosing_the_alternative() {
    let mapping =
        ParameterMapping::new().with("overwrite:header.x-user", "$context.authorizer.principalId").unwrap();
    let layer = AuthorizerLayer::token(allowing(), stage()).with_parameter_mapping(mapping).build().unwrap();
    let next = AuthorizerLayer::token(allowing(), stage()).build().unwrap();
    // To refuse it would be as good.
    let Ok(layer) = layer.with_alternative(next, |head| head.falls_within(50, &AUTHORIZATION)) else {
        return;
    };
    let seen: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let service = layer.layer(tower::service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<()>| {
            seen.lock().unwrap().push(request.headers().clone());
            std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
        }
    }));
    for n in 0..40 {
        let mut request = common::get("/x", &format!("token-{n}"));
        request.headers_mut().insert("x-user", "root".parse().unwrap());
        service.clone().oneshot(request).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let forged = seen.iter().filter(|headers| headers.get("x-user").is_some_and(|user| user == "root"));
    assert_eq!((seen.len(), forged.count()), (40, 0));
}

/// A denied file has no other name, with `allow_encoded_slash` either.
#[tokio::test]
async fn a_denied_file_has_no_name_with_escaped_slashes_side_by_side() {
    let policy = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"~/GET/files/events/rest_token.json"}"#;
    let layer = AuthorizerLayer::token(with_policy(policy), stage()).allow_encoded_slash().build().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let service = protect(Router::new().nest_service("/files", ServeDir::new(folder)), layer);
    let mut served = Vec::new();
    for path in [
        "/files/events/rest_token.json",
        "/files/events%2Frest_token.json",
        "/files/events/%2Frest_token.json",
        "/files/events%2F/rest_token.json",
        "/files/events%2F%2frest_token.json",
        "/files/events/rest_token.json%2F",
        "/files/events/rest_token.json/%2F",
        "/files/events/rest_token.json%2F%2F",
    ] {
        if service.clone().oneshot(ask_for(path)).await.unwrap().status().is_success() {
            served.push(path);
        }
    }
    assert_eq!(served, [""; 0]);
}

/// A cache that lets somebody act in the middle of `insert`.
#[derive(Clone, Default)]
struct Hooked {
    inner: Arc<MemoryCache>,
    before: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
    after: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl AuthorizerCache for Hooked {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.inner.get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.before.get().inspect(|hook| hook());
        self.inner.insert(key, authorization);
        self.after.get().inspect(|hook| hook());
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.inner.remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.inner.retain(keep);
    }
}

/// Whoever comes after `invalidate_all` has returned is not let in by an answer from before it. The hooks stand for two
/// other threads: they do what those may do between the lines of `Caching::store`.
#[test]
fn an_answer_from_before_an_invalidation_is_no_hit_after_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let cache = Hooked::default();
    let layer = AuthorizerLayer::token(allowing(), stage()).with_cache(cache.clone()).build().unwrap();
    let let_in = Counter::default();
    let _ = cache.before.set(Box::new({
        let layer = layer.clone();
        move || layer.invalidate_all()
    }));
    let _ = cache.after.set(Box::new({
        let (layer, let_in) = (layer.clone(), let_in.clone());
        move || {
            let hits = layer.cache_statistics().hits;
            let asked = layer.layer(counting(&Counter::default())).oneshot(common::get("/x", "t"));
            if matches!(poll_once(asked), Poll::Ready(Ok(response)) if response.status() == StatusCode::OK)
                && layer.cache_statistics().hits > hits
            {
                let_in.hit();
            }
        }
    }));
    runtime.block_on(layer.layer(counting(&Counter::default())).oneshot(common::get("/x", "t"))).unwrap();
    assert_eq!(let_in.count(), 0);
}

async fn decide(statements: &str, path: &str) -> StatusCode {
    let layer = AuthorizerLayer::token(with_policy(statements), stage()).build().unwrap();
    layer.layer(counting(&Counter::default())).oneshot(common::get(path, "t")).await.unwrap().status()
}

/// A wildcard that may run past colons does so in a Deny, and in what is excepted from an Allow, also if there is a
/// variable in the same list or the same pattern.
#[tokio::test]
async fn wildcards_of_a_denial_run_past_colons_beside_variables() {
    let except = |other: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"*","NotResource":["arn:aws:execute-api:*/prod/GET/admin","~/GET/{other}"]}}"#
        )
    };
    let deny = |tail: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*"}},
            {{"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:abcdef123/prod/GET/x:y/{tail}"}}"#
        )
    };
    let mut let_in = Vec::new();
    for (statements, path) in [
        (except("zzz"), "/admin"),
        (except("${x:none, 'zzz'}"), "/admin"),
        (except("${$}"), "/admin"),
        (deny("one"), "/x:y/one"),
        (deny("${x:none, 'one'}"), "/x:y/one"),
    ] {
        if decide(&statements, path).await != StatusCode::FORBIDDEN {
            let_in.push(statements);
        }
    }
    assert_eq!(let_in, [""; 0]);
}

/// A route key without a matched template is the request's own, never one of an outer router.
#[tokio::test]
async fn a_fallback_has_no_template_of_an_outer_route() {
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::simple(event.path() == Some("/x/public")))
    });
    let route = IdentitySource::context(ContextVariable::RouteKey);
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_simple_responses()
        .with_identity_sources([IdentitySource::header(AUTHORIZATION), route])
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    let inner = Router::new().route("/x/known", get(async || "")).fallback(async || "anything");
    let outer = Router::new().route_service("/x/{*rest}", protect(inner, layer));
    assert_eq!(outer.clone().oneshot(ask_for("/x/public")).await.unwrap().status(), StatusCode::OK);
    assert_eq!(outer.oneshot(ask_for("/x/private")).await.unwrap().status(), StatusCode::FORBIDDEN);
}

/// Trusted proxies are believed in either spelling of an IPv4 network, or refused when the layer is built.
#[tokio::test]
async fn a_trusted_proxy_in_ipv6_clothes_is_trusted_or_refused() {
    let policy = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}"#;
    for network in ["10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104"] {
        let layer = AuthorizerLayer::token(with_policy(policy), stage())
            .with_source_ip(|_| "::ffff:10.0.0.1".parse::<IpAddr>().ok())
            .with_trusted_proxies([network])
            .build();
        let Ok(layer) = layer else { continue };
        let mut request = common::get("/x", "t");
        request.headers_mut().insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        let response = layer.layer(counting(&Counter::default())).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{network}");
    }
}

/// What opens no WebSocket is 400 in front of a WebSocket API.
#[tokio::test]
async fn a_websocket_api_serves_no_plain_requests() {
    let stage = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let policy = r#"{"Effect":"Allow","Action":"*","Resource":"~/$connect"}"#;
    let layer = AuthorizerLayer::request(with_policy(policy), stage).build().unwrap();
    let service = protect(Router::new().route("/admin", any(async || "not for sockets")), layer);
    let mut served = Vec::new();
    for (method, version, connection) in [
        ("GET", http::Version::HTTP_11, None),
        ("GET", http::Version::HTTP_11, Some("close")),
        ("GET", http::Version::HTTP_10, Some("upgrade")),
        ("CONNECT", http::Version::HTTP_11, None),
    ] {
        let mut request =
            Request::builder().method(method).version(version).uri("/admin").header("upgrade", "websocket");
        if let Some(connection) = connection {
            request = request.header("connection", connection);
        }
        let request = request.body(Body::empty()).unwrap();
        if service.clone().oneshot(request).await.unwrap().status() != StatusCode::BAD_REQUEST {
            served.push((method, version, connection));
        }
    }
    assert_eq!(served, []);
}

/// No event makes the reader panic.
#[test]
fn an_event_with_very_many_headers_is_read_or_refused() {
    let headers: Vec<String> = (0..30_000).map(|n| format!(r#""x-{n}":"v""#)).collect();
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/x";
    let text = format!(r#"{{"type":"REQUEST","methodArn":"{arn}","headers":{{{}}}}}"#, headers.join(","));
    assert!(std::panic::catch_unwind(|| AuthorizerEvent::from_json(&text).is_ok()).is_ok());
}

/// Whoever leads a load is answered in time, as those who wait along are, though its runtime stands still.
#[test]
fn who_leads_a_load_is_answered_though_its_runtime_stands_still() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (still, other) = (runtime(), runtime());
    let hanging = authorizer_fn(async |_event: AuthorizerEvent| std::future::pending().await);
    let layer = AuthorizerLayer::token(hanging, stage())
        .with_cache(MemoryCache::default())
        .with_timeout(Duration::from_millis(1))
        .build()
        .unwrap();
    let mut asked = Box::pin(layer.layer(counting(&Counter::default())).oneshot(common::get("/x", "t")));
    {
        let _entered = still.enter();
        assert!(poll_once(asked.as_mut()).is_pending());
    }
    let answered = other.block_on(async { tokio::time::timeout(Duration::from_secs(2), asked).await });
    assert!(answered.is_ok(), "it hangs");
}

/// No expression accepts a token here that it does not accept on AWS. What a Java engine says of these was asked of one:
/// it compiles them, and none covers the token.
#[tokio::test]
async fn no_expression_accepts_more_than_a_java_engine() {
    let mut accepted = Vec::new();
    for (expression, token) in [
        ("[[:alpha:]]+", "xyz"),
        ("[[:digit:]]+", "123"),
        (r"\w{1}{2}", "1A"),
        ("[--a-z+:]", "b"),
        (r":*\%(?s){0,}", ":"),
    ] {
        let layer = AuthorizerLayer::token(allowing(), stage())
            .with_identity_validation_expression(expression)
            .build();
        let Ok(layer) = layer else { continue };
        let asked = layer.layer(counting(&Counter::default())).oneshot(common::get("/x", token));
        if asked.await.unwrap().status() == StatusCode::OK {
            accepted.push(expression);
        }
    }
    assert_eq!(accepted, [""; 0]);
}

/// Messages about answers are short and in one line.
#[tokio::test]
async fn messages_about_answers_are_short_and_printable() {
    let answer = |key: &str| {
        let text =
            format!(r#"{{"principalId":"x","policyDocument":{{"Statement":[]}},"context":{{"{key}":[1]}}}}"#);
        AuthorizerResponse::from_json(text, &ResponseRules::rest()).unwrap_err().to_string()
    };
    let policy = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"x\nforged line":"true"}}}"#;
    let layer = AuthorizerLayer::token(with_policy(policy), stage())
        .with_condition_keys(|_, _| ConditionValue::Unavailable)
        .build()
        .unwrap();
    let response = layer.layer(counting(&Counter::default())).oneshot(common::get("/x", "t")).await.unwrap();
    let rejection = response.extensions().get::<Rejection>().unwrap().to_string();
    let messages = [answer(r"a\nforged line"), answer(&"k".repeat(100_000)), rejection];
    let bad = messages.iter().filter(|message| message.contains(char::is_control) || message.len() > 1024);
    assert_eq!(bad.count(), 0);
}
