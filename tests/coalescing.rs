//! Concurrent misses of one identity: one load, whatever becomes of those who wait for it.

mod common;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Counter, allow_all, counting, get, stage};
use http::{Method, StatusCode};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::Authorization;
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, Rejection, RejectionKind};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

/// An authorizer that counts, waits for a permit of `gate`, and then does as it is told.
fn gated<F>(asked: &Counter, gate: &Arc<Semaphore>, answer: F) -> impl Authorizer + use<F>
where
    F: Fn(usize, &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let (asked, gate) = (asked.clone(), Arc::clone(gate));
    authorizer_fn(move |event| {
        let (asked, gate, answer) = (asked.clone(), Arc::clone(&gate), answer.clone());
        async move {
            let turn = asked.hit();
            gate.acquire().await.map_err(AuthorizerError::failure)?.forget();
            answer(turn, &event)
        }
    })
}

fn cached(authorizer: impl Authorizer) -> AuthorizerLayerBuilder {
    AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default())
}

/// Sends `requests` at the same time and lets each come as far as it can.
async fn send(
    layer: &AuthorizerLayer,
    paths: impl IntoIterator<Item = String>,
) -> Vec<tokio::task::JoinHandle<(StatusCode, Option<RejectionKind>)>> {
    let tasks = paths.into_iter().map(|path| {
        let service = layer.layer(counting(&Counter::default()));
        tokio::spawn(async move {
            let response = service.oneshot(get(&path, "token")).await.unwrap();
            (response.status(), response.extensions().get::<Rejection>().map(Rejection::kind))
        })
    });
    let tasks = tasks.collect();
    settle().await;
    tasks
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn five_hundred_concurrent_misses_are_one_load_and_each_is_judged_by_its_own_path() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let even_only = |_: usize, event: &AuthorizerEvent| {
        let policy = event.policy().allow(Method::GET, "/even/*").deny(Method::GET, "/even/4").build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    };
    let layer = cached(gated(&asked, &gate, even_only)).with_max_loads(1).build().unwrap();
    let path = |i: usize| if i.is_multiple_of(2) { format!("/even/{i}") } else { format!("/odd/{i}") };
    let tasks = send(&layer, (0..500).map(path)).await;
    assert_eq!(asked.count(), 1);
    gate.add_permits(1);
    for (i, task) in tasks.into_iter().enumerate() {
        let expected = match i {
            4 => (StatusCode::FORBIDDEN, Some(RejectionKind::ExplicitDeny)),
            i if i.is_multiple_of(2) => (StatusCode::OK, None),
            _ => (StatusCode::FORBIDDEN, Some(RejectionKind::ImplicitDeny)),
        };
        assert_eq!(task.await.unwrap(), expected, "request {i}");
    }
    let statistics = layer.cache_statistics();
    assert_eq!(
        (statistics.misses, statistics.loads, statistics.coalesced, statistics.hits),
        (500, 1, 499, 0)
    );
    send(&layer, ["/even/2".to_owned()]).await;
    assert_eq!((asked.count(), layer.cache_statistics().hits), (1, 1));
}

