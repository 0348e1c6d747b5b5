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
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
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
