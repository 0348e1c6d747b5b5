//! A candidate beside the layer that decides: it finds what would change, and changes nothing, whatever it does.

mod common;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{Counter, counting, get, stage};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_lambda_authorizer::authorizer::{SharedAuthorizer, map_response};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::middleware::{
    ConfigError, Difference, Disagreement, Rejection, Shadow, ShadowStatistics,
};
use tower_lambda_authorizer::policy::{AnyMethod, ConditionKey, ConditionValue};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

/// Answers as its token says it should: `Bearer present=allow candidate=deny`.
#[derive(Clone)]
struct ByToken {
    role: &'static str,
    asked: Counter,
}

impl Authorizer for ByToken {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.asked.hit();
        let token = event.bearer_token().unwrap_or_default();
        let role = token.split(' ').find_map(|part| part.strip_prefix(self.role)?.strip_prefix('='));
        let allow = |principal: &str| {
            let policy = event.policy().allow(AnyMethod, "/*").build()?;
            Ok(AuthorizerResponse::new(principal, policy)?)
        };
        match role.unwrap_or_default() {
            "allow" => allow("me"),
            "other" => allow("somebody else"),
            "later" => {
                tokio::task::yield_now().await;
                allow("me")
            }
            "deny" => {
                let policy = event.policy().allow(AnyMethod, "/*").deny(AnyMethod, "/*").build()?;
                Ok(AuthorizerResponse::new("me", policy)?)
            }
            "nothing" => Ok(AuthorizerResponse::new("me", event.policy().build()?)?),
            "fail" => Err(AuthorizerError::failure("out of order")),
            "panic" => panic!("as it should in this test"),
            "hang" => std::future::pending().await,
            _ => Err(AuthorizerError::unauthorized()),
        }
    }
}

fn by_token(role: &'static str) -> ByToken {
    ByToken { role, asked: Counter::default() }
}

fn candidate(authorizer: impl Authorizer) -> AuthorizerLayer {
    AuthorizerLayer::token(authorizer, stage()).build().unwrap()
}

fn present() -> AuthorizerLayer {
    candidate(by_token("present"))
}

/// Stops soon whoever hangs for ever, and nobody else.
fn told(role: &'static str, does: &str) -> AuthorizerLayer {
    let time = Duration::from_millis(if does == "hang" { 5 } else { 60_000 });
    AuthorizerLayer::token(by_token(role), stage()).with_timeout(time).build().unwrap()
}

type Outcome = (u16, String, usize);

/// Status, body, and how often the handler was called.
async fn ask(layer: &AuthorizerLayer, request: Request<()>) -> Outcome {
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    (response.status().as_u16(), response.into_body(), calls.count())
}

fn total(statistics: ShadowStatistics) -> u64 {
    statistics.agreed
        + statistics.candidate_failed
        + statistics.newly_allowed
        + statistics.newly_denied
        + statistics.other_principal
        + statistics.other_status
        + statistics.skipped
}

/// Waits until so many requests were compared or skipped.
async fn settled(shadow: &Shadow, requests: u64) -> ShadowStatistics {
    while total(shadow.statistics()) < requests {
        tokio::task::yield_now().await;
    }
    let statistics = shadow.statistics();
    assert_eq!(total(statistics), requests);
    statistics
}

const VERDICTS: [&str; 8] = ["allow", "later", "deny", "nothing", "nobody", "fail", "panic", "hang"];