#[tokio::test]
async fn the_others_are_answered_when_the_first_client_goes_away() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let layer = cached(gated(&asked, &gate, |_, event| allow_all(event))).build().unwrap();
    {
        let mut first = pin!(layer.layer(counting(&Counter::default())).oneshot(get("/a", "token")));
        poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        // Gone.
    }
    let tasks = send(&layer, ["/b".to_owned(), "/c".to_owned()]).await;
    gate.add_permits(1);
    for task in tasks {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
    }
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn a_client_that_never_begins_to_wait_holds_nobody_up() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(8)));
    let layer = cached(gated(&asked, &gate, |_, event| allow_all(event))).build().unwrap();
    let unpolled = tower::Service::call(&mut layer.layer(counting(&Counter::default())), get("/a", "token"));
    for task in send(&layer, ["/b".to_owned()]).await {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
    }
    assert_eq!(asked.count(), 1);
    // Whoever comes late finds the answer that has come in meanwhile.
    assert_eq!(unpolled.await.unwrap().status(), StatusCode::OK);
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn a_panic_reaches_everybody_and_the_key_is_usable_again() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let authorizer = gated(&asked, &gate, |turn, event| {
        assert!(turn > 1, "the first load panics");
        allow_all(event)
    });
    let layer = cached(authorizer).with_max_loads(1).build().unwrap();
    let tasks = send(&layer, (0..50).map(|i| format!("/{i}"))).await;
    gate.add_permits(2);
    for task in tasks {
        let refused = (StatusCode::INTERNAL_SERVER_ERROR, Some(RejectionKind::AuthorizerPanic));
        assert_eq!(task.await.unwrap(), refused);
    }
    for task in send(&layer, ["/again".to_owned()]).await {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
    }
    assert_eq!(asked.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_out_reaches_everybody_and_nothing_is_kept() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let layer = cached(gated(&asked, &gate, |_, event| allow_all(event)))
        .with_timeout(Duration::from_secs(2))
        .with_max_loads(1)
        .build()
        .unwrap();
    for round in 1..=2 {
        for task in send(&layer, (0..20).map(|i| format!("/{i}"))).await {
            let refused = (StatusCode::INTERNAL_SERVER_ERROR, Some(RejectionKind::AuthorizerTimeout));
            assert_eq!(task.await.unwrap(), refused);
        }
        assert_eq!(asked.count(), round);
        settle().await;
    }
}

#[tokio::test]
async fn errors_reach_everybody_and_are_not_kept() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let authorizer = gated(&asked, &gate, |turn, event| match turn {
        1 => Err(AuthorizerError::unauthorized()),
        2 => Err(AuthorizerError::failure("out of order")),
        _ => allow_all(event),
    });
    let layer = cached(authorizer).build().unwrap();
    for expected in [
        (StatusCode::UNAUTHORIZED, Some(RejectionKind::Unauthorized)),
        (StatusCode::INTERNAL_SERVER_ERROR, Some(RejectionKind::AuthorizerFailure)),
        (StatusCode::OK, None),
    ] {
        let tasks = send(&layer, (0..10).map(|i| format!("/{i}"))).await;
        gate.add_permits(1);
        for task in tasks {
            assert_eq!(task.await.unwrap(), expected);
        }
    }
    assert_eq!(asked.count(), 3);
}

#[tokio::test]
async fn an_answer_that_may_not_be_reused_is_not_shared_either() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(100)));
    let authorizer = gated(&asked, &gate, |_, event| Ok(allow_all(event)?.with_max_age(Duration::ZERO)));
    let gate_shut = gate.forget_permits(100);
    let layer = cached(authorizer).build().unwrap();
    let tasks = send(&layer, (0..10).map(|i| format!("/{i}"))).await;
    gate.add_permits(gate_shut);
    for task in tasks {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
    }
    assert_eq!(asked.count(), 10, "everybody's own answer");
    assert_eq!(layer.cache_statistics().loads, 10);
}

#[tokio::test]
async fn a_waiter_whose_answer_has_expired_meanwhile_loads_once_more() {
    let (asked, gate, clock) = (Counter::default(), Arc::new(Semaphore::new(0)), ManualClock::default());
    let authorizer =
        gated(&asked, &gate, |_, event| Ok(allow_all(event)?.with_max_age(Duration::from_secs(5))));
    let cache = Hooked::default();
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_cache(cache.clone())
        .with_clock(clock.clone())
        .build()
        .unwrap();
    // The answer is kept; before anybody who waits is told, its time is over.
    let passes: Hook = Box::new(move || clock.advance(Duration::from_secs(6)));
    *cache.hooks.lock().unwrap() = Some([Box::new(|| ()), passes]);
    let tasks = send(&layer, (0..3).map(|i| format!("/{i}"))).await;
    assert_eq!(asked.count(), 1);
    gate.add_permits(10);
    for task in tasks {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
    }
    assert_eq!(
        asked.count(),
        3,
        "whoever asked has an answer of its own, the two that waited ask for themselves"
    );
}

