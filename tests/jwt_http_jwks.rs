//! Key sets that are fetched, from an issuer on the loopback interface that fails in every way it can.
#![cfg(all(feature = "jwks-http", feature = "testing"))]

mod common;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Counter, counting, get, stage};
use http::{Method, Request, StatusCode};
use serde_json::json;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::preset::RestCognitoAuthorizer;
use tower_lambda_authorizer::jwt::{
    Algorithm, HttpJwks, HttpJwksBuilder, Issuer, JwksConfigError, JwksError, JwtAuthorizer, JwtReason,
    KeySet, RouteScopes,
};
use tower_lambda_authorizer::testing::{
    FakeAnswer, FakeIssuer, TestKey, TestToken, claims, cognito_id_claims, jwks,
};

const COOL_DOWN: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Longer than any answer of an issuer that means to answer.
const PATIENT: Duration = Duration::from_secs(20);
/// Shorter than an answer that never comes.
const IMPATIENT: Duration = Duration::from_millis(150);

/// An issuer, those who trust it, and the time.
struct Scene {
    issuer: FakeIssuer,
    clock: ManualClock,
    jwks: HttpJwks,
    authorizer: JwtAuthorizer,
}

impl Scene {
    fn new(keys: &[&TestKey]) -> Self {
        Self::with(keys, |builder| builder)
    }

    fn with(keys: &[&TestKey], configure: impl FnOnce(HttpJwksBuilder) -> HttpJwksBuilder) -> Self {
        let issuer = FakeIssuer::start().unwrap();
        issuer.set_keys(jwks(keys.iter().copied()));
        let builder = HttpJwks::new(issuer.jwks_url());
        Self::of(issuer, |_| configure(builder))
    }

    fn of(issuer: FakeIssuer, builder: impl FnOnce(&FakeIssuer) -> HttpJwksBuilder) -> Self {
        let clock = ManualClock::default();
        let jwks = builder(&issuer).with_timeout(PATIENT).with_clock(clock.clone()).build().unwrap();
        Self::around(issuer, clock, jwks)
    }

    fn impatient(keys: &[&TestKey], timeout: Duration) -> Self {
        let issuer = FakeIssuer::start().unwrap();
        issuer.set_keys(jwks(keys.iter().copied()));
        let clock = ManualClock::default();
        let builder = HttpJwks::new(issuer.jwks_url()).with_timeout(timeout);
        let jwks = builder.with_clock(clock.clone()).build().unwrap();
        Self::around(issuer, clock, jwks)
    }

    fn around(issuer: FakeIssuer, clock: ManualClock, jwks: HttpJwks) -> Self {
        let trusted = Issuer::new(issuer.issuer(), jwks.clone())
            .with_algorithms([Algorithm::Es256, Algorithm::Rs256])
            .with_audience("api");
        let authorizer =
            JwtAuthorizer::builder().with_issuer(trusted).with_clock(clock.clone()).build().unwrap();
        Self { issuer, clock, jwks, authorizer }
    }

    fn token(&self, key: &TestKey) -> String {
        key.token(&claims(self.issuer.issuer(), "api", &self.clock))
    }

    /// A token whose key nobody has.
    fn made_up(&self, kid: &str) -> String {
        TestToken::new(&claims(self.issuer.issuer(), "api", &self.clock))
            .with_header("alg", "ES256")
            .with_header("kid", kid)
            .with_signature(&[1; 64])
    }

    async fn ask(&self, token: &str) -> Result<(), JwtReason> {
        self.authorizer.verify(token).await.map(drop).map_err(|error| error.reason())
    }

    async fn ask_with(&self, key: &TestKey) -> Result<(), JwtReason> {
        self.ask(&self.token(key)).await
    }
}

fn key(kid: &str) -> TestKey {
    TestKey::es256(kid)
}

fn other(kid: &str) -> TestKey {
    TestKey::es256(kid).other()
}

