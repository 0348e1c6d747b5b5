//! One event for each decision.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::{Method, Request};
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::AuthorizerEvent;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::ResponseRules;
use tower_lambda_authorizer::middleware::{RejectionKind, Shadow};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};
use tracing::Level;
use tracing::subscriber::with_default;

use crate::capture::{Capture, Told};
use crate::common::{Counter, counting, stage};
use crate::{ByToken, ask, cached, compared, get, plain};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

/// Asks with a subscriber that hears everything, and holds the id of a refusal against the one the client is told.
fn told(layer: &AuthorizerLayer, request: Request<()>) -> String {
    let capture = Capture::new(Level::TRACE);
    let service = layer.layer(counting(&Counter::default()));
    let (_, id) = with_default(capture.clone(), || block_on(ask(&service, request)));
    without_id(capture.take_one(), &id)
}

fn without_id(mut event: Told, id: &str) -> String {
    if !id.is_empty() {
        assert_eq!(event.field("request_id"), id);
    }
    if let Some(told) = event.fields.get_mut("request_id") {
        assert_eq!(told.len(), 36, "{told}");
        *told = "…".to_owned();
    }
    event.line()
}

#[test]
fn an_allowed_request_is_told_on_a_miss_and_on_a_hit() {
    let layer = cached().build().unwrap();
    let expected = "DEBUG decision allowed api=rest cache=miss decision=allow latency_us=1500 request_id=… sid=read statement=0";
    assert_eq!(told(&layer, get("/items/1", "fine")), expected);
    // Nobody makes up an id for a request that needs none.
    let expected =
        "DEBUG decision allowed api=rest cache=hit decision=allow latency_us=0 sid=read statement=0";
    assert_eq!(told(&layer, get("/items/1", "fine")), expected);
    let expected = "DEBUG decision allowed api=rest cache=none decision=allow latency_us=1500 request_id=… sid=read statement=0";
    assert_eq!(told(&plain().0.build().unwrap(), get("/items/1", "fine")), expected);
}

#[test]
fn every_refusal_is_told_once_with_its_kind_and_its_reason() {
    let layer = cached().build().unwrap();
    for (path, token, expected) in [
        (
            "/items/secret",
            "fine",
            "DEBUG decision refused api=rest cache=miss decision=explicit_deny latency_us=1500 \
             reason=the policy denies the request request_id=… sid=no \"secrets\"\u{FFFD} statement=1 status=403",
        ),
        (
            "/items/secret",
            "fine",
            "DEBUG decision refused api=rest cache=hit decision=explicit_deny latency_us=0 \
             reason=the policy denies the request request_id=… sid=no \"secrets\"\u{FFFD} statement=1 status=403",
        ),
        (
            "/elsewhere",
            "fine",
            "DEBUG decision refused api=rest cache=hit decision=implicit_deny latency_us=0 \
             reason=no statement of the policy allows the request request_id=… status=403",
        ),
        (
            "/items//1",
            "fine",
            "DEBUG decision refused api=rest cache=none decision=invalid_target latency_us=0 \
             reason=the request target is not canonical: the path holds an empty segment request_id=… status=400",
        ),
        (
            "/items/1",
            "unauthorized",
            "DEBUG decision refused api=rest cache=miss decision=unauthorized latency_us=1500 \
             reason=the authorizer does not accept the credentials request_id=… status=401",
        ),
        (
            "/items/1",
            "stale",
            "DEBUG decision refused api=rest cache=miss decision=unauthorized latency_us=1500 \
             reason=the authorizer does not accept the credentials: the key was revoked request_id=… status=401",
        ),
        (
            "/items/1",
            "failure",
            "WARN decision refused api=rest cache=miss decision=authorizer_failure latency_us=1500 \
             reason=the authorizer failed: the directory does not answer request_id=… status=500",
        ),
        (
            "/items/1",
            "panic",
            "WARN decision refused api=rest cache=miss decision=authorizer_panic latency_us=1500 \
             reason=the authorizer panicked request_id=… status=500",
        ),
        (
            "/items/1",
            "hang",
            "WARN decision refused api=rest cache=miss decision=authorizer_timeout latency_us=1500 \
             reason=the authorizer did not answer in time request_id=… status=500",
        ),
        (
            "/items/1",
            "invalid",
            "WARN decision refused api=rest cache=miss decision=invalid_response latency_us=1500 \
             reason=the authorizer's answer is not acceptable: the context key `integrationLatency` is reserved for \
             the gateway: choose another name request_id=… status=500",
        ),
    ] {
        assert_eq!(told(&layer, get(path, token)), expected, "{path} {token}");
    }
}