#[tokio::test]
async fn whoever_comes_while_an_answer_is_being_stored_shares_it() {
    let (asked, cache) = (Counter::default(), Hooked::default());
    let authorizer = gated(&asked, &Arc::new(Semaphore::new(2)), |_, event| allow_all(event));
    let layer = AuthorizerLayer::token(authorizer, stage()).with_cache(cache.clone()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let later = Arc::new(Mutex::new(None));
    let asks: Hook = Box::new({
        let (service, later) = (service.clone(), Arc::clone(&later));
        move || {
            let mut request = Box::pin(service.clone().oneshot(get("/x", "token")));
            assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            *later.lock().unwrap() = Some(request);
        }
    });
    *cache.hooks.lock().unwrap() = Some([asks, Box::new(|| ())]);
    assert_eq!(service.oneshot(get("/x", "token")).await.unwrap().status(), StatusCode::OK);
    let later = later.lock().unwrap().take().unwrap();
    assert_eq!(later.await.unwrap().status(), StatusCode::OK);
    assert_eq!((asked.count(), layer.cache_statistics().coalesced), (1, 1));
}

#[tokio::test]
async fn whoever_comes_after_an_invalidation_does_not_join_a_load_from_before() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let authorizer = gated(&asked, &gate, |turn, event| match turn {
        1 => allow_all(event),
        _ => Err(AuthorizerError::unauthorized()),
    });
    let layer = cached(authorizer).build().unwrap();
    let before = send(&layer, ["/before".to_owned()]).await;
    layer.invalidate_principal("me");
    let after = send(&layer, ["/after".to_owned()]).await;
    assert_eq!(asked.count(), 2);
    gate.add_permits(2);
    for task in before {
        assert_eq!(task.await.unwrap().0, StatusCode::OK);
    }
    for task in after {
        assert_eq!(task.await.unwrap().0, StatusCode::UNAUTHORIZED);
    }
    settle().await;
    let last = send(&layer, ["/last".to_owned()]).await;
    assert_eq!(asked.count(), 3, "nothing was kept of either");
    gate.add_permits(1);
    for task in last {
        assert_eq!(task.await.unwrap().0, StatusCode::UNAUTHORIZED);
    }
}

#[test]
fn a_runtime_that_shuts_down_leaves_nobody_waiting_for_ever() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let layer = cached(gated(&asked, &gate, |_, event| allow_all(event))).build().unwrap();
    let build = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = build();
    let begun = first.block_on(send(&layer, ["/a".to_owned()]));
    let second = build();
    let waiting = second.block_on(send(&layer, ["/b".to_owned()]));
    drop(begun);
    drop(first);
    for task in waiting {
        let refused = (StatusCode::INTERNAL_SERVER_ERROR, Some(RejectionKind::AuthorizerFailure));
        assert_eq!(second.block_on(task).unwrap(), refused);
    }
}

#[tokio::test]
async fn whoever_asks_alone_in_the_end_is_told_the_id_that_the_authorizer_was_told() {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let gate = Arc::new(Semaphore::new(0));
    let authorizer = gated(&Counter::default(), &gate, {
        let ids = Arc::clone(&ids);
        move |_, event| {
            ids.lock().unwrap().push(event.request_id().unwrap().to_owned());
            let nothing = AuthorizerResponse::new("me", event.policy().build()?)?;
            Ok(nothing.with_max_age(Duration::ZERO))
        }
    });
    let layer = AuthorizerLayer::request(authorizer, stage())
        .with_identity_sources([IdentitySource::header(http::header::AUTHORIZATION)])
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let ask = || async { service.clone().oneshot(get("/a", "token")).await.unwrap() };
    let open = async {
        settle().await;
        gate.add_permits(2);
    };
    let (one, another, ()) = tokio::join!(ask(), ask(), open);
    let mut told = [one, another].map(|response| {
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        response.headers()["x-amzn-requestid"].to_str().unwrap().to_owned()
    });
    let mut ids = ids.lock().unwrap();
    told.sort();
    ids.sort();
    assert_eq!(told[..], ids[..]);
}

#[test]
fn nobody_waits_for_ever_for_a_runtime_that_stands_still() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (still, driven) = (runtime(), runtime());
    let gate = Arc::new(Semaphore::new(0));
    let layer = cached(gated(&Counter::default(), &gate, |_, event| allow_all(event))).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    still.block_on(async {
        let mut first = pin!(service.clone().oneshot(get("/a", "token")));
        poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    });
    let response = driven.block_on(async {
        let second = service.clone().oneshot(get("/a", "token"));
        tokio::time::timeout(Duration::from_secs(60), second).await.expect("it hangs").unwrap()
    });
    let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
    assert_eq!(kind, Some(RejectionKind::AuthorizerTimeout));
    // Whoever comes next does not wait for it again.
    gate.add_permits(2);
    let response = driven.block_on(service.oneshot(get("/a", "token"))).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    drop(still);
}