#[tokio::test]
async fn whatever_a_candidate_does_the_answer_is_the_same() {
    for enforced in VERDICTS {
        let present = told("present", enforced);
        let expected = ask(&present, get("/a", &format!("Bearer present={enforced}"))).await;
        for candidate_does in VERDICTS {
            let shadow = Shadow::new(told("candidate", candidate_does));
            let layer = present.clone().with_shadow(shadow.clone()).unwrap();
            let token = format!("Bearer present={enforced} candidate={candidate_does}");
            assert_eq!(ask(&layer, get("/a", &token)).await, expected, "{token}");
            let found = settled(&shadow, 1).await;
            let (was, would) = (expected.0, candidate_does);
            let is = |would: &[&str]| would.contains(&candidate_does);
            let expected = match () {
                () if is(&["fail", "panic", "hang"]) => found.candidate_failed,
                () if was == 200 && is(&["allow", "later"]) => found.agreed,
                () if was == 200 => found.newly_denied,
                () if is(&["allow", "later"]) => found.newly_allowed,
                () if was == 403 && is(&["deny", "nothing"]) => found.agreed,
                () if was == 401 && is(&["nobody"]) => found.agreed,
                () => found.other_status,
            };
            assert_eq!(expected, 1, "was {was}, would be {would}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_disagreement_says_what_was_done_and_what_would_be() {
    let told: Arc<Mutex<Vec<(Difference, String)>>> = Arc::default();
    let tell = Arc::clone(&told);
    let shadow = Shadow::new(candidate(by_token("candidate"))).on_disagreement(move |it: &Disagreement| {
        assert_eq!((it.method().as_str(), it.path()), ("GET", "/users/1"));
        tell.lock().unwrap().push((it.difference(), it.to_string()));
    });
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for token in [
        "Bearer present=allow candidate=allow",
        "Bearer present=deny candidate=allow",
        "Bearer present=allow candidate=nothing",
        "Bearer present=allow candidate=other",
        "Bearer present=nobody candidate=deny",
        "Bearer present=allow candidate=fail",
    ] {
        let before = total(shadow.statistics());
        ask(&layer, get("/users/1?secret=1", token)).await;
        settled(&shadow, before + 1).await;
        // It is counted before it is told.
        while told.lock().unwrap().len() as u64 != before {
            tokio::task::yield_now().await;
        }
    }
    let told = told.lock().unwrap();
    let text = |index: usize| told[index].1.as_str();
    assert_eq!(
        text(0),
        "newly allowed: GET /users/1 was refused with 403: the policy denies the request (statement 1); \
         the candidate has it allowed as `me` by statement 0"
    );
    assert_eq!(
        text(1),
        "newly denied: GET /users/1 was allowed as `me` by statement 0; \
         the candidate has it refused with 403: no statement of the policy allows the request"
    );
    assert!(
        text(2).starts_with("other principal: ") && text(2).ends_with("as `somebody else` by statement 0")
    );
    assert!(text(3).starts_with("other status: GET /users/1 was refused with 401"));
    assert!(text(4).starts_with("candidate failed: "));
    assert!(told.iter().all(|(_, text)| !text.contains("secret") && !text.contains("Bearer")));
    let kinds: Vec<Difference> = told.iter().map(|(difference, _)| *difference).collect();
    assert_eq!(
        kinds,
        [
            Difference::NewlyAllowed,
            Difference::NewlyDenied,
            Difference::OtherPrincipal,
            Difference::OtherStatus,
            Difference::CandidateFailed
        ]
    );
}

/// Something to block on.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let (open, opened) = &*self.0;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// On one thread, so that whoever blocks it blocks everything.
#[tokio::test(flavor = "current_thread")]
async fn a_candidate_that_blocks_its_thread_holds_up_nobody() {
    for is_cached in [false, true] {
        let (gate, asked) = (Gate::default(), Counter::default());
        let blocking = authorizer_fn({
            let (gate, asked) = (gate.clone(), asked.clone());
            move |_event| {
                let (gate, asked) = (gate.clone(), asked.clone());
                async move {
                    asked.hit();
                    // Also after having waited for something.
                    tokio::task::yield_now().await;
                    gate.pass();
                    Err(AuthorizerError::unauthorized())
                }
            }
        });
        let candidate = AuthorizerLayer::token(blocking, stage());
        let candidate = if is_cached { candidate.with_cache(MemoryCache::default()) } else { candidate };
        let shadow = Shadow::new(candidate.build().unwrap()).with_max_running(3);
        let layer = present().with_shadow(shadow.clone()).unwrap();
        for _ in 0..50 {
            let token = "Bearer present=later";
            assert_eq!(ask(&layer, get("/a", token)).await, (200, "me".to_owned(), 1));
        }
        assert_eq!(settled(&shadow, 47).await.skipped, 47);
        gate.open();
        assert_eq!(settled(&shadow, 50).await.newly_denied, 3);
        assert_eq!(asked.count(), 3);
    }
}

#[tokio::test]
async fn a_flood_runs_no_more_candidates_than_it_may() {
    let hanging = by_token("candidate");
    let never = AuthorizerLayer::token(hanging.clone(), stage()).with_timeout(Duration::from_secs(3600));
    let shadow = Shadow::new(never.build().unwrap()).with_max_running(5);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    for number in 0..2_000 {
        let token = format!("Bearer present=allow candidate=hang {number}");
        let response = service.clone().oneshot(get("/a", &token)).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(calls.count(), 2_000);
    assert_eq!(settled(&shadow, 1_995).await.skipped, 1_995);
    assert!(hanging.asked.count() <= 5);
}

#[tokio::test]
async fn a_candidate_takes_no_permit_of_the_layer_that_decides() {
    let one = AuthorizerLayer::token(by_token("present"), stage()).with_max_loads(1).build().unwrap();
    let hanging = AuthorizerLayer::token(by_token("candidate"), stage()).with_max_loads(1);
    let shadow = Shadow::new(hanging.with_timeout(Duration::from_secs(3600)).build().unwrap());
    let layer = one.with_shadow(shadow.clone()).unwrap();
    for _ in 0..20 {
        let token = "Bearer present=later candidate=hang";
        assert_eq!(ask(&layer, get("/a", token)).await.0, 200);
    }
    // One hangs; the others have found its layer full.
    assert_eq!(settled(&shadow, 19).await.candidate_failed, 19);
}

#[tokio::test]
async fn a_malformed_target_is_not_compared() {
    let watching = by_token("candidate");
    let shadow = Shadow::new(candidate(watching.clone()));
    let layer = present().with_shadow(shadow.clone()).unwrap();
    let long = format!("/{}", "a".repeat(2_000));
    for path in ["//a", "/a/../b", "/%61", "/a%2Fb", &long] {
        assert!([400, 414].contains(&ask(&layer, get(path, "Bearer present=allow candidate=allow")).await.0));
    }
    assert_eq!((total(shadow.statistics()), watching.asked.count()), (0, 0));
    // One without an identity is: the candidate may have another.
    let open = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?)
    });
    let open = AuthorizerLayer::request(open, stage())
        .with_identity_sources([IdentitySource::query_string("key")])
        .build()
        .unwrap();
    let shadow = Shadow::new(open);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    assert_eq!(ask(&layer, Request::get("/a?key=1").body(()).unwrap()).await.0, 401);
    assert_eq!(settled(&shadow, 1).await.newly_allowed, 1);
}

#[derive(Clone)]
struct Tenant(&'static str);

/// A value whose copies are made by code that panics.
struct Unclonable;

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        panic!("as it should in this test")
    }
}

