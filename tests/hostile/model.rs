//! A model of the whole gateway, slow and obvious, against the real one behind real routers: random policies, random
//! targets, answers that are kept, a clock that moves and jumps.
//!
//! The model has its own reader of targets, the naive evaluator of policies, and a list for a cache. A handler may
//! run exactly when the model says so.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use http::header::{AUTHORIZATION, USER_AGENT};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;

use super::harness::{STAGE, Setup, home};
use super::property::{router, target};
use super::reader::{Leniency, read};
use crate::naive::{self, Ask, Known, Verdict};

const TTL: u64 = 60;

/// A policy as it is generated, and as it is asked.
#[derive(Clone, Debug)]
struct Policy(String);

fn policy() -> impl Strategy<Value = Policy> {
    let methods = ["GET", "GET", "HEAD", "POST", "*", "?ET", "CONNECT"];
    let paths = [
        "/*",
        "/users/*",
        "/users/me",
        "/users/a@b",
        "/users/a%40b",
        "/users/a%40*",
        "/users/?",
        "/users/%2A",
        "/admin",
        "/admin/",
        "/users/*/",
        "/",
        "/files/*",
        "/files/a%2Fb",
        "/files/a/b",
        "/any/*",
        "/*@*",
        "/*%40*",
        "/pair/*/b",
        "/service/*",
        "/service",
        "/tenants/t/*",
        "*",
        "*/me",
        "/%75sers/m%65",
        "/users/a%3ab",
        "/*%2F*",
        "/users/${*}",
        "/none/me/",
        "/users/a:b",
    ];
    let stages = [
        STAGE,
        STAGE,
        STAGE,
        "arn:aws:execute-api:*:*:abcdef123/prod/",
        "arn:aws:execute-api:us-east-1:123456789012:*/",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/dev/",
        "arn:*:",
        "*:*:execute-api:*:*:*/prod/",
    ];
    let pattern = prop_oneof![
        12 => (select(stages.to_vec()), select(methods.to_vec()), select(paths.to_vec()))
            .prop_map(|(stage, method, path)| {
                // A variable may stand in the sixth field only.
                let path = if stage == "arn:*:" { path.trim_end_matches("${*}") } else { path };
                format!("{stage}{method}{path}")
            }),
        1 => Just("*".to_owned()),
    ];
    let condition = prop_oneof![
        8 => Just(json!({})),
        1 => Just(json!({"Bool": {"aws:SecureTransport": "true"}})),
        1 => Just(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
        1 => Just(json!({"StringLike": {"aws:UserAgent": "good*"}})),
        1 => Just(json!({"StringNotLike": {"aws:UserAgent": "bad*"}})),
        1 => Just(json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}})),
        1 => Just(json!({"Null": {"aws:UserAgent": "true"}})),
    ];
    let effect = select(vec!["Allow", "Allow", "Allow", "Deny"]);
    let element = select(vec!["Resource", "Resource", "Resource", "Resource", "Resource", "NotResource"]);
    let statement = (effect, element, vec(pattern, 1..4), condition).prop_map(|(effect, element, patterns, condition)| {
        json!({"Effect": effect, "Action": "execute-api:Invoke", element: patterns, "Condition": condition})
    });
    vec(statement, 0..5)
        .prop_map(|statements| Policy(json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
}

/// What happens to a gateway.
#[derive(Clone, Debug)]
enum Event {
    Request {
        caller: usize,
        method: &'static str,
        target: String,
        agent: Option<&'static str>,
    },
    /// Time passes.
    Passes(u64),
    /// The wall clock is set, and a second passes.
    Jumps(i64),
    /// The authorizer now answers with another of the policies.
    Changes {
        caller: usize,
        policy: usize,
    },
    ForgetsAll,
    ForgetsCaller(usize),
    ForgetsToken(usize),
}

const CALLERS: [&str; 3] = ["ok-ada", "ok-bob", "mallory"];

fn event() -> impl Strategy<Value = Event> {
    let known = [
        "/",
        "/admin",
        "/admin/",
        "/users/me",
        "/users/me/",
        "/users/a@b",
        "/users/a%40b",
        "/users/a%3ab",
        "/users/*",
        "/users/x",
        "/files/a",
        "/files/a/b",
        "/files/a%2Fb",
        "/files/a%2fb/",
        "/any/x1",
        "/pair/a/b",
        "/pair/%40/b",
        "/service",
        "/service/x",
        "/tenants/t/items/1",
        "/none/me",
        "/%75sers/m%65",
        "/none%2Fme",
        "/files/a%2F%2Fb",
        "/files/a/%2Fb/%2F",
        "/users/me%2F%2F",
        "/pair/g%2Fp/a%2Fb",
        "/files/g%2Fp/a%2Fb",
    ];
    let targets = prop_oneof![3 => select(known.to_vec()).prop_map(str::to_owned), 1 => target()];
    let methods = select(vec!["GET", "GET", "GET", "HEAD", "POST", "get", "G.T"]);
    let agent = select(vec![None, Some("good one"), Some("bad one"), Some("")]);
    let caller = || select(vec![0_usize, 0, 0, 1, 1, 2]);
    prop_oneof![
        12 => (caller(), methods, targets, agent)
            .prop_map(|(caller, method, target, agent)| Event::Request { caller, method, target, agent }),
        1 => (1_u64..80).prop_map(Event::Passes),
        1 => (-200_i64..200).prop_map(Event::Jumps),
        2 => (caller(), 0_usize..3).prop_map(|(caller, policy)| Event::Changes { caller, policy }),
        1 => Just(Event::ForgetsAll),
        1 => caller().prop_map(Event::ForgetsCaller),
        1 => caller().prop_map(Event::ForgetsToken),
    ]
}

/// How a gateway is set up.
#[derive(Clone, Copy, Debug)]
struct Shape {
    home: usize,
    is_cached: bool,
    head_as_get: bool,
    leniency: Leniency,
}

/// Where the layer stands, and which spellings it may write anew: those of reserved characters, and escaped letters.
const HOMES: [(home::Home, [bool; 2]); 5] = [
    (home::protected, [true, true]),
    (home::protected_within, [true, true]),
    // A router around it has read the path.
    (home::fallback, [true, false]),
    (home::outside, [false, false]),
    (home::router_layer, [false, false]),
];

fn shape() -> impl Strategy<Value = Shape> {
    (0..HOMES.len(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(home, is_cached, head_as_get, decodes_unreserved, allows_encoded_slash)| Shape {
            home,
            is_cached,
            head_as_get,
            leniency: Leniency { decodes_unreserved, allows_encoded_slash },
        },
    )
}

/// The gateway, as it ought to be.
struct Model<'a> {
    shape: Shape,
    policies: &'a [Policy],
    /// Which policy each caller's authorizer answers with.
    current: [usize; 3],
    /// What is kept of each caller: a policy, and until when on either clock.
    kept: [Option<(usize, u64, i64)>; 3],
    monotonic: u64,
    wall: i64,
}

impl Model<'_> {
    /// The status, and whether a handler may run.
    fn request(
        &mut self,
        caller: usize,
        method: &str,
        path: &str,
        agent: Option<&str>,
    ) -> (Verdict, Option<u16>) {
        let refused = |status| (Verdict::ImplicitDeny, Some(status));
        let (_, [can_rewrite, can_decode]) = HOMES[self.shape.home];
        let mut leniency = self.shape.leniency;
        leniency.decodes_unreserved &= can_decode;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let Some(spelled) = read(path, leniency).filter(|_| method.bytes().all(plain)) else {
            return refused(400);
        };
        let as_sent = if can_rewrite { &spelled.canonical } else { &spelled.as_sent };

        let kept = self.kept[caller].filter(|(_, mono, wall)| self.monotonic < *mono && self.wall < *wall);
        if kept.is_none() && caller == 2 {
            return refused(401);
        }
        let (policy, ..) =
            kept.unwrap_or((self.current[caller], self.monotonic + TTL, self.wall + TTL.cast_signed()));
        if self.shape.is_cached && kept.is_none() {
            self.kept[caller] = Some((policy, self.monotonic + TTL, self.wall + TTL.cast_signed()));
        }

        let mut context = BTreeMap::new();
        context.insert("aws:sourceip".to_owned(), Known::Unavailable);
        context.insert("aws:securetransport".to_owned(), Known::Unavailable);
        context.insert("aws:requestedregion".to_owned(), Known::One("us-east-1".to_owned()));
        if let Some(agent) = agent {
            context.insert("aws:useragent".to_owned(), Known::One(agent.to_owned()));
        }
        let policy = &self.policies[policy].0;
        let ask = |method: &str, canonical: &str, sent: &str| {
            let ask = Ask {
                stage: STAGE.to_owned(),
                method: method.to_owned(),
                path: as_sent.clone(),
                canonical_path: Some(canonical.to_owned()).filter(|path| path != as_sent),
                sent_path: Some(sent.to_owned()).filter(|path| path != as_sent),
                context: context.clone(),
            };
            naive::outcomes(policy, &ask)
        };
        let judge = |canonical: &str, sent: &str| {
            let outcomes = ask(method, canonical, sent);
            if !self.shape.head_as_get || method != "HEAD" {
                return naive::combine(&outcomes).0;
            }
            let statements: serde_json::Value = serde_json::from_str(policy).unwrap();
            let as_get = ask("GET", canonical, sent);
            let rows = outcomes.iter().zip(as_get).zip(statements["Statement"].as_array().unwrap());
            let lent = rows.map(|((head, get), statement)| {
                // One of two names is enough to be allowed under, and to be excepted under.
                let settles = statement["NotResource"].is_null();
                let matches = match [head.matches, get.matches] {
                    _ if head.deny => head.matches,
                    both if both.contains(&Some(settles)) => Some(settles),
                    both if both.contains(&None) => None,
                    _ => Some(!settles),
                };
                naive::Outcome { deny: head.deny, matches }
            });
            naive::combine(&lent.collect::<Vec<_>>()).0
        };
        let mut verdict = judge(&spelled.canonical, path);
        // What it would be called if it had been routed as it was sent.
        if verdict == Verdict::Allow {
            verdict = judge(&spelled.canonical, &spelled.as_sent);
        }
        if spelled.canonical.contains("%2F") {
            // Any of the segments may be decoded, each alone or with others.
            let slashed: Vec<usize> = (0..)
                .zip(spelled.canonical.split('/'))
                .filter(|(_, part)| part.contains("%2F"))
                .map(|(at, _)| at)
                .collect();
            for choice in 1..1_usize << slashed.len() {
                let is_chosen = |at: usize| {
                    slashed.iter().position(|known| *known == at).is_some_and(|bit| choice >> bit & 1 == 1)
                };
                let decoded = |path: &str| {
                    let parts = path.split('/').enumerate();
                    let parts = parts.map(|(at, part)| match is_chosen(at) {
                        true => part.replace("%2F", "/").replace("%2f", "/"),
                        false => part.to_owned(),
                    });
                    parts.collect::<Vec<_>>().join("/")
                };
                let mut canonical = decoded(&spelled.canonical);
                let mut names = [decoded(path), decoded(&spelled.as_sent), decoded(as_sent)];
                for _ in 0..2 {
                    for sent in &names {
                        if verdict == Verdict::Allow {
                            verdict = judge(&canonical, sent);
                        }
                    }
                    // A file system takes several slashes for one.
                    for path in names.iter_mut().chain([&mut canonical]) {
                        while path.contains("//") {
                            *path = path.replace("//", "/");
                        }
                    }
                }
            }
        }
        match verdict {
            Verdict::Allow => (verdict, None),
            Verdict::Indeterminate => (verdict, Some(500)),
            Verdict::ExplicitDeny | Verdict::ImplicitDeny => (verdict, Some(403)),
        }
    }
}