#[test]
fn what_is_refused_before_anybody_is_asked_is_told_too() {
    let layer = cached().build().unwrap();
    let missing = Request::get("/items/1").body(()).unwrap();
    let expected = "DEBUG decision refused api=rest cache=none decision=missing_identity latency_us=0 reason=an identity \
                    source is missing or empty: `method.request.header.authorization` request_id=… status=401";
    assert_eq!(told(&layer, missing), expected);
    let mut twice = get("/items/1", "one");
    twice.headers_mut().append("authorization", "Bearer another".parse().unwrap());
    let line = told(&layer, twice);
    assert!(line.contains("decision=ambiguous_identity") && line.contains("status=401"), "{line}");
    assert!(!line.contains("another"), "{line}");
    let long = told(&layer, get(&format!("/items/{}", "x".repeat(1600)), "fine"));
    assert!(long.contains("decision=target_too_long") && long.contains("status=414"), "{long}");

    let stage = stage().with_base_path("/v1").unwrap();
    let layer = AuthorizerLayer::token(ByToken(ManualClock::default()), stage).build().unwrap();
    let outside = told(&layer, get("/items/1", "fine"));
    assert!(outside.contains("decision=outside_base_path") && outside.contains("status=404"), "{outside}");
}

#[test]
fn overload_and_unavailable_keys_are_failures_of_ours() {
    let layer = plain().0.with_max_loads(1).build().unwrap();
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        block_on(async {
            let mut service = layer.layer(counting(&Counter::default()));
            let mut hanging = Box::pin(service.call(get("/items/1", "hang")));
            assert!(poll_once(hanging.as_mut()).is_none());
            ask(&service, get("/items/2", "fine")).await;
        });
    });
    let line = capture.take_one().line();
    assert!(line.starts_with("WARN decision refused api=rest cache=none decision=overloaded"), "{line}");

    let conditional = authorizer_fn(async |event| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                {{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"Bool":{{"aws:SecureTransport":"{}"}}}}}}]}}"#,
            event.token().is_none()
        );
        Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&text)?)?)
    });
    let layer = AuthorizerLayer::token(conditional, stage()).with_clock(ManualClock::default());
    assert_eq!(
        told(&layer.build().unwrap(), get("/items/1", "fine")),
        "WARN decision refused api=rest cache=none decision=unavailable_key latency_us=0 reason=a statement that may deny \
         the request depends on an unavailable key: `aws:SecureTransport`: say whether clients use TLS with \
         `with_secure_transport` request_id=… status=500"
    );
}

/// Polls once.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn whoever_waits_for_the_answer_to_another_is_coalesced() {
    let layer = cached().build().unwrap();
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        block_on(async {
            let service = layer.layer(counting(&Counter::default()));
            tokio::join!(ask(&service, get("/items/1", "late")), ask(&service, get("/items/2", "late")));
        });
    });
    let mut outcomes: Vec<_> = capture.take().iter().map(|event| event.field("cache").to_owned()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["coalesced", "miss"]);
}

#[test]
fn each_kind_of_api_names_itself() {
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let sources = [IdentitySource::header(http::header::AUTHORIZATION)];
    let layer =
        AuthorizerLayer::request(ByToken(ManualClock::default()), http).with_identity_sources(sources);
    let line = told(&layer.build().unwrap(), get("/items/1", "fine"));
    assert!(line.contains(" api=http "), "{line}");
    let websocket = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let layer = AuthorizerLayer::request(ByToken(ManualClock::default()), websocket);
    let line = told(&layer.build().unwrap(), get("/items/1", "fine"));
    assert!(line.contains(" api=websocket ") && line.contains("it does not open a WebSocket"), "{line}");
}

#[test]
fn what_protect_refuses_before_the_router_is_told_once() {
    let router = axum::Router::new().fallback(async || "here");
    let service = tower_lambda_authorizer::axum::protect(router, cached().build().unwrap());
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        block_on(async {
            for path in ["/items/..", "/items/1"] {
                let request = get(path, "fine").map(|()| axum::body::Body::empty());
                service.clone().oneshot(request).await.unwrap();
            }
        });
    });
    let decisions: Vec<_> = capture.take().iter().map(|event| event.field("decision").to_owned()).collect();
    assert_eq!(decisions, ["invalid_target", "allow"]);
}

/// A clock that counts how often it is read.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Clock for Counting {
    fn monotonic(&self) -> Duration {
        self.0.fetch_add(1, Ordering::Relaxed);
        Duration::from_secs(7)
    }

    fn wall(&self) -> Duration {
        Duration::from_secs(7)
    }
}