#[tokio::test]
async fn nothing_beside_the_request_does_harm() {
    // A report that panics.
    let shadow = Shadow::new(candidate(by_token("candidate")))
        .on_disagreement(|_| panic!("as it should in this test"));
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for _ in 0..100 {
        assert_eq!(ask(&layer, get("/a", "Bearer present=allow candidate=deny")).await.0, 200);
    }
    let found = settled(&shadow, 100).await;
    assert_eq!(found.newly_denied + found.skipped, 100);

    // An extension that panics when it is copied.
    let shadow = Shadow::new(candidate(by_token("candidate"))).with_max_running(1);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for count in 1..10 {
        let mut request = get("/a", "Bearer present=allow candidate=allow");
        request.extensions_mut().insert(Unclonable);
        assert_eq!(ask(&layer, request).await.0, 200);
        assert_eq!(settled(&shadow, count).await.candidate_failed, count, "the room for it is given back");
    }

    // Code that the candidate's layer calls.
    let broken = AuthorizerLayer::token(by_token("candidate"), stage());
    let broken = broken.with_condition_keys(|_, _| panic!("as it should in this test")).build().unwrap();
    let broken = broken.with_alternative(present(), |_| panic!("as it should in this test")).unwrap();
    let shadow = Shadow::new(broken);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    assert_eq!(ask(&layer, get("/a", "Bearer present=allow candidate=allow")).await.0, 200);
    assert_eq!(settled(&shadow, 1).await.candidate_failed, 1);
}