#[tokio::test]
async fn many_first_requests_share_one_fetch() {
    let scene = Scene::new(&[&key("a")]);
    scene.issuer.hold();
    let token = scene.token(&key("a"));
    let mut asked = JoinSet::new();
    for _ in 0..500 {
        let (authorizer, token) = (scene.authorizer.clone(), token.clone());
        asked.spawn(async move { authorizer.verify(&token).await.map(drop).map_err(|error| error.reason()) });
    }
    scene.issuer.requested(1).await;
    scene.issuer.release();
    for result in asked.join_all().await {
        assert_eq!(result, Ok(()));
    }
    assert_eq!(scene.issuer.requests(), 1);
}

#[tokio::test]
async fn ready_fetches_before_the_first_request() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.jwks.ready().await.unwrap();
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    assert_eq!(scene.issuer.requests(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.set_keys(jwks([&key("a"), &other("b")]));
    // The cool-down began with the first fetch.
    assert_eq!(scene.ask_with(&other("b")).await, Err(JwtReason::Key));
    assert_eq!(scene.issuer.requests(), 1);
    scene.clock.advance(COOL_DOWN);
    assert_eq!(scene.ask_with(&other("b")).await, Ok(()));
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test]
async fn a_key_that_is_taken_back_is_refused_after_the_next_refresh() {
    let scene = Scene::new(&[&key("a"), &other("b")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.set_keys(jwks([&other("b")]));
    scene.issuer.hold();
    scene.clock.advance(HOUR);
    // The set is due, and is fetched while the old one is in use.
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    scene.issuer.requested(2).await;
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    scene.issuer.release();
    scene.jwks.refresh().await.unwrap();
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::Key));
    assert_eq!(scene.ask_with(&other("b")).await, Ok(()));
}

#[tokio::test]
async fn a_key_of_the_same_name_is_replaced() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.set_keys(jwks([&other("a")]));
    scene.jwks.refresh().await.unwrap();
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::Signature));
    assert_eq!(scene.ask_with(&other("a")).await, Ok(()));
}

#[tokio::test]
async fn the_last_good_set_outlives_an_outage_but_not_by_more_than_a_day() {
    let mut scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.stop();
    scene.clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    assert!(matches!(scene.jwks.refresh().await, Err(JwksError::Unreachable(_))));
    assert!(scene.jwks.status().is_usable() && scene.jwks.status().is_stale());
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::NoKeys));
    assert!(!scene.jwks.status().is_usable());
    scene.issuer.restart().unwrap();
    scene.clock.advance(COOL_DOWN);
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    assert!(!scene.jwks.status().is_stale());
}

#[tokio::test]
async fn a_machine_that_slept_does_not_use_old_keys() {
    let mut scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.stop();
    // The wall clock alone went on.
    scene.clock.set_wall(scene.clock.wall() + DAY);
    scene.clock.advance(COOL_DOWN);
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::NoKeys));
}

#[tokio::test]
async fn a_machine_that_slept_fetches_as_soon_as_it_is_awake() {
    // Its monotonic clock stood still; the wall clock is read anew after a second.
    let tick = Duration::from_secs(1);
    for slept in [2 * HOUR, 2 * DAY] {
        let scene = Scene::new(&[&key("a"), &key("c")]);
        scene.jwks.ready().await.unwrap();
        scene.issuer.set_keys(jwks([&other("b"), &key("c")]));
        scene.clock.set_wall(scene.clock.wall() + slept);
        scene.clock.advance(tick);
        assert_eq!(scene.ask_with(&other("b")).await, Ok(()), "{slept:?}");
        assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::Key), "{slept:?}");
        assert_eq!(scene.issuer.requests(), 2);
        // A clock that is set back lets nobody fetch sooner.
        scene.clock.set_wall(scene.clock.wall() - 2 * slept);
        scene.clock.advance(tick);
        assert_eq!(scene.ask_with(&key("z")).await, Err(JwtReason::Key));
        assert_eq!(scene.issuer.requests(), 2);
    }
}

