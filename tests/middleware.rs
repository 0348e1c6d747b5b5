//! The layer as a tower service: readiness, faults of authorizers, clients that go away.

mod common;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Counter, allow_all, counting, get, stage};
use http::{Request, Response, StatusCode};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::{IdentitySource, StageError};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

/// A service that is ready once, for the instance that was asked, and panics when called without having been ready.
struct Strict {
    ready: bool,
    calls: Counter,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, calls: self.calls.clone() }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called an instance that was not ready");
        self.calls.hit();
        std::future::ready(Ok(Response::new(String::new())))
    }
}

/// The layer's answer to one request, and how often the inner service was called for it.
async fn ask(layer: &AuthorizerLayer, request: Request<()>) -> (StatusCode, Option<RejectionKind>, usize) {
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
    (response.status(), kind, calls.count())
}

#[track_caller]
fn assert_refused(got: (StatusCode, Option<RejectionKind>, usize), kind: RejectionKind) {
    assert_eq!(got, (kind.status(), Some(kind), 0));
}

const ALLOWED: (StatusCode, Option<RejectionKind>, usize) = (StatusCode::OK, None, 1);

#[tokio::test]
async fn the_instance_that_was_ready_is_the_one_that_is_called() {
    let later = authorizer_fn(async |event| {
        tokio::task::yield_now().await;
        allow_all(&event)
    });
    for cached in [false, true] {
        let layer = AuthorizerLayer::token(later, stage());
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let calls = Counter::default();
        let mut service = layer.layer(Strict { ready: false, calls: calls.clone() });
        for _ in 0..3 {
            service.ready().await.unwrap().call(get("/a", "t")).await.unwrap();
        }
        assert_eq!(calls.count(), 3);
    }
}

#[test]
fn a_cache_hit_needs_no_runtime_and_is_decided_when_called() {
    let asked = Counter::default();
    let authorizer = authorizer_fn({
        let asked = asked.clone();
        move |event| {
            asked.hit();
            async move { allow_all(&event) }
        }
    });
    let layer =
        AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let calls = Counter::default();
    let mut service = layer.layer(counting(&calls));
    let mut cx = Context::from_waker(Waker::noop());

    // A miss whose answer is there at once does not need a runtime either.
    let mut miss = pin!(service.call(get("/a", "t")));
    assert!(miss.as_mut().poll(&mut cx).is_ready());
    assert_eq!((asked.count(), calls.count()), (1, 1));

    let hit = service.call(get("/b", "t"));
    assert_eq!((asked.count(), calls.count()), (1, 2), "the inner service is called inside of `call`");
    assert!(pin!(hit).poll(&mut cx).is_ready());
}

#[test]
fn without_a_runtime_a_slow_authorizer_is_a_failure_not_a_panic() {
    let never = authorizer_fn(|_| std::future::pending());
    let layer = AuthorizerLayer::token(never, stage()).build().unwrap();
    let calls = Counter::default();
    let mut answer = pin!(layer.layer(counting(&calls)).oneshot(get("/a", "t")));
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR),
        other => panic!("{other:?}"),
    }
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn the_body_goes_through_untouched() {
    struct Opaque(Box<dyn Fn() -> u32 + Send>);
    let layer =
        AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage()).build().unwrap();
    let service = layer.layer(tower::service_fn(async |request: Request<Opaque>| {
        Ok::<_, Infallible>(Response::new(request.into_body().0().to_string()))
    }));
    let request = get("/a", "t").map(|()| Opaque(Box::new(|| 42)));
    assert_eq!(service.oneshot(request).await.unwrap().body(), "42");
}

#[tokio::test]
async fn an_error_is_401_only_if_it_says_exactly_unauthorized() {
    let says = |text: &'static str| {
        let authorizer = authorizer_fn(move |_| async move { Err(AuthorizerError::failure(text)) });
        AuthorizerLayer::token(authorizer, stage()).build().unwrap()
    };
    assert_refused(ask(&says("Unauthorized"), get("/a", "t")).await, RejectionKind::Unauthorized);
    for text in ["unauthorized", "Unauthorized ", "Unauthorized: expired", "[401] Unauthorized", ""] {
        assert_refused(ask(&says(text), get("/a", "t")).await, RejectionKind::AuthorizerFailure);
    }
}