#[test]
fn whoever_leads_a_load_is_answered_though_its_runtime_stands_still() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (still, driven) = (runtime(), runtime());
    let gate = Arc::new(Semaphore::new(0));
    let hanging = || gated(&Counter::default(), &gate, |_, event| allow_all(event));
    // With others to share the load with, and without.
    for layer in [cached(hanging()), AuthorizerLayer::token(hanging(), stage())] {
        let service = layer.build().unwrap().layer(counting(&Counter::default()));
        let mut request = Box::pin(service.oneshot(get("/a", "token")));
        still.block_on(poll_fn(|cx| {
            assert!(request.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        }));
        let response = driven.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), request).await.expect("it hangs").unwrap()
        });
        let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
        assert_eq!(kind, Some(RejectionKind::AuthorizerTimeout));
    }
}

/// A cache in whose `insert` somebody acts once, before the answer is there and after.
#[derive(Clone, Default)]
struct Hooked {
    inner: Arc<MemoryCache>,
    hooks: Arc<Mutex<Option<[Hook; 2]>>>,
}

type Hook = Box<dyn Fn() + Send + Sync>;

impl AuthorizerCache for Hooked {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.inner.get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        let hooks = self.hooks.lock().unwrap().take();
        if let Some([before, _]) = &hooks {
            before();
        }
        self.inner.insert(key, authorization);
        if let Some([_, after]) = &hooks {
            after();
        }
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.inner.remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.inner.retain(keep);
    }
}

/// The hooks stand for two other threads, and do what those may do while an answer is being stored.
#[tokio::test]
async fn an_answer_from_before_an_invalidation_is_no_hit_after_it() {
    let (asked, cache) = (Counter::default(), Hooked::default());
    let authorizer = gated(&asked, &Arc::new(Semaphore::new(2)), |turn, event| match turn {
        1 => allow_all(event),
        _ => Err(AuthorizerError::unauthorized()),
    });
    let layer = AuthorizerLayer::token(authorizer, stage()).with_cache(cache.clone()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let later = Arc::new(Mutex::new(None));
    let invalidates: Hook = Box::new(move || layer.invalidate_all());
    let asks: Hook = Box::new({
        let (service, later) = (service.clone(), Arc::clone(&later));
        move || {
            let mut request = pin!(service.clone().oneshot(get("/x", "token")));
            let Poll::Ready(response) = request.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("the authorizer answers at once");
            };
            *later.lock().unwrap() = Some(response.unwrap().status());
        }
    });
    *cache.hooks.lock().unwrap() = Some([invalidates, asks]);
    let first = service.oneshot(get("/x", "token")).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK, "it began before");
    assert_eq!(*later.lock().unwrap(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(asked.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_random_tokens_stay_within_bounds() {
    let layer_cache =
        Arc::new(MemoryCache::builder().with_max_entries(1_000).with_max_bytes(1024 * 1024).build());
    let layer = AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage())
        .with_cache(Arc::clone(&layer_cache))
        .build()
        .unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let halves = [0..500_000, 500_000..1_000_000].map(|tokens| {
        let (service, layer_cache) = (service.clone(), Arc::clone(&layer_cache));
        tokio::spawn(async move {
            for i in tokens {
                let response = service.clone().oneshot(get("/a", &format!("token {i}"))).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                if i % 10_000 == 0 {
                    assert!(layer_cache.len() <= 1_000, "{}", layer_cache.len());
                }
            }
        })
    });
    for half in halves {
        half.await.unwrap();
    }
    assert!((500..=1_000).contains(&layer_cache.len()), "{}", layer_cache.len());
    let statistics = layer.cache_statistics();
    assert_eq!((statistics.loads, statistics.hits), (1_000_000, 0));
    assert_eq!(statistics.evictions, 1_000_000 - layer_cache.len() as u64);
}

#[tokio::test]
async fn bytes_are_bounded_also_where_entries_are_not() {
    for (entries, bytes) in [(usize::MAX, 64 * 1024), (1_000_000_000, 64 * 1024), (10, 0)] {
        let layer_cache =
            Arc::new(MemoryCache::builder().with_max_entries(entries).with_max_bytes(bytes).build());
        let layer = AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage())
            .with_cache(Arc::clone(&layer_cache))
            .build()
            .unwrap();
        let service = layer.layer(counting(&Counter::default()));
        for i in 0..2_000 {
            service.clone().oneshot(get("/a", &format!("{i:0200}"))).await.unwrap();
        }
        assert!(layer_cache.len() * 200 <= bytes, "{entries}: {} tokens", layer_cache.len());
    }
}

/// A cache that an application brings along.
#[derive(Default)]
struct OwnCache(Mutex<Vec<(CacheKey, Arc<Authorization>)>>);

impl AuthorizerCache for OwnCache {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        let entries = self.0.lock().unwrap();
        entries.iter().find(|(known, _)| key.equals(known)).map(|(_, found)| Arc::clone(found))
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        let mut entries = self.0.lock().unwrap();
        entries.retain(|(known, _)| *known != key);
        entries.push((key, authorization));
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.0.lock().unwrap().retain(|(known, _)| !key.equals(known));
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.0.lock().unwrap().retain(|(key, authorization)| keep(key, authorization));
    }
}