#[tokio::test]
async fn a_candidate_sees_the_request_as_the_layer_did() {
    let tenants = authorizer_fn(async |event: AuthorizerEvent| {
        let json = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"{}",
                "Condition":{{"StringEquals":{{"app:tenant":"acme","aws:UserAgent":"curl"}}}}}}}}"#,
            event.arn()
        );
        Ok(AuthorizerResponse::new("me", tower_lambda_authorizer::policy::PolicyDocument::from_json(&json)?)?)
    });
    let candidate = AuthorizerLayer::token(tenants, stage())
        .with_condition_keys(|key: &ConditionKey, extensions| {
            match (key.as_str(), extensions.get::<Tenant>()) {
                ("app:tenant", Some(Tenant(name))) => ConditionValue::Text((*name).into()),
                _ => ConditionValue::Absent,
            }
        })
        .build()
        .unwrap();
    let shadow = Shadow::new(candidate);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for (count, (tenant, agent)) in
        [("acme", "curl"), ("acme", "wget"), ("other", "curl")].into_iter().enumerate()
    {
        let mut request = get("/a", "Bearer present=allow");
        request.headers_mut().insert("user-agent", agent.parse().unwrap());
        request.extensions_mut().insert(Tenant(tenant));
        assert_eq!(ask(&layer, request).await.0, 200);
        let found = settled(&shadow, count as u64 + 1).await;
        assert_eq!((found.agreed, found.newly_denied), (1, count as u64), "{tenant} {agent}");
    }
}

