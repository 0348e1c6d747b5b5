//! What goes wrong at run time: in the authorizer, in the service behind the layer, in whatever else is plugged in, in
//! the clock. Nothing hangs, nothing is let through, and the next request is served.

mod common;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use common::{Counter, allow_all, counting, get, stage};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::Authorization;
use tower_lambda_authorizer::middleware::{
    AuthorizerLayerBuilder, Rejection, RejectionKind, ResponseForRejection,
};
use tower_lambda_authorizer::policy::{AnyMethod, ConditionValue, PolicyDocument};
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// A future that is ready at once, or after a while, and panics when it is dropped.
struct Explosive<F>(Pin<Box<F>>, Bomb);

impl<F: Future> Future for Explosive<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// An authorizer whose every answer panics when it is dropped.
struct ExplosiveAuthorizer;

impl Authorizer for ExplosiveAuthorizer {
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        let answer = async move {
            match event.token() {
                Some("at once") => {}
                Some("never") => std::future::pending().await,
                _ => tokio::task::yield_now().await,
            }
            allow_all(&event)
        };
        Explosive(Box::pin(answer), Bomb)
    }
}

/// An authorizer that does what the token says.
async fn as_told(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    match event.token().unwrap_or_default() {
        "panic at once" => panic!("at once"),
        "panic later" => {
            tokio::task::yield_now().await;
            panic!("later");
        }
        "panic much later" => {
            sleep(Duration::from_secs(2)).await;
            panic!("much later");
        }
        "panic with a bomb" => std::panic::panic_any(Bomb),
        "panic with a bomb later" => {
            tokio::task::yield_now().await;
            std::panic::panic_any(Bomb)
        }
        "panic at the end" => {
            let _bomb = Bomb;
            tokio::task::yield_now().await;
        }
        "hang" => std::future::pending().await,
        "hang with a bomb" => {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        "wake for ever" => loop {
            tokio::task::yield_now().await;
        },
        "late" => sleep(Duration::from_secs(11)).await,
        "allocate" => {
            let much = vec![1_u8; 64 << 20];
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(&much).iter().step_by(4096).all(|byte| *byte == 1));
        }
        "a long policy" => {
            let statement = r#"{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:*"},"#;
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
                statement.repeat(100_000).trim_end_matches(',')
            );
            return Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&policy)?)?);
        }
        "a long name" => {
            return Ok(AuthorizerResponse::new("m".repeat(1 << 20), event.policy().build()?)?);
        }
        "an error with a chain" => {
            let error =
                (0..10_000).fold(std::io::Error::other("end"), |error, _| std::io::Error::other(error));
            return Err(AuthorizerError::failure(error));
        }
        "a block" => std::thread::sleep(Duration::from_millis(5)),
        _ => {}
    }
    allow_all(&event)
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn builder(authorizer: impl Authorizer, caching: bool) -> AuthorizerLayerBuilder {
    let builder = AuthorizerLayer::token(authorizer, stage()).with_max_loads(1);
    if caching { builder.with_cache(MemoryCache::default()) } else { builder }
}

/// Asks until an answer comes; the status and whether a handler ran. Gives up after an hour of paused time.
async fn ask<S, B>(service: &S, calls: &Counter, request: Request<()>) -> (u16, usize)
where
    S: Service<Request<()>, Response = Response<B>, Error = std::convert::Infallible> + Clone,
{
    let before = calls.count();
    let asked = tokio::time::timeout(Duration::from_secs(3600), service.clone().oneshot(request));
    let Ok(response) = asked.await.expect("it hangs");
    (response.status().as_u16(), calls.count() - before)
}

#[test]
fn whatever_an_authorizer_does_the_next_request_is_served() {
    for caching in [false, true] {
        let calls = Counter::default();
        let service = builder(authorizer_fn(as_told), caching).build().unwrap().layer(counting(&calls));
        for (token, status) in [
            ("panic at once", 500),
            ("panic later", 500),
            ("panic much later", 500),
            ("panic with a bomb", 500),
            ("panic with a bomb later", 500),
            ("panic at the end", 500),
            ("hang", 500),
            ("hang with a bomb", 500),
            ("late", 500),
            ("allocate", 200),
            ("a long policy", 200),
            ("a long name", 500),
            ("an error with a chain", 500),
            ("a block", 200),
        ] {
            paused().block_on(async {
                let expected = (status, usize::from(status == 200));
                assert_eq!(
                    ask(&service, &calls, get("/a", token)).await,
                    expected,
                    "{token}, cached: {caching}"
                );
                // There is one permit: it would be missed.
                assert_eq!(
                    ask(&service, &calls, get("/a", "fine")).await,
                    (200, 1),
                    "after {token}: {caching}"
                );
            });
        }
    }
}