#[tokio::test]
async fn another_cache_can_take_the_place_of_ours() {
    let asked = Counter::default();
    let authorizer = gated(&asked, &Arc::new(Semaphore::new(100)), |_, event| allow_all(event));
    let layer = AuthorizerLayer::token(authorizer, stage()).with_cache(OwnCache::default()).build().unwrap();
    for round in 0..3 {
        for task in send(&layer, [format!("/{round}")]).await {
            assert_eq!(task.await.unwrap(), (StatusCode::OK, None));
        }
    }
    assert_eq!(asked.count(), 1);
    layer.invalidate_identity(["token"]);
    send(&layer, ["/again".to_owned()]).await;
    assert_eq!(asked.count(), 2);
    layer.invalidate_identity(["another token"]);
    send(&layer, ["/again".to_owned()]).await;
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn a_refusal_of_one_request_only_has_the_others_ask_for_themselves() {
    let (asked, gate) = (Counter::default(), Arc::new(Semaphore::new(0)));
    let layer = cached(gated(&asked, &gate, |_, event| match event.arn().path() {
        Some("/open") => allow_all(event),
        _ => Err(AuthorizerError::unauthorized().unshared()),
    }));
    let layer = layer.build().unwrap();
    let tasks = send(&layer, ["/closed", "/open", "/open", "/other"].map(str::to_owned)).await;
    assert_eq!(asked.count(), 1);
    gate.add_permits(10);
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().0.as_u16());
    }
    assert_eq!((statuses, asked.count()), (vec![401, 200, 200, 401], 4));
    // A failure is no refusal: it is everybody's.
    let failure = AuthorizerError::failure("the directory does not answer").unshared();
    assert_eq!(failure.to_string(), "the directory does not answer");
}

/// tokio's timers wait for the budget of the task they are in, and an authorizer may use that up each time.
#[tokio::test(start_paused = true)]
async fn an_authorizer_that_leaves_no_budget_is_stopped_in_time_and_gives_its_permit_back() {
    for is_cached in [true, false] {
        let greedy = authorizer_fn(async |event| {
            let times = if event.token() == Some("greedy") { 1_000_000 } else { 0 };
            for _ in 0..times {
                tokio::task::coop::consume_budget().await;
            }
            allow_all(&event)
        });
        let builder = AuthorizerLayer::token(greedy, stage()).with_max_loads(1);
        let builder = if is_cached { builder.with_cache(MemoryCache::default()) } else { builder };
        let layer = builder.build().unwrap();
        let ticking = tokio::spawn(async {
            loop {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        });
        let service = layer.layer(counting(&Counter::default()));
        let refused = service.clone().oneshot(get("/a", "greedy")).await.unwrap();
        let kind = refused.extensions().get::<Rejection>().map(Rejection::kind);
        assert_eq!(kind, Some(RejectionKind::AuthorizerTimeout), "{is_cached}");
        assert_eq!(service.oneshot(get("/a", "other")).await.unwrap().status(), StatusCode::OK);
        ticking.abort();
    }
}