#[tokio::test]
async fn another_policy_is_a_candidate_too() {
    let tokens = SharedAuthorizer::new(by_token("present"));
    let narrowed = map_response(tokens.clone(), |response| {
        let policy = response.policy().cloned().unwrap();
        let secret =
            tower_lambda_authorizer::policy::ResourcePattern::raw("arn:aws:execute-api:*:*:*/*/*/secret*")?;
        Ok(response
            .with_policy(policy.with_statement(tower_lambda_authorizer::policy::Statement::deny(secret))))
    });
    let candidate =
        AuthorizerLayer::token(narrowed, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let shadow = Shadow::new(candidate);
    let layer = AuthorizerLayer::token(tokens, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let layer = layer.with_shadow(shadow.clone()).unwrap();
    for (count, path) in (1..).zip(["/a", "/secret", "/b", "/secrets/1"]) {
        assert_eq!(ask(&layer, get(path, "Bearer present=allow")).await.0, 200);
        settled(&shadow, count).await;
    }
    let found = shadow.statistics();
    assert_eq!((found.agreed, found.newly_denied), (2, 2));
    let nobody = ask(&layer, get("/secret", "Bearer present=nobody")).await.0;
    assert_eq!((nobody, settled(&shadow, 5).await.agreed), (401, 3));
    // What the layer forgets, the candidate does not remember.
    layer.invalidate_all();
}

#[tokio::test]
async fn the_shadow_of_whoever_decides_is_asked() {
    let (one, other) =
        (Shadow::new(candidate(by_token("candidate"))), Shadow::new(candidate(by_token("candidate"))));
    let next = present().with_shadow(other.clone()).unwrap();
    let plain = present();
    let layer = present()
        .with_shadow(one.clone())
        .unwrap()
        .with_alternative(next, |head| head.uri().path() == "/next")
        .unwrap()
        .with_alternative(plain, |head| head.uri().path() == "/plain")
        .unwrap();
    for path in ["/here", "/next", "/plain"] {
        ask(&layer, get(path, "Bearer present=allow candidate=allow")).await;
    }
    assert_eq!((settled(&one, 2).await.agreed, settled(&other, 1).await.agreed), (2, 1));
}

/// Counts how often it is copied, which is once for each comparison.
struct Copied(Counter);

impl Clone for Copied {
    fn clone(&self) -> Self {
        self.0.hit();
        Self(self.0.clone())
    }
}

#[tokio::test]
async fn a_share_is_a_share() {
    let (watching, copied) = (by_token("candidate"), Counter::default());
    let shadow = Shadow::new(candidate(watching.clone())).with_share(10).with_max_running(10_000);
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for _ in 0..2_000 {
        let mut request = get("/a", "Bearer present=allow candidate=allow");
        request.extensions_mut().insert(Copied(copied.clone()));
        ask(&layer, request).await;
    }
    // 200 are expected; ten standard deviations are 134.
    assert!((66..334).contains(&copied.count()), "{}", copied.count());
    let found = settled(&shadow, copied.count() as u64).await;
    assert_eq!((found.agreed, watching.asked.count()), (copied.count() as u64, copied.count()));
}

#[test]
fn a_shadow_that_would_see_nothing_is_a_mistake() {
    let shadow = || Shadow::new(candidate(by_token("candidate")));
    for shadow in [shadow().with_share(0), shadow().with_share(101), shadow().with_max_running(0)] {
        assert_eq!(present().with_shadow(shadow).err(), Some(ConfigError::ShadowWithoutRoom));
    }
    let elsewhere = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "dev").unwrap();
    let elsewhere = AuthorizerLayer::token(by_token("candidate"), elsewhere).build().unwrap();
    assert_eq!(present().with_shadow(Shadow::new(elsewhere)).err(), Some(ConfigError::OtherStage));
}

#[test]
fn without_a_runtime_nothing_is_compared_and_everything_is_answered() {
    let shadow = Shadow::new(candidate(by_token("candidate")));
    let layer = present().with_shadow(shadow.clone()).unwrap();
    let calls = Counter::default();
    let answer = layer.layer(counting(&calls)).oneshot(get("/a", "Bearer present=allow"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::pin!(answer).poll(&mut cx).is_ready());
    assert_eq!((calls.count(), shadow.statistics().skipped), (1, 1));
}

#[test]
fn a_runtime_ends_while_a_candidate_hangs() {
    let hanging =
        AuthorizerLayer::token(by_token("candidate"), stage()).with_timeout(Duration::from_secs(3600));
    let shadow = Shadow::new(hanging.build().unwrap());
    let layer = present().with_shadow(shadow.clone()).unwrap();
    for runtime in
        [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
    {
        let mut builder = runtime;
        let runtime = builder.enable_all().build().unwrap();
        let answer = runtime.block_on(ask(&layer, get("/a", "Bearer present=allow candidate=hang")));
        assert_eq!(answer.0, 200);
        drop(runtime);
    }
    // It does not wait for the candidate, which is given up all the same.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(settled(&shadow, 2)).candidate_failed, 2);
}

#[tokio::test]
async fn the_body_and_the_handler_are_left_alone() {
    /// A body that may be neither copied nor looked at.
    struct Body(Arc<AtomicBool>);
    let shadow = Shadow::new(candidate(by_token("candidate")));
    let layer = present().with_shadow(shadow.clone()).unwrap();
    let calls = Counter::default();
    let counter = calls.clone();
    let service = layer.layer(service_fn(move |request: Request<Body>| {
        counter.hit();
        request.body().0.store(true, Ordering::SeqCst);
        std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    let seen = Arc::new(AtomicBool::new(false));
    let request = get("/a", "Bearer present=later candidate=allow").map(|()| Body(Arc::clone(&seen)));
    let response = service.oneshot(request).await.unwrap();
    assert!(response.extensions().get::<Rejection>().is_none());
    assert_eq!(settled(&shadow, 1).await.agreed, 1);
    assert_eq!((calls.count(), seen.load(Ordering::SeqCst)), (1, true));
}

#[test]
fn a_candidate_that_blocks_does_not_keep_a_program_from_ending() {
    let (ended, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let blocks = authorizer_fn(async |_: AuthorizerEvent| {
                loop {
                    std::thread::park();
                }
            });
            let shadow = Shadow::new(AuthorizerLayer::token(blocks, stage()).build().unwrap());
            let allows = authorizer_fn(async |event: AuthorizerEvent| common::allow_all(&event));
            let layer = AuthorizerLayer::token(allows, stage()).build().unwrap().with_shadow(shadow).unwrap();
            let service = layer.layer(counting(&Counter::default()));
            assert_eq!(service.oneshot(get("/a", "x")).await.unwrap().status(), 200);
        });
        drop(runtime);
        ended.send(()).unwrap();
    });
    assert!(wait.recv_timeout(Duration::from_secs(20)).is_ok(), "the runtime does not end");
}