/// On a runtime with real time: what is always ready to run is stopped by the time-out as well.
#[test]
fn an_authorizer_that_never_rests_is_stopped_in_time() {
    for caching in [false, true] {
        let calls = Counter::default();
        let layer = builder(authorizer_fn(as_told), caching).with_timeout(Duration::from_millis(200));
        let service = layer.build().unwrap().layer(counting(&calls));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            assert_eq!(ask(&service, &calls, get("/a", "wake for ever")).await, (500, 0));
            assert_eq!(ask(&service, &calls, get("/a", "fine")).await, (200, 1));
        });
    }
}

#[test]
fn a_panic_in_a_destructor_ends_with_its_request() {
    for caching in [false, true] {
        let calls = Counter::default();
        let service = builder(ExplosiveAuthorizer, caching).build().unwrap().layer(counting(&calls));
        paused().block_on(async {
            for token in ["at once", "later", "never", "at once again", "later again"] {
                let (status, ran) = ask(&service, &calls, get("/a", token)).await;
                // The answer of an authorizer that panics at the end counts for nothing.
                let expected = (500, 0);
                assert_eq!((status, ran), expected, "{token}, cached: {caching}");
            }
            // Dropped by a client that goes away.
            let mut gone = Box::pin(service.clone().oneshot(get("/a", "never")));
            assert!(poll_fn(|cx| Poll::Ready(gone.as_mut().poll(cx).is_pending())).await);
            drop(gone);
            sleep(Duration::from_secs(11)).await;
            assert_eq!(ask(&service, &calls, get("/a", "one more")).await, (500, 0), "cached: {caching}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waits_for_a_failing_load_is_told() {
    for (token, kind) in [
        ("panic later", RejectionKind::AuthorizerPanic),
        ("panic with a bomb later", RejectionKind::AuthorizerPanic),
        ("panic at the end", RejectionKind::AuthorizerPanic),
        ("hang", RejectionKind::AuthorizerTimeout),
        ("hang with a bomb", RejectionKind::AuthorizerTimeout),
        ("late", RejectionKind::AuthorizerTimeout),
    ] {
        let calls = Counter::default();
        let service = builder(authorizer_fn(as_told), true).build().unwrap().layer(counting(&calls));
        let waiting: Vec<_> =
            (0..100).map(|_| tokio::spawn(service.clone().oneshot(get("/a", token)))).collect();
        for task in waiting {
            let response = task.await.unwrap().unwrap();
            let told = response.extensions().get::<Rejection>().map(Rejection::kind);
            assert_eq!(told, Some(kind), "{token}");
        }
        assert_eq!(calls.count(), 0, "{token}");
        assert_eq!(ask(&service, &calls, get("/a", "fine")).await, (200, 1), "{token}");
    }
}

// ---------------------------------------------------------------- clients that go away

/// Polls a request so many times, lets everything else run in between, and drops it.
async fn abandon<S>(service: &S, request: Request<()>, polls: usize) -> bool
where
    S: Service<Request<()>> + Clone,
{
    let mut future = Box::pin(service.clone().oneshot(request));
    for _ in 0..polls {
        let is_over = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if is_over {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// A service that takes several polls, and counts those of its futures that are still alive.
fn slow(
    calls: &Counter,
    alive: &Arc<AtomicUsize>,
) -> impl Service<
    Request<()>,
    Response = Response<String>,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<Response<String>, std::convert::Infallible>> + Send,
> + Clone {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let (calls, alive) = (calls.clone(), Arc::clone(alive));
    tower::service_fn(move |_: Request<()>| {
        calls.hit();
        alive.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&alive));
        async move {
            let _alive = alive;
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok(Response::new(String::new()))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_client_may_go_away_at_every_stage() {
    for caching in [false, true] {
        let (calls, alive) = (Counter::default(), Arc::<AtomicUsize>::default());
        let authorizer = authorizer_fn(async |event| {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            allow_all(&event)
        });
        let service = builder(authorizer, caching).build().unwrap().layer(slow(&calls, &alive));
        let mut finished = 0;
        for polls in 0..20 {
            let token = format!("client {polls}");
            finished += usize::from(abandon(&service, get("/a", &token), polls).await);
            // A load that others could use goes on without its client, and holds the permit until it is done.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert_eq!(alive.load(Ordering::SeqCst), 0, "{polls}");
            assert_eq!(
                ask(&service, &calls, get("/a", "fine")).await,
                (200, 1),
                "{polls}, cached: {caching}"
            );
        }
        assert!((5..18).contains(&finished), "some went away before the end, and some did not: {finished}");
    }
}

// ---------------------------------------------------------------- a service of limited readiness

/// A service that is ready for so many requests at once, and minds being called without having been ready.
struct Limited {
    places: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
    waiting: Option<Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    calls: Counter,
}

impl Limited {
    fn new(places: usize, calls: &Counter) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), place: None, waiting: None, calls: calls.clone() }
    }
}

impl Clone for Limited {
    fn clone(&self) -> Self {
        Self { places: Arc::clone(&self.places), place: None, waiting: None, calls: self.calls.clone() }
    }
}

impl Service<Request<()>> for Limited {
    type Response = Response<String>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.place.is_none() {
            let places = &self.places;
            let waiting = self.waiting.get_or_insert_with(|| {
                let places = Arc::clone(places);
                Box::pin(async move { places.acquire_owned().await.unwrap() })
            });
            self.place = Some(std::task::ready!(waiting.as_mut().poll(cx)));
            self.waiting = None;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let place = self.place.take().expect("called without having been ready");
        self.calls.hit();
        Box::pin(async move {
            tokio::task::yield_now().await;
            drop(place);
            Ok(Response::new(String::new()))
        })
    }
}

/// Everybody is told who asks about `/denied`.
async fn allow_most(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    match event.token() {
        Some("hang") => std::future::pending().await,
        Some("no") => return Err(AuthorizerError::unauthorized()),
        Some("at once" | "cached") => {}
        _ => tokio::task::yield_now().await,
    }
    let policy = event.policy().allow(AnyMethod, "/*").deny(AnyMethod, "/denied").build()?;
    Ok(AuthorizerResponse::new("me", policy)?)
}

const REQUESTS: [(&str, &str, u16); 7] = [
    ("/a", "later", 200),
    ("/denied", "later", 403),
    ("/a", "no", 401),
    ("/a", "at once", 200),
    ("/denied", "at once", 403),
    ("/%zz", "at once", 400),
    ("/a", "hang", 500),
];

#[tokio::test(start_paused = true)]
async fn a_place_of_the_inner_service_is_taken_once_and_given_back() {
    for caching in [false, true] {
        let calls = Counter::default();
        let inner = Limited::new(2, &calls);
        let places = Arc::clone(&inner.places);
        let service =
            builder(authorizer_fn(allow_most), caching).with_max_loads(64).build().unwrap().layer(inner);
        for round in 0..3 {
            for (path, token, status) in REQUESTS {
                let got = ask(&service, &calls, get(path, token)).await;
                assert_eq!(got, (status, usize::from(status == 200)), "{path} {token} {round} {caching}");
                assert_eq!(places.available_permits(), 2, "{path} {token} {round} {caching}");
            }
            // More at once than there are places.
            let before = calls.count();
            let many = REQUESTS.iter().cycle().take(70);
            let tasks: Vec<_> = many
                .map(|(path, token, status)| {
                    (status, tokio::spawn(service.clone().oneshot(get(path, token))))
                })
                .collect();
            for (status, task) in tasks {
                assert_eq!(task.await.unwrap().unwrap().status().as_u16(), *status, "{caching}");
            }
            assert_eq!(calls.count() - before, 20);
            assert_eq!(places.available_permits(), 2, "{caching}");
        }
    }
}

/// Servers may keep a service for as long as a connection lives. One that was refused must not sit on a place.
#[tokio::test(start_paused = true)]
async fn a_refused_connection_that_idles_takes_no_place_of_the_inner_service() {
    for caching in [false, true] {
        for (path, token, status) in REQUESTS {
            let calls = Counter::default();
            let inner = Limited::new(1, &calls);
            let places = Arc::clone(&inner.places);
            let layer = builder(authorizer_fn(allow_most), caching).build().unwrap();
            let mut idle = layer.layer(inner);
            let other = idle.clone();
            // Twice, so that the second is decided by what was remembered.
            for _ in 0..2 {
                let response = idle.ready().await.unwrap().call(get(path, token)).await.unwrap();
                assert_eq!(response.status().as_u16(), status);
                assert_eq!(places.available_permits(), 1, "{path} {token}, cached: {caching}");
            }
            let next = tokio::time::timeout(Duration::from_secs(3600), other.oneshot(get("/a", "at once")));
            assert_eq!(
                next.await.expect("it hangs").unwrap().status(),
                200,
                "{path} {token}, cached: {caching}"
            );
            drop(idle);
        }
    }
}

// ---------------------------------------------------------------- whatever else is plugged in

/// Panics whenever it is told to.
#[derive(Clone, Default)]
struct Fuse(Arc<AtomicBool>);

impl Fuse {
    fn set(&self, burns: bool) {
        self.0.store(burns, Ordering::SeqCst);
    }

    fn burn(&self) {
        assert!(!self.0.load(Ordering::SeqCst), "a fuse");
    }
}

struct FusedCache {
    cache: MemoryCache,
    get: Fuse,
    insert: Fuse,
    retain: Fuse,
}

impl AuthorizerCache for FusedCache {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.get.burn();
        self.cache.get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.insert.burn();
        self.cache.insert(key, authorization);
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.cache.remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.retain.burn();
        self.cache.retain(keep);
    }
}

#[derive(Clone)]
struct FusedResponses(Fuse);

impl ResponseForRejection<String> for FusedResponses {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<String> {
        self.0.burn();
        let mut response = Response::new(String::new());
        *response.status_mut() = rejection.status();
        response
    }
}

#[derive(Clone)]
struct FusedClock(ManualClock, Fuse);

impl Clock for FusedClock {
    fn monotonic(&self) -> Duration {
        self.1.burn();
        self.0.monotonic()
    }

    fn wall(&self) -> Duration {
        self.0.wall()
    }
}

/// A part that panics takes its request along, lets nothing through, and leaves no lock behind.
#[test]
fn a_part_that_panics_harms_its_own_request_only() {
    let fuses: [Fuse; 6] = std::array::from_fn(|_| Fuse::default());
    let [get_fuse, insert, retain, keys, responses, clock] = fuses.clone();
    let authorizer = authorizer_fn(async |event| {
        if event.token().is_some_and(|token| token.starts_with("later")) {
            tokio::task::yield_now().await;
        }
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"execute-api:Invoke",
                "Resource":"{}*","Condition":{{"StringEquals":{{"app:key":"value"}}}}}}}}"#,
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/",
        );
        Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&text)?)?)
    });
    let cache = FusedCache { cache: MemoryCache::default(), get: get_fuse, insert, retain };
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_max_loads(1)
        .with_cache(cache)
        .with_clock(FusedClock(ManualClock::default(), clock))
        .with_condition_keys(move |_, _| {
            keys.burn();
            ConditionValue::from("value")
        })
        .with_rejection_response(FusedResponses(responses))
        .build()
        .unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    let attempt = |token: &str| {
        let runtime = paused();
        let request = get("/a", token);
        catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async { service.clone().oneshot(request).await.unwrap().status() })
        }))
        .ok()
    };
    for (at, fuse) in fuses.iter().enumerate() {
        for token in ["at once", "later", "", "later too"] {
            let token = if token.is_empty() { String::new() } else { format!("{token} {at}") };
            fuse.set(true);
            let before = calls.count();
            let status = attempt(&token);
            fuse.set(false);
            // What panics where nothing is decided does no harm at all.
            let ran = calls.count() - before;
            assert_eq!(ran, usize::from(status == Some(StatusCode::OK)), "{at}: {token:?} {status:?}");
            assert!(at == 2 || at == 4 || status != Some(StatusCode::OK), "{at}: {token:?} {status:?}");
            // Nobody waits for the load that was lost, and the one permit is back.
            let expected = if token.is_empty() { 401 } else { 200 };
            assert_eq!(attempt(&token).map(|status| status.as_u16()), Some(expected), "{at}: {token:?}");
            assert_eq!(
                attempt(&format!("{token} x")).map(|status| status.as_u16()),
                Some(200),
                "{at}: {token:?}"
            );
        }
    }
    let retain = &fuses[2];
    retain.set(true);
    assert!(catch_unwind(AssertUnwindSafe(|| layer.invalidate_all())).is_err());
    retain.set(false);
    layer.invalidate_all();
    assert_eq!(attempt("at once"), Some(StatusCode::OK));
}