#[test]
fn the_clock_is_read_for_nobody_who_does_not_hear_of_it() {
    let clock = Counting::default();
    let layer = AuthorizerLayer::token(ByToken(ManualClock::default()), stage());
    let layer = layer.with_cache(MemoryCache::default()).with_clock(clock.clone()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let hit = || {
        let before = clock.0.load(Ordering::Relaxed);
        block_on(ask(&service, get("/items/1", "fine")));
        clock.0.load(Ordering::Relaxed) - before
    };
    hit();
    // The one is for the entry, which may have expired.
    assert_eq!(hit(), 1);
    for (level, expected) in [(Level::ERROR, 1), (Level::WARN, 1), (Level::INFO, 1), (Level::DEBUG, 3)] {
        let capture = Capture::new(level);
        assert_eq!(with_default(capture, hit), expected, "{level}");
    }
}

#[test]
fn where_only_failures_are_heard_of_they_still_say_how_long_the_load_took() {
    let layer = cached().build().unwrap();
    let capture = Capture::new(Level::WARN);
    let service = layer.layer(counting(&Counter::default()));
    with_default(capture.clone(), || {
        block_on(async {
            for token in ["fine", "unauthorized", "failure"] {
                ask(&service, get("/items/1", token)).await;
            }
        });
    });
    let event = capture.take_one();
    assert_eq!((event.level, event.field("latency_us")), (Level::WARN, "1500"));
}

#[test]
fn unknown_members_of_an_answer_are_told_and_bounded() {
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let answer = |more: &str| format!(r#"{{"principalId":"me","policyDocument":{policy}{more}}}"#);
    let read = |text: &str| {
        let capture = Capture::new(Level::TRACE);
        with_default(capture.clone(), || {
            AuthorizerResponse::from_json(text, &ResponseRules::rest()).unwrap()
        });
        capture.take()
    };
    assert_eq!(read(&answer("")).len(), 0);
    let lines: Vec<_> = read(&answer(r#","ttl":{"a":"a value"},"x\ny":2"#)).iter().map(Told::line).collect();
    assert_eq!(
        lines,
        ["DEBUG authorizer members of the answer are ignored count=2 members=[\"ttl\", \"x\u{FFFD}y\"]"]
    );
    let many: String = (0..100).map(|number| format!(r#","{number}{}":1"#, "n".repeat(1000))).collect();
    let events = read(&answer(&many));
    assert_eq!((events.len(), events[0].field("count")), (1, "100"));
    assert!(events[0].field("members").len() < 8 * 80, "{}", events[0].line());
}

#[test]
fn a_disagreement_is_told_and_an_agreement_is_not() {
    fn answer(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        match event.token() {
            Some("Bearer fail") => Err(AuthorizerError::failure("no such table")),
            Some("Bearer same") => {
                let policy = event.policy().allow(Method::GET, "/items/*").build()?;
                Ok(AuthorizerResponse::new("the-principal", policy)?)
            }
            _ => Err(AuthorizerError::unauthorized()),
        }
    }
    let capture = Capture::new(Level::TRACE);
    let dispatch = tracing::Dispatch::new(capture.clone());
    let _alone = crate::SHADOWS.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The candidate is asked on threads of its own, and is there before anything is told of it.
    let of_thread = dispatch.clone();
    let candidate = authorizer_fn(move |event: AuthorizerEvent| {
        std::mem::forget(tracing::dispatcher::set_default(&of_thread));
        async move { answer(&event) }
    });
    let shadow = Shadow::new(AuthorizerLayer::token(candidate, stage()).build().unwrap());
    let layer = plain().0.build().unwrap().with_shadow(shadow.clone()).unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        runtime.block_on(async {
            let service = layer.layer(counting(&Counter::default()));
            for token in ["same", "other", "fail"] {
                ask(&service, get("/items/1", token)).await;
            }
            compared(&shadow, 3).await;
        });
    });
    let mut lines: Vec<_> =
        capture.take().iter().filter(|event| event.target.ends_with("shadow")).map(Told::line).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "INFO shadow the candidate disagrees candidate=authorizer_failure difference=candidate_failed enforced=allow \
             reason=the authorizer failed: no such table",
            "INFO shadow the candidate disagrees candidate=unauthorized difference=newly_denied enforced=allow \
             reason=the authorizer does not accept the credentials",
        ]
    );
}

#[cfg(feature = "lambda-http")]
#[test]
fn what_is_refused_behind_a_gateway_is_told() {
    use tower_lambda_authorizer::lambda::GatewayContextLayer;

    let service = GatewayContextLayer::builder(stage()).build().unwrap().layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    let (_, id) = with_default(capture.clone(), || block_on(ask(&service, get("/items/1", "fine"))));
    let line = without_id(capture.take_one(), &id);
    let expected = "DEBUG decision refused api=rest cache=none decision=foreign_event reason=the request did not come \
                    through the API and stage it has to come through: ";
    assert!(line.starts_with(expected) && line.ends_with("status=403"), "{line}");
}

#[cfg(feature = "remote")]
#[test]
fn a_function_that_is_asked_again_is_told() {
    use tower_lambda_authorizer::remote::RemoteAuthorizer;

    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let authorizer = RemoteAuthorizer::http(endpoint, "orders").with_max_retries(1).build().unwrap();
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_default(capture.clone(), || runtime.block_on(ask(&service, get("/items/1", "fine"))));
    let lines: Vec<_> = capture.take().iter().map(Told::line).collect();
    assert_eq!(lines[0], "INFO remote the function is asked again reason=no_connection retry=1");
    assert!(
        lines[1].starts_with("WARN decision refused api=rest cache=none decision=authorizer_failure"),
        "{lines:?}"
    );
    assert!(lines[1].contains("no connection to the endpoint"), "{lines:?}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn the_words_are_those_of_the_kinds() {
    assert_eq!(RejectionKind::AuthorizerTimeout.as_str(), "authorizer_timeout");
    assert_eq!(RejectionKind::ImplicitDeny.as_str(), "implicit_deny");
}