fn run(
    shape: Shape,
    policies: &[Policy],
    events: &[Event],
    seen: &RefCell<BTreeMap<String, u64>>,
) -> Result<(), TestCaseError> {
    let current = Arc::new(Mutex::new([0_usize; 3]));
    let (answers, texts) = (Arc::clone(&current), policies.to_vec());
    let clock = ManualClock::default();
    let own = clock.clone();
    let build = move |layer: AuthorizerLayerBuilder| {
        let layer = if shape.head_as_get { layer.head_as_get() } else { layer };
        let layer = if shape.leniency.decodes_unreserved { layer.decode_unreserved_escapes() } else { layer };
        let layer = if shape.leniency.allows_encoded_slash { layer.allow_encoded_slash() } else { layer };
        let layer = layer.with_clock(own);
        if shape.is_cached {
            layer.with_cache(MemoryCache::default()).with_cache_ttl(Duration::from_secs(TTL))
        } else {
            layer
        }
    };
    let mut kept = None;
    let local = Setup::default()
        .policy_of(move |event| {
            let caller = CALLERS.iter().position(|caller| Some(*caller) == event.token()).unwrap();
            texts[answers.lock().unwrap()[caller]].0.clone()
        })
        .layer(build)
        .in_process_with(|world, layer| {
            kept = Some(layer.clone());
            HOMES[shape.home].0(router(world, true), layer)
        });
    let layer = kept.unwrap();
    let wall = i64::try_from(clock.wall().as_secs()).unwrap();
    let mut model = Model { shape, policies, current: [0; 3], kept: [None; 3], monotonic: 0, wall };

    for event in events {
        match event {
            Event::Passes(seconds) => {
                clock.advance(Duration::from_secs(*seconds));
                (model.monotonic, model.wall) =
                    (model.monotonic + seconds, model.wall + seconds.cast_signed());
            }
            Event::Jumps(seconds) => {
                model.wall += seconds;
                clock.set_wall(Duration::from_secs(model.wall.unsigned_abs()));
                clock.advance(Duration::from_secs(1));
                (model.monotonic, model.wall) = (model.monotonic + 1, model.wall + 1);
            }
            Event::Changes { caller, policy } => {
                let policy = policy % policies.len();
                current.lock().unwrap()[*caller] = policy;
                model.current[*caller] = policy;
            }
            Event::ForgetsAll => {
                layer.invalidate_all();
                model.kept = [None; 3];
            }
            Event::ForgetsCaller(caller) => {
                layer.invalidate_principal(CALLERS[*caller]);
                model.kept[*caller] = None;
            }
            Event::ForgetsToken(caller) => {
                layer.invalidate_identity([CALLERS[*caller]]);
                model.kept[*caller] = None;
            }
            Event::Request { caller, method, target, agent } => {
                let Ok(uri) = target.parse::<http::Uri>() else { continue };
                let path = uri.path().to_owned();
                let request =
                    Request::builder().method(*method).uri(uri).header(AUTHORIZATION, CALLERS[*caller]);
                let request = match agent {
                    Some(agent) => request.header(USER_AGENT, *agent),
                    None => request,
                };
                let status = local.call(request).status().as_u16();
                let calls = local.world.take_calls();
                local.world.take_asked();
                let (verdict, refusal) = model.request(*caller, method, &path, *agent);
                match refusal {
                    Some(expected) => {
                        prop_assert_eq!(&calls, &[""; 0], "{:?}: {}", event, status);
                        prop_assert_eq!(status, expected, "{:?}", event);
                    }
                    // Not every route has every method.
                    None => prop_assert!(
                        (status, calls.len()) == (200, 1) || (status, calls.len()) == (405, 0),
                        "{event:?}: {status} {calls:?}"
                    ),
                }
                let what = refusal.map_or("200".to_owned(), |status| format!("{status} {verdict:?}"));
                *seen.borrow_mut().entry(what).or_default() += 1;
            }
        }
    }
    Ok(())
}

#[test]
fn a_handler_runs_exactly_when_the_model_says_so() {
    let seen = RefCell::new(BTreeMap::new());
    let cases = 4 * Config::default().cases;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let cases = (shape(), vec(policy(), 3), vec(event(), 1..40));
    runner.run(&cases, |(shape, policies, events)| run(shape, &policies, &events, &seen)).unwrap();
    let seen = seen.into_inner();
    let total: u64 = seen.values().sum();
    println!("{total} requests: {seen:?}");
    // Otherwise the generators test nothing.
    assert_eq!(seen.len(), 6, "{seen:?}");
}