/// Panics where it is told to.
struct Panics(&'static str);

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        // A second panic while unwinding would abort, and is not ours to survive.
        if !std::thread::panicking() {
            panic!("in drop");
        }
    }
}

impl Authorizer for Panics {
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        let place = self.0;
        assert!(place != "before", "before the future");
        async move {
            assert!(place != "in", "in the first poll");
            let _in_drop = (place == "drop").then(|| PanicsInDrop);
            tokio::task::yield_now().await;
            assert!(place != "after", "after an await");
            if place == "pending" || place == "drop" {
                std::future::pending::<()>().await;
            }
            allow_all(&event)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_500_and_the_next_request_is_served() {
    for cached in [false, true] {
        for place in ["before", "in", "after"] {
            let layer = AuthorizerLayer::token(Panics(place), stage()).with_max_loads(1);
            let layer =
                if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
            for _ in 0..3 {
                // With one permit, the second request shows that the first gave it back.
                assert_refused(ask(&layer, get("/a", "t")).await, RejectionKind::AuthorizerPanic);
            }
        }
        // A destructor that panics when the time is up.
        let layer = AuthorizerLayer::token(Panics("drop"), stage()).with_max_loads(1);
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        for _ in 0..3 {
            assert_refused(ask(&layer, get("/a", "t")).await, RejectionKind::AuthorizerTimeout);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_hangs_is_a_500_after_its_time() {
    for cached in [false, true] {
        let layer = AuthorizerLayer::token(Panics("pending"), stage())
            .with_timeout(Duration::from_secs(3))
            .with_max_loads(1);
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        for _ in 0..2 {
            let began = tokio::time::Instant::now();
            assert_refused(ask(&layer, get("/a", "t")).await, RejectionKind::AuthorizerTimeout);
            assert_eq!(began.elapsed().as_secs(), 3);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_and_1024_authorizers_if_nobody_says_otherwise() {
    for cached in [false, true] {
        let layer = AuthorizerLayer::token(Panics("pending"), stage());
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let began = tokio::time::Instant::now();
        let running: Vec<_> = (0..1024)
            .map(|i| {
                let layer = layer.clone();
                tokio::spawn(async move { ask(&layer, get("/a", &format!("token {i}"))).await })
            })
            .collect();
        // Each of them is polled, and so are the tasks that some of them begin.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_refused(ask(&layer, get("/a", "one more")).await, RejectionKind::Overloaded);
        assert!(began.elapsed().is_zero());
        for task in running {
            assert_refused(task.await.unwrap(), RejectionKind::AuthorizerTimeout);
        }
        assert_eq!(began.elapsed(), Duration::from_secs(10));
    }
}

#[tokio::test]
async fn more_loads_than_allowed_are_refused_and_hits_are_not() {
    let gate = Arc::new(Notify::new());
    let authorizer = authorizer_fn({
        let gate = Arc::clone(&gate);
        move |event| {
            let gate = Arc::clone(&gate);
            async move {
                if event.token() == Some("slow") {
                    gate.notified().await;
                }
                allow_all(&event)
            }
        }
    });
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_cache(MemoryCache::default())
        .with_max_loads(1)
        .build()
        .unwrap();
    assert_eq!(ask(&layer, get("/a", "known")).await, ALLOWED);

    let slow = tokio::spawn({
        let layer = layer.clone();
        async move { ask(&layer, get("/a", "slow")).await }
    });
    tokio::task::yield_now().await;
    assert_refused(ask(&layer, get("/a", "new")).await, RejectionKind::Overloaded);
    assert_eq!(ask(&layer, get("/a", "known")).await, ALLOWED);
    gate.notify_one();
    assert_eq!(slow.await.unwrap(), ALLOWED);
    assert_eq!(ask(&layer, get("/a", "new")).await, ALLOWED);
}

/// An authorizer that waits for `gate`, and says whether it was dropped before it could answer.
fn gated(gate: &Arc<Notify>, dropped: &Arc<AtomicBool>, asked: &Counter) -> impl Authorizer + use<> {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (gate, dropped, asked) = (Arc::clone(gate), Arc::clone(dropped), asked.clone());
    authorizer_fn(move |event| {
        let flag = Flag(Arc::clone(&dropped));
        let gate = Arc::clone(&gate);
        asked.hit();
        async move {
            gate.notified().await;
            std::mem::forget(flag);
            allow_all(&event)
        }
    })
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_load_along_unless_others_can_use_it() {
    for cached in [false, true] {
        let (gate, dropped, asked) =
            (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)), Counter::default());
        let layer = AuthorizerLayer::token(gated(&gate, &dropped, &asked), stage());
        let layer = if cached { layer.with_cache(MemoryCache::default()) } else { layer }.build().unwrap();
        let calls = Counter::default();
        {
            let mut answer = pin!(layer.layer(counting(&calls)).oneshot(get("/a", "t")));
            poll_fn(|cx| {
                assert!(answer.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        gate.notify_one();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(calls.count(), 0, "nobody is there to be answered");
        assert_eq!(dropped.load(Ordering::SeqCst), !cached);
        if cached {
            assert_eq!(ask(&layer, get("/b", "t")).await, ALLOWED);
            assert_eq!(asked.count(), 1);
        }
    }
}

#[tokio::test]
async fn what_was_loaded_across_an_invalidation_is_used_once_and_not_kept() {
    let (gate, dropped, asked) =
        (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)), Counter::default());
    let layer = AuthorizerLayer::token(gated(&gate, &dropped, &asked), stage())
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    let waiting = tokio::spawn({
        let layer = layer.clone();
        async move { ask(&layer, get("/a", "t")).await }
    });
    tokio::task::yield_now().await;
    layer.invalidate_all();
    gate.notify_one();
    assert_eq!(waiting.await.unwrap(), ALLOWED);
    gate.notify_one();
    assert_eq!(ask(&layer, get("/a", "t")).await, ALLOWED);
    assert_eq!(asked.count(), 2);
    assert_eq!(ask(&layer, get("/a", "t")).await, ALLOWED);
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn an_answer_with_a_reserved_context_key_is_refused() {
    let with = |key: &'static str, value: &'static str| {
        let authorizer = authorizer_fn(move |event: AuthorizerEvent| async move {
            Ok(allow_all(&event)?.with_context(key, value))
        });
        AuthorizerLayer::token(authorizer, stage()).build().unwrap()
    };
    assert_refused(ask(&with("principalId", "you"), get("/a", "t")).await, RejectionKind::InvalidResponse);
    assert_refused(
        ask(&with("integrationLatency", "1"), get("/a", "t")).await,
        RejectionKind::InvalidResponse,
    );
    assert_eq!(ask(&with("principalId", "me"), get("/a", "t")).await, ALLOWED);
    assert_eq!(ask(&with("principalid", "you"), get("/a", "t")).await, ALLOWED);
}

#[tokio::test]
async fn a_deny_covers_an_encoded_slash_as_a_slash_and_an_allow_does_not() {
    let layer = |allowed: &'static str| {
        let authorizer = authorizer_fn(move |event: AuthorizerEvent| async move {
            let policy = event.policy().allow(AnyMethod, allowed).deny(AnyMethod, "/files/a/b").build()?;
            Ok(AuthorizerResponse::new("me", policy)?)
        });
        AuthorizerLayer::token(authorizer, stage()).allow_encoded_slash().build().unwrap()
    };
    assert_refused(ask(&layer("/files/*"), get("/files/a%2Fb", "t")).await, RejectionKind::ExplicitDeny);
    assert_refused(ask(&layer("/files/*"), get("/files%2fa%2Fb", "t")).await, RejectionKind::ImplicitDeny);
    assert_eq!(ask(&layer("/files/*"), get("/files/a%2Fc", "t")).await, ALLOWED);
    assert_refused(ask(&layer("/files/a/c"), get("/files/a%2Fc", "t")).await, RejectionKind::ImplicitDeny);
}

#[tokio::test]
async fn a_strategy_shapes_a_refusal_and_cannot_lift_it() {
    let nobody = authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
    let layer = AuthorizerLayer::token(nobody, stage())
        .with_rejection_response(|rejection: &Rejection| {
            let mut response = Response::new(format!("no: {rejection}"));
            *response.status_mut() = StatusCode::OK;
            response
        })
        .build()
        .unwrap();
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(get("/a", "secret token")).await.unwrap();
    assert_eq!(response.body(), "no: the authorizer does not accept the credentials");
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::Unauthorized);
    assert_eq!(calls.count(), 0);
}

#[tokio::test]
async fn an_answer_lives_300_seconds_if_nobody_says_otherwise_and_is_forgotten_on_sight_after_that() {
    let (clock, store, asked) =
        (ManualClock::default(), Arc::new(MemoryCache::default()), Counter::default());
    let count = asked.clone();
    let once = authorizer_fn(move |event| {
        let first = count.hit() == 1;
        async move { if first { allow_all(&event) } else { Err(AuthorizerError::unauthorized()) } }
    });
    let layer = AuthorizerLayer::token(once, stage())
        .with_cache(Arc::clone(&store))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    assert_eq!(ask(&layer, get("/a", "t")).await, ALLOWED);
    clock.advance(Duration::from_secs(300) - Duration::from_nanos(1));
    assert_eq!(ask(&layer, get("/a", "t")).await, ALLOWED);
    assert_eq!((asked.count(), store.len()), (1, 1));
    clock.advance(Duration::from_nanos(1));
    // The key holds a token. It goes although nothing takes its place.
    assert_refused(ask(&layer, get("/a", "t")).await, RejectionKind::Unauthorized);
    assert_eq!((asked.count(), store.len()), (2, 0));
}

#[tokio::test]
async fn a_cache_is_bounded_by_the_bytes_of_its_keys_and_answers() {
    const BYTES: usize = 256 * 1024;
    let of_bytes = authorizer_fn(async |event: AuthorizerEvent| {
        let length = event.token().and_then(|token| token.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        Ok(allow_all(&event)?.with_context("text", "x".repeat(length)))
    });
    let filled = async |token: &dyn Fn(usize) -> String| {
        let store = Arc::new(MemoryCache::builder().with_max_entries(10_000).with_max_bytes(BYTES).build());
        let layer = AuthorizerLayer::token(of_bytes, stage()).with_cache(Arc::clone(&store)).build().unwrap();
        for i in 0..500 {
            assert_eq!(ask(&layer, get("/a", &token(i))).await, ALLOWED);
        }
        store.len()
    };
    // Long answers, and long keys with short answers.
    let answers = filled(&|i| format!("{i} 4096")).await;
    assert!((BYTES / 4096 / 4..BYTES / 4096).contains(&answers), "{answers}");
    let keys = filled(&|i| format!("{i} 0 {}", "k".repeat(4096))).await;
    assert!((BYTES / 4096 / 4..BYTES / 4096).contains(&keys), "{keys}");
    // One answer that is too large is used and not kept.
    assert_eq!(filled(&|i| format!("{i} {BYTES}")).await, 0);
    // A usage key is as long as the authorizer makes it.
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(allow_all(&event)?.with_usage_identifier_key("k".repeat(4096)))
    });
    let store = Arc::new(MemoryCache::builder().with_max_entries(10_000).with_max_bytes(BYTES).build());
    let layer = AuthorizerLayer::token(authorizer, stage()).with_cache(Arc::clone(&store)).build().unwrap();
    for i in 0..200 {
        assert_eq!(ask(&layer, get("/a", &i.to_string())).await, ALLOWED);
    }
    assert!((BYTES / 4096 / 4..BYTES / 4096).contains(&store.len()), "{}", store.len());
}

#[test]
fn a_stage_is_one_that_aws_could_have() {
    let make = || ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    assert_eq!(make().with_partition("aws-cn").unwrap().arn().partition(), "aws-cn");
    for (region, account, api, stage) in [
        ("", "123456789012", "abcdef123", "prod"),
        ("us:east", "123456789012", "abcdef123", "prod"),
        ("us-east-1", "12345678901", "abcdef123", "prod"),
        ("us-east-1", "*", "abcdef123", "prod"),
        ("us-east-1", "123456789012", "a/b", "prod"),
        ("us-east-1", "123456789012", "*", "prod"),
        ("us-east-1", "123456789012", "abcdef123", ""),
        ("us-east-1", "123456789012", "abcdef123", "prod/GET"),
    ] {
        for make in [ApiStage::rest, ApiStage::http, ApiStage::websocket] {
            assert!(matches!(make(region, account, api, stage), Err(StageError::Arn(_))), "{api} {stage}");
        }
    }
    assert!(make().with_partition("aws:").is_err());
    // Only HTTP APIs have `$default`.
    assert!(ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").is_ok());
    for make in [ApiStage::rest, ApiStage::websocket] {
        let built = make("us-east-1", "123456789012", "abcdef123", "$default");
        assert_eq!(built.err(), Some(StageError::DefaultStage));
    }

    // Stage variables: names, values, how many.
    let named = |name: &str| make().with_stage_variable(name, "v");
    for name in ["a", "A_9", &"n".repeat(64)] {
        assert!(named(name).is_ok(), "{name}");
    }
    for name in ["", "a-b", "a.b", "é", "a b", &"n".repeat(65)] {
        assert_eq!(named(name).err(), Some(StageError::VariableName { name: name.into() }));
    }
    let valued = |value: &str| make().with_stage_variable("v", value);
    for value in ["https://example.com:443/a_b~c.d-e?f=g#h&i,j", &"v".repeat(512)] {
        assert!(valued(value).is_ok(), "{value}");
    }
    for value in ["", "a b", "é", "{}", "\"", "a%20", "$", &"v".repeat(513)] {
        assert_eq!(valued(value).err(), Some(StageError::VariableValue { name: "v".into() }), "{value}");
    }
    let many =
        (0..100).try_fold(make(), |stage, i| stage.with_stage_variable(&format!("v{i}"), "1")).unwrap();
    let case = many.clone().with_stage_variable("v0", "2").unwrap();
    assert_eq!((case.stage_variable("v0"), case.stage_variable("V0")), (Some("2"), None));
    assert_eq!(many.with_stage_variable("V0", "1").err(), Some(StageError::TooManyVariables));

    // The paths and domains that an API may be mapped to.
    for path in ["/v1", "/a/b", "/a.b-c_d~e"] {
        assert!(make().with_base_path(path).is_ok(), "{path}");
    }
    for path in ["", "/", "v1", "/v1/", "//v1", "/a//b", "/..", "/a/.", "/a%20b", "/{id}", "/a*"] {
        assert_eq!(make().with_base_path(path).err(), Some(StageError::BasePath { base_path: path.into() }));
    }
    assert!(make().with_custom_domain("api.example.com").is_ok());
    for domain in ["", ".", "a..b", "a_b", "a/b", "a:443", &"a".repeat(64)] {
        let refused = StageError::DomainName { domain_name: domain.into() };
        assert_eq!(make().with_custom_domain(domain).err(), Some(refused));
    }
}

#[test]
fn what_cannot_be_right_is_found_when_the_layer_is_built() {
    let token = || AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage());
    let request = || AuthorizerLayer::request(authorizer_fn(async |event| allow_all(&event)), stage());
    let header = || IdentitySource::header(http::header::AUTHORIZATION);
    let variable = || IdentitySource::stage_variable("nope");
    let hour = Duration::from_secs(3600);
    let cache = MemoryCache::default;

    assert_eq!(request().with_cache(cache()).build().err(), Some(ConfigError::CacheWithoutIdentity));
    assert!(request().with_cache(cache()).share_answers_between_all_callers().build().is_ok());
    assert!(request().with_cache(cache()).with_cache_ttl(Duration::ZERO).build().is_ok());
    assert_eq!(token().with_cache_ttl(hour).build().err(), Some(ConfigError::TtlWithoutCache));
    assert!(token().with_cache(cache()).with_cache_ttl(hour).build().is_ok());
    let longer = hour + Duration::from_nanos(1);
    assert_eq!(token().with_cache(cache()).with_cache_ttl(longer).build().err(), Some(ConfigError::LongTtl));
    assert_eq!(token().with_timeout(Duration::ZERO).build().err(), Some(ConfigError::ZeroTimeout));
    assert_eq!(token().with_max_loads(0).build().err(), Some(ConfigError::MaxLoads));
    assert_eq!(
        request().with_identity_sources([header(), header()]).build().err(),
        Some(ConfigError::RepeatedIdentitySource {
            source_text: "method.request.header.authorization".into()
        })
    );
    assert_eq!(
        request().with_identity_sources([variable()]).build().err(),
        Some(ConfigError::UnknownStageVariable { name: "nope".into() })
    );
    assert_eq!(
        token().with_identity_sources([IdentitySource::query_string("token")]).build().err(),
        Some(ConfigError::TokenIdentity)
    );
    assert_eq!(
        token().with_identity_sources([header(), header()]).build().err(),
        Some(ConfigError::TokenIdentity)
    );
}