#[tokio::test]
async fn no_keys_are_a_failure_and_an_unknown_key_is_unauthorized() {
    let mut scene = Scene::new(&[&key("a")]);
    let layer = AuthorizerLayer::token(scene.authorizer.clone(), stage()).build().unwrap();
    let ask = async |token: String| {
        let request = Request::get("/x").header("authorization", format!("Bearer {token}")).body(()).unwrap();
        layer.layer(counting(&Counter::default())).oneshot(request).await.unwrap().status()
    };
    scene.issuer.stop();
    assert_eq!(ask(scene.token(&key("a"))).await, StatusCode::INTERNAL_SERVER_ERROR);
    scene.issuer.restart().unwrap();
    scene.clock.advance(COOL_DOWN);
    assert_eq!(ask(scene.token(&key("a"))).await, StatusCode::OK);
    assert_eq!(ask(scene.token(&key("b"))).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_no_key_set_does_not_replace_one() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    let elsewhere = FakeIssuer::start().unwrap();
    elsewhere.set_keys(jwks([&other("a")]));
    let secret = TestKey::hs256("s", [7; 64]);
    let huge = |bytes: usize| FakeAnswer::body(" ".repeat(bytes - 11) + r#"{"keys":[]}"#);
    type Expected = fn(&JwksError) -> bool;
    let cases: [(FakeAnswer, Expected); 19] = [
        (FakeAnswer::status(503), |e| matches!(e, JwksError::Status(503))),
        (FakeAnswer::status(404), |e| matches!(e, JwksError::Status(404))),
        (FakeAnswer::status(201), |e| matches!(e, JwksError::Status(201))),
        (FakeAnswer::status(206), |e| matches!(e, JwksError::Status(206))),
        (FakeAnswer::redirect(elsewhere.jwks_url()), |e| matches!(e, JwksError::Status(302))),
        (FakeAnswer::body("<html>Sign in</html>").with_content_type("text/html"), |e| {
            matches!(e, JwksError::KeySet(_))
        }),
        (FakeAnswer::body(""), |e| matches!(e, JwksError::KeySet(_))),
        (FakeAnswer::body("[]"), |e| matches!(e, JwksError::KeySet(_))),
        (FakeAnswer::body(r#"{"keys":[],"keys":[]}"#), |e| matches!(e, JwksError::KeySet(_))),
        (FakeAnswer::body(b"\xff\xfe".to_vec()), |e| matches!(e, JwksError::KeySet(_))),
        (FakeAnswer::usual().truncated(), |e| matches!(e, JwksError::Broken(_))),
        (FakeAnswer::usual().with_content_length(100_000), |e| matches!(e, JwksError::Broken(_))),
        (FakeAnswer::usual().with_content_length(20), |e| matches!(e, JwksError::KeySet(_))),
        (FakeAnswer::body(r#"{"keys":[]}"#), |e| matches!(e, JwksError::NoUsableKeys { skipped: 0 })),
        (FakeAnswer::body(jwks([&secret])), |e| matches!(e, JwksError::NoUsableKeys { skipped: 1 })),
        (huge(150_001), |e| matches!(e, JwksError::TooLarge)),
        (huge(150_001).without_content_length(), |e| matches!(e, JwksError::TooLarge)),
        (huge(150_000), |e| matches!(e, JwksError::NoUsableKeys { .. })),
        (FakeAnswer::endless(), |e| matches!(e, JwksError::TooLarge)),
    ];
    let mut failures = 0;
    for (answer, expected) in cases {
        scene.issuer.answer_with(answer.clone());
        let error = scene.jwks.refresh().await.unwrap_err();
        assert!(expected(&error), "{answer:?}: {error:?}");
        failures += 1;
        let status = scene.jwks.status();
        assert_eq!(status.failures(), failures);
        assert_eq!(status.last_error().unwrap().to_string(), error.to_string());
        assert_eq!(scene.ask_with(&key("a")).await, Ok(()), "{answer:?}");
    }
    // What the connection's buffers hold, and no more.
    assert!(scene.issuer.bytes_sent() < 20_000_000, "{}", scene.issuer.bytes_sent());
    assert_eq!(elsewhere.requests(), 0);
    scene.issuer.answer_with(FakeAnswer::usual());
    scene.jwks.refresh().await.unwrap();
    assert_eq!(scene.jwks.status().failures(), 0);
    assert!(scene.jwks.status().last_error().is_none());
}

#[tokio::test]
async fn the_query_of_a_place_is_not_told() {
    let mut issuer = FakeIssuer::start().unwrap();
    let jwks = HttpJwks::new(issuer.jwks_url() + "?code=secret").build().unwrap();
    issuer.stop();
    let error = jwks.ready().await.unwrap_err();
    let mut told = format!("{jwks:?} {error:?} {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        told += &format!(" {error:?} {error}");
        source = error.source();
    }
    assert!(told.contains("jwks.json") && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let scene = Scene::impatient(&[&key("a")], IMPATIENT);
    let slow = [
        FakeAnswer::usual().with_delay(PATIENT),
        FakeAnswer::usual().dribbled(IMPATIENT / 2),
        FakeAnswer::usual().without_content_length().dribbled(IMPATIENT / 2),
    ];
    for answer in slow {
        scene.issuer.answer_with(answer.clone());
        assert!(matches!(scene.jwks.refresh().await, Err(JwksError::Timeout)), "{answer:?}");
    }
    scene.issuer.hold();
    assert!(matches!(scene.jwks.refresh().await, Err(JwksError::Timeout)));
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::NoKeys));
}

#[tokio::test]
async fn keys_that_cannot_be_used_do_not_harm_the_others() {
    let scene = Scene::new(&[]);
    let set = json!({ "keys": [
        { "kty": "LATTICE", "kid": "q", "z": 1 },
        { "kty": "EC", "crv": "P-999", "kid": "r", "x": "AA", "y": "AA" },
        key("a").public_jwk(),
        TestKey::hs256("s", [7; 64]).public_jwk(),
    ] });
    scene.issuer.set_keys(set.to_string());
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    let status = scene.jwks.status();
    let keys = status.keys().unwrap();
    assert_eq!((keys.len(), keys.skipped().len()), (1, 3));
    assert_eq!(keys.kids().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_made_up_keys_causes_one_fetch_in_a_cool_down_and_delays_nobody() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    let good = scene.token(&key("a"));
    for round in 1..=3 {
        scene.clock.advance(COOL_DOWN);
        scene.issuer.hold();
        let mut flood = JoinSet::new();
        for task in 0..8 {
            let tokens: Vec<_> = (0..1_250).map(|i| scene.made_up(&format!("{round}-{task}-{i}"))).collect();
            let authorizer = scene.authorizer.clone();
            flood.spawn(async move {
                for token in tokens {
                    assert_eq!(authorizer.verify(&token).await.unwrap_err().reason(), JwtReason::Key);
                }
            });
        }
        scene.issuer.requested(1 + round).await;
        // The fetch hangs, and nobody who has a known key notices.
        for _ in 0..100 {
            assert_eq!(scene.ask(&good).await, Ok(()));
        }
        scene.issuer.release();
        flood.join_all().await;
        assert_eq!(scene.issuer.requests(), 1 + round);
    }
}

#[tokio::test]
async fn a_flood_during_an_outage_is_no_flood_for_the_issuer() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.issuer.answer_with(FakeAnswer::status(503));
    scene.clock.advance(COOL_DOWN);
    for i in 0..1_000 {
        assert_eq!(scene.ask(&scene.made_up(&i.to_string())).await, Err(JwtReason::Key));
    }
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test]
async fn only_so_many_requests_wait_because_of_made_up_keys() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    scene.clock.advance(COOL_DOWN);
    scene.issuer.hold();
    let mut flood = JoinSet::new();
    for i in 0..300 {
        let (authorizer, token) = (scene.authorizer.clone(), scene.made_up(&i.to_string()));
        flood.spawn(async move { authorizer.verify(&token).await.unwrap_err().reason() });
    }
    for _ in 0..300 - 256 {
        // Perhaps the key is one that is just being published: it is not the client's fault.
        assert_eq!(flood.join_next().await.unwrap().unwrap(), JwtReason::NoKeys);
    }
    scene.issuer.release();
    let rest = flood.join_all().await;
    assert_eq!(rest, vec![JwtReason::Key; 256]);
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test]
async fn without_keys_fetches_are_further_and_further_apart() {
    let scene = Scene::new(&[&key("a")]);
    scene.issuer.answer_with(FakeAnswer::status(500));
    let mut fetches_at = Vec::new();
    for second in 0..120 {
        let before = scene.issuer.requests();
        for _ in 0..3 {
            assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::NoKeys));
        }
        if scene.issuer.requests() > before {
            fetches_at.push(second);
        }
        scene.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(fetches_at, [0, 1, 3, 7, 15, 31, 61, 91]);
    assert_eq!(scene.issuer.requests(), fetches_at.len());
    scene.issuer.answer_with(FakeAnswer::usual());
    scene.clock.advance(COOL_DOWN);
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
}

#[tokio::test]
async fn initial_keys_serve_until_the_first_fetch() {
    let initial = KeySet::from_jwks(jwks([&key("a")]).as_bytes()).unwrap();
    let scene = Scene::with(&[&other("b")], |builder| builder.with_initial(initial));
    scene.issuer.hold();
    assert!(scene.jwks.status().is_usable());
    scene.jwks.ready().await.unwrap();
    assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
    // That request had them fetched, and did not wait.
    scene.issuer.requested(1).await;
    scene.issuer.release();
    assert_eq!(scene.ask_with(&other("b")).await, Ok(()));
    assert_eq!(scene.ask_with(&key("a")).await, Err(JwtReason::Key));
    assert_eq!(scene.issuer.requests(), 1);
}

#[tokio::test]
async fn the_status_tells_how_it_is_doing() {
    let scene = Scene::new(&[&key("a"), &other("b")]);
    let status = scene.jwks.status();
    assert!(status.keys().is_none() && status.age().is_none());
    assert!(!status.is_usable() && status.is_stale());
    assert_eq!((status.failures(), status.next_refresh()), (0, Duration::ZERO));
    scene.jwks.ready().await.unwrap();
    scene.clock.advance(Duration::from_secs(90));
    let status = scene.jwks.status();
    assert_eq!((status.keys().unwrap().len(), status.age()), (2, Some(Duration::from_secs(90))));
    assert!(status.is_usable() && !status.is_stale());
    // An hour, up to a tenth less by chance.
    let next = status.next_refresh();
    assert!(next <= HOUR - Duration::from_secs(90), "{next:?}");
    assert!(next >= HOUR * 9 / 10 - Duration::from_secs(90), "{next:?}");
    assert_eq!(scene.issuer.requests(), 1);
    let printed = format!("{:?}", scene.jwks);
    assert!(printed.contains("/jwks.json") && !printed.contains("AQAB"), "{printed}");
}

#[test]
fn what_may_not_be_asked_is_not_built() {
    let url = "https://issuer.example/jwks.json";
    let second = Duration::from_secs(1);
    let built = |builder: HttpJwksBuilder| builder.build().unwrap_err();
    assert!(matches!(built(HttpJwks::new("http://issuer.example/jwks.json")), JwksConfigError::NotHttps));
    assert!(matches!(built(HttpJwks::new("https://a:b@issuer.example/")), JwksConfigError::UserInfo));
    assert!(matches!(built(HttpJwks::new("https://issuer.example/#a")), JwksConfigError::Fragment));
    assert!(matches!(built(HttpJwks::new("issuer.example")), JwksConfigError::NotUrl));
    assert!(matches!(built(HttpJwks::discover("http://issuer.example")), JwksConfigError::NotHttps));
    assert!(matches!(built(HttpJwks::discover("https://issuer.example?a")), JwksConfigError::Query));
    assert!(matches!(built(HttpJwks::new(url).with_timeout(Duration::ZERO)), JwksConfigError::Timeout));
    assert!(matches!(built(HttpJwks::new(url).with_timeout(31 * second)), JwksConfigError::Timeout));
    assert!(matches!(built(HttpJwks::new(url).with_max_bytes(0)), JwksConfigError::MaxBytes));
    assert!(matches!(built(HttpJwks::new(url).with_max_bytes(1 << 20)), JwksConfigError::MaxBytes));
    assert!(matches!(
        built(HttpJwks::new(url).with_refresh_interval(59 * second)),
        JwksConfigError::RefreshInterval
    ));
    assert!(matches!(built(HttpJwks::new(url).with_cool_down(second / 2)), JwksConfigError::CoolDown));
    assert!(matches!(built(HttpJwks::new(url).with_cool_down(2 * HOUR)), JwksConfigError::CoolDown));
    assert!(matches!(built(HttpJwks::new(url).with_max_age(HOUR)), JwksConfigError::MaxAge));
    let empty = KeySet::from_jwks(br#"{"keys":[]}"#).unwrap();
    assert!(matches!(built(HttpJwks::new(url).with_initial(empty)), JwksConfigError::EmptyInitial));
    for pem in ["", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        assert!(matches!(
            built(HttpJwks::new(url).with_root_certificates(pem)),
            JwksConfigError::Certificate | JwksConfigError::Client(_)
        ));
    }
    assert!(HttpJwks::new(url).with_system_proxy().build().is_ok());
}

mod discovery {
    use super::*;

    fn scene() -> Scene {
        let issuer = FakeIssuer::start().unwrap();
        issuer.set_keys(jwks([&key("a")]));
        Scene::of(issuer, |issuer| HttpJwks::discover(issuer.issuer()))
    }

    async fn error_of(scene: &Scene) -> JwksError {
        let error = scene.jwks.refresh().await.unwrap_err();
        assert_eq!(scene.issuer.requests(), 0);
        match error {
            JwksError::Discovery(error) => *error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn finds_the_keys_of_an_issuer() {
        let scene = scene();
        assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
        assert_eq!((scene.issuer.discovery_requests(), scene.issuer.requests()), (1, 1));
    }

    #[tokio::test]
    async fn follows_the_document_to_another_host() {
        let (scene, keys) = (scene(), FakeIssuer::start().unwrap());
        keys.set_keys(jwks([&other("b")]));
        let document = json!({ "issuer": scene.issuer.issuer(), "jwks_uri": keys.jwks_url() });
        scene.issuer.set_discovery(document.to_string());
        assert_eq!(scene.ask_with(&other("b")).await, Ok(()));
        assert_eq!((scene.issuer.requests(), keys.requests()), (0, 1));
    }

    #[tokio::test]
    async fn believes_only_the_document_of_exactly_this_issuer() {
        let scene = scene();
        let (name, place) = (scene.issuer.issuer().to_owned(), scene.issuer.jwks_url());
        for (issuer, is_string) in [
            (json!(format!("{name}/")), true),
            (json!(name.to_uppercase()), true),
            (json!("https://issuer.example"), true),
            (json!([name]), false),
            (json!(null), false),
        ] {
            scene.issuer.set_discovery(json!({ "issuer": issuer, "jwks_uri": place }).to_string());
            let error = error_of(&scene).await;
            assert_eq!(matches!(error, JwksError::IssuerMismatch), is_string, "{issuer}: {error:?}");
            assert_eq!(matches!(error, JwksError::MalformedDiscovery), !is_string, "{issuer}: {error:?}");
        }
        let twice = format!(r#"{{"issuer":"{name}","issuer":"{name}","jwks_uri":"{place}"}}"#);
        for bad in [twice, "[]".into(), "<html>".into(), json!({ "issuer": name }).to_string()] {
            scene.issuer.set_discovery(bad);
            assert!(matches!(error_of(&scene).await, JwksError::MalformedDiscovery));
        }
    }

    #[tokio::test]
    async fn goes_nowhere_it_would_not_have_been_sent() {
        let scene = scene();
        for place in [
            "http://issuer.example/jwks.json",
            "http://10.0.0.1/jwks.json",
            "http://169.254.169.254/latest/meta-data",
            "https://user@issuer.example/",
            "file:///etc/passwd",
            "/jwks.json",
            "",
        ] {
            let document = json!({ "issuer": scene.issuer.issuer(), "jwks_uri": place });
            scene.issuer.set_discovery(document.to_string());
            let error = error_of(&scene).await;
            assert!(matches!(error, JwksError::JwksUri(_)), "{place}: {error:?}");
        }
    }

    #[tokio::test]
    async fn fails_as_a_key_set_does() {
        let scene = scene();
        scene.issuer.answer_discovery_with(FakeAnswer::status(500));
        assert!(matches!(error_of(&scene).await, JwksError::Status(500)));
        scene.issuer.answer_discovery_with(FakeAnswer::redirect(scene.issuer.issuer()));
        assert!(matches!(error_of(&scene).await, JwksError::Status(302)));
        scene.issuer.answer_discovery_with(FakeAnswer::endless());
        assert!(matches!(error_of(&scene).await, JwksError::TooLarge));
    }
}

mod runtimes {
    use super::*;

    #[test]
    fn a_fetch_that_dies_with_its_runtime_is_begun_anew_by_the_next() {
        let scene = Scene::new(&[&key("a")]);
        scene.issuer.hold();
        let first = Builder::new_current_thread().enable_all().build().unwrap();
        first.block_on(async {
            let jwks = scene.jwks.clone();
            tokio::spawn(async move { jwks.ready().await });
            scene.issuer.requested(1).await;
        });
        drop(first);
        scene.issuer.release();
        let second = Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(second.block_on(scene.ask_with(&key("a"))), Ok(()));
        assert_eq!(scene.issuer.requests(), 2);
    }

    #[test]
    fn whoever_waits_for_a_fetch_of_a_runtime_that_ends_begins_another() {
        let scene = Scene::new(&[&key("a")]);
        scene.issuer.hold();
        let first = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let jwks = scene.jwks.clone();
        first.spawn(async move { jwks.ready().await });
        let second = Builder::new_current_thread().enable_all().build().unwrap();
        second.block_on(async {
            scene.issuer.requested(1).await;
            let jwks = scene.jwks.clone();
            let waiting = tokio::spawn(async move { jwks.ready().await });
            tokio::task::yield_now().await;
            first.shutdown_background();
            scene.issuer.requested(2).await;
            scene.issuer.release();
            waiting.await.unwrap().unwrap();
        });
    }

    #[test]
    fn a_runtime_that_nobody_drives_does_not_stop_the_others() {
        // Long enough for the fetch that succeeds, on a busy machine too.
        let scene = Scene::impatient(&[&key("a")], Duration::from_secs(1));
        scene.issuer.hold();
        let idle = Builder::new_current_thread().enable_all().build().unwrap();
        idle.block_on(async {
            let jwks = scene.jwks.clone();
            tokio::spawn(async move { jwks.ready().await });
            scene.issuer.requested(1).await;
        });
        scene.issuer.release();
        let other = Builder::new_current_thread().enable_all().build().unwrap();
        other.block_on(async {
            // The fetch is still said to be under way, and is waited for as long as it could take.
            assert!(matches!(scene.jwks.ready().await, Err(JwksError::Timeout)));
            assert_eq!(scene.ask_with(&key("a")).await, Ok(()));
        });
        assert_eq!(scene.issuer.requests(), 2);
    }

    #[test]
    fn without_a_runtime_there_are_no_keys_and_no_panic() {
        let scene = Scene::new(&[&key("a")]);
        let token = scene.token(&key("a"));
        let mut asked = std::pin::pin!(scene.ask(&token));
        let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(Err(JwtReason::NoKeys)));
        assert!(!scene.jwks.status().is_usable());
    }

    #[tokio::test]
    async fn nothing_goes_on_when_nobody_has_it_any_more() {
        let before = Handle::current().metrics().num_alive_tasks();
        let scene = Scene::new(&[&key("a")]);
        scene.jwks.ready().await.unwrap();
        scene.issuer.hold();
        let jwks = scene.jwks.clone();
        let waiting = tokio::spawn(async move { jwks.refresh().await });
        scene.issuer.requested(2).await;
        waiting.abort();
        assert!(Handle::current().metrics().num_alive_tasks() > before);
        drop(scene);
        tokio::time::timeout(PATIENT, async {
            while Handle::current().metrics().num_alive_tasks() > before {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn keys_are_fetched_when_they_are_due_though_no_requests_come() {
        let scene = Scene::new(&[&key("a")]);
        scene.jwks.ready().await.unwrap();
        scene.clock.advance(HOUR);
        tokio::time::pause();
        tokio::time::advance(HOUR).await;
        tokio::time::resume();
        scene.issuer.requested(2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_on_while_keys_change() {
    let scene = Scene::new(&[&key("a")]);
    scene.jwks.ready().await.unwrap();
    let token = scene.token(&key("a"));
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let (authorizer, token) = (scene.authorizer.clone(), token.clone());
        asking.spawn(async move {
            for _ in 0..50 {
                assert!(authorizer.verify(&token).await.is_ok());
                tokio::task::yield_now().await;
            }
        });
    }
    for round in 0..20 {
        scene.issuer.set_keys(jwks([&key("a"), &other(&format!("b{round}"))]));
        scene.jwks.refresh().await.unwrap();
        assert_eq!(scene.ask_with(&other(&format!("b{round}"))).await, Ok(()));
    }
    asking.join_all().await;
}

#[tokio::test]
async fn what_a_token_says_is_never_asked() {
    let scene = Scene::new(&[&key("a")]);
    let elsewhere = FakeIssuer::start().unwrap();
    elsewhere.set_keys(jwks([&other("b")]));
    scene.jwks.ready().await.unwrap();
    scene.clock.advance(COOL_DOWN);
    let place = elsewhere.jwks_url();
    let own = claims(scene.issuer.issuer(), "api", &scene.clock);
    for token in [
        TestToken::new(&own).with_header("kid", place.as_str()).signed_by(&other("b")),
        TestToken::new(&own).with_header("jku", place.as_str()).signed_by(&other("b")),
        TestToken::new(&own).with_header("x5u", place.as_str()).signed_by(&other("b")),
        TestToken::new(&own).with_header("jwk", other("b").public_jwk()).signed_by(&other("b")),
        other("b").token(&claims(elsewhere.issuer(), "api", &scene.clock)),
    ] {
        assert!(scene.ask(&token).await.is_err());
    }
    assert_eq!((elsewhere.requests(), elsewhere.discovery_requests()), (0, 0));
}

#[tokio::test]
async fn a_refusal_about_a_route_is_not_shared_with_those_who_wait() {
    const POOL: &str = "us-east-1_pool";
    let key = TestKey::rs256("k1");
    let scene = Scene::new(&[&key]);
    scene.issuer.hold();
    let pool = UserPool::new("us-east-1", POOL).unwrap().with_client_id("client");
    let routes = RouteScopes::new()
        .with_route(Method::GET, "/profile", [])
        .and_then(|routes| routes.with_route(Method::GET, "/orders", ["orders/read"]))
        .unwrap();
    let authorizer = RestCognitoAuthorizer::builder()
        .with_pool(pool, scene.jwks.clone())
        .with_routes(routes)
        .with_clock(scene.clock.clone())
        .build()
        .unwrap();
    let layer =
        AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let token = format!("Bearer {}", key.token(&cognito_id_claims(POOL, "client", &scene.clock)));
    let orders = tokio::spawn(service.clone().oneshot(get("/orders", &token)));
    scene.issuer.requested(1).await;
    let profile = tokio::spawn(service.oneshot(get("/profile", &token)));
    tokio::task::yield_now().await;
    scene.issuer.release();
    assert_eq!(orders.await.unwrap().unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(profile.await.unwrap().unwrap().status(), StatusCode::OK);
}