/// A panic while an authorizer holds its own lock is its own affair: the layer has none that it could poison.
#[tokio::test(start_paused = true)]
async fn a_poisoned_authorizer_fails_and_does_not_hang() {
    let state = Arc::new(std::sync::Mutex::new(0));
    let own = Arc::clone(&state);
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
        let own = Arc::clone(&own);
        async move {
            let mut held = own.lock().unwrap();
            *held += 1;
            assert!(event.token() != Some("poison"), "poisoned");
            allow_all(&event)
        }
    });
    for caching in [false, true] {
        let calls = Counter::default();
        let shared = Arc::new(SharedCopy(authorizer.clone()));
        let service = builder(shared, caching).build().unwrap().layer(counting(&calls));
        state.clear_poison();
        assert_eq!(ask(&service, &calls, get("/a", "fine")).await, (200, 1));
        assert_eq!(ask(&service, &calls, get("/a", "poison")).await, (500, 0));
        for _ in 0..3 {
            assert_eq!(ask(&service, &calls, get("/a", "anybody")).await, (500, 0));
        }
        // What was remembered still holds.
        assert_eq!(ask(&service, &calls, get("/a", "fine")).await.0, if caching { 200 } else { 500 });
    }
}

/// An authorizer in an `Arc`, as applications have them.
struct SharedCopy<A>(A);

impl<A: Authorizer> Authorizer for SharedCopy<A> {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.0.authorize(event).await
    }
}

// ---------------------------------------------------------------- clocks

/// A clock that says what it is told, in any order.
#[derive(Clone, Default)]
struct WildClock(Arc<std::sync::Mutex<(Duration, Duration)>>);

impl WildClock {
    fn set(&self, monotonic: Duration, wall: Duration) {
        *self.0.lock().unwrap() = (monotonic, wall);
    }
}

impl Clock for WildClock {
    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    fn wall(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

#[tokio::test]
async fn no_clock_is_too_wild() {
    let times = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_secs(1_767_225_600),
        Duration::from_secs(u64::from(u32::MAX)),
        Duration::from_secs(253_402_300_800),
        Duration::from_nanos(u64::MAX),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ];
    let clock = WildClock::default();
    let asked = Counter::default();
    let own = asked.clone();
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| {
        own.hit();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}},
                {{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"{}GET/late",
                  "Condition":{{"DateGreaterThan":{{"aws:CurrentTime":"2026-01-02"}}}}}}]}}"#,
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/",
        );
        let _ = event;
        async move {
            let policy = PolicyDocument::from_json(&text)?;
            Ok(AuthorizerResponse::new("me", policy)?.with_max_age(Duration::MAX))
        }
    });
    let make = || {
        let builder = AuthorizerLayer::token(authorizer.clone(), stage()).with_cache(MemoryCache::default());
        builder.with_clock(clock.clone()).build().unwrap()
    };
    let calls = Counter::default();
    let service = make().layer(counting(&calls));
    for from in times {
        for to in times {
            for (monotonic, wall) in [(from, to), (to, from), (to, to)] {
                clock.set(monotonic, wall);
                assert_eq!(
                    ask(&service, &calls, get("/a", "token")).await,
                    (200, 1),
                    "{monotonic:?} {wall:?}"
                );
                // Whatever the time is, it is one: a Deny that depends on it holds, does not, or is a 500.
                let (status, ran) = ask(&service, &calls, get("/late", "token")).await;
                assert!(
                    matches!((status, ran), (200, 1) | (403 | 500, 0)),
                    "{monotonic:?} {wall:?}: {status}"
                );
            }
        }
    }
    // A monotonic clock that did not go back: five minutes by either clock end an answer, however far the other went.
    clock.set(Duration::ZERO, Duration::ZERO);
    let layer = make();
    let service = layer.layer(counting(&calls));
    let base = Duration::from_secs(1_767_225_600);
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for (start, monotonic, wall) in
        [(10, minutes(5), base - minutes(500)), (20, minutes(1), base + minutes(5))]
    {
        layer.invalidate_all();
        clock.set(minutes(start), base);
        assert_eq!(ask(&service, &calls, get("/a", "token")).await, (200, 1));
        let before = asked.count();
        clock.set(minutes(start) + monotonic, wall);
        assert_eq!(ask(&service, &calls, get("/a", "token")).await, (200, 1));
        assert_eq!(asked.count(), before + 1, "{monotonic:?} {wall:?}");
    }
}

/// A header map that a client has filled to the brim is read like any other.
#[tokio::test]
async fn a_full_header_map_is_no_trouble() {
    let calls = Counter::default();
    let service = builder(authorizer_fn(async |event| allow_all(&event)), false).build().unwrap();
    let service = service.layer(counting(&calls));
    let mut request = get("/a", "token");
    let mut headers = HeaderMap::new();
    for at in 0..20_000_u32 {
        headers.append("x", at.into());
    }
    headers.extend(request.headers().clone());
    *request.headers_mut() = headers;
    let mut future = pin!(service.oneshot(request));
    assert_eq!(future.as_mut().await.unwrap().status(), 200);
    assert_eq!(calls.count(), 1);
}
