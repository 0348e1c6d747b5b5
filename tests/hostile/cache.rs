//! What is remembered, about whom, and for how long.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Request};
use tokio::sync::Notify;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use super::harness::{Local, Setup, World, home, runtime, stage, statements};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A cached layer, and the clock it goes by.
fn cached(setup: Setup, ttl: u64) -> (Local, ManualClock, AuthorizerLayer) {
    let (clock, mut kept) = (ManualClock::default(), None);
    let own = clock.clone();
    let local = setup
        .layer(move |layer| {
            layer.with_cache(MemoryCache::default()).with_cache_ttl(seconds(ttl)).with_clock(own)
        })
        .in_process(|router, layer| {
            kept = Some(layer.clone());
            protect(router, layer)
        });
    (local, clock, kept.unwrap())
}

/// The status, how often the authorizer was asked, how often a handler ran.
fn ask(local: &Local, path: &str, token: &str) -> (u16, usize, usize) {
    let status = local.get(path, token);
    (status, local.world.take_asked().len(), local.world.take_calls().len())
}

#[test]
fn a_policy_is_remembered_and_not_a_verdict() {
    let setup = Setup::default().policy(&[("Allow", "~GET/users/*"), ("Deny", "~GET/users/me")]);
    let (local, ..) = cached(setup, 300);
    assert_eq!(ask(&local, "/users/7", "ok"), (200, 1, 1));
    for (path, status) in [
        ("/users/7", 200),
        ("/users/8", 200),
        ("/users/me", 403),
        ("/users/me/", 403),
        ("/admin", 403),
        ("/users/%6de", 400),
        ("/users/7", 200),
    ] {
        assert_eq!(ask(&local, path, "ok"), (status, 0, usize::from(status == 200)), "{path}");
    }
}

#[test]
fn a_denial_is_remembered_too_and_is_none_either() {
    let (local, ..) = cached(Setup::default().policy(&[("Allow", "~GET/users/7")]), 300);
    assert_eq!(ask(&local, "/admin", "ok"), (403, 1, 0));
    assert_eq!(ask(&local, "/admin", "ok"), (403, 0, 0));
    assert_eq!(ask(&local, "/users/7", "ok"), (200, 0, 1));
}

#[test]
fn an_echoed_arn_allows_nothing_but_itself_while_it_is_remembered() {
    let setup = Setup::default().policy_of(|event| statements(&[("Allow", event.arn().as_str())]));
    let (local, ..) = cached(setup, 300);
    assert_eq!(ask(&local, "/users/*", "ok"), (200, 1, 1));
    for path in ["/users/7", "/users/me", "/users/", "/users/%3F", "/users/*/", "/admin", "/users/%252A"] {
        assert_eq!(ask(&local, path, "ok"), (403, 0, 0), "{path}");
    }
    assert_eq!(ask(&local, "/users/%2a", "ok"), (200, 0, 1));
}

#[test]
fn every_identity_is_remembered_by_itself() {
    let setup = Setup::default().policy_of(|event| {
        let own = if event.token() == Some("ok-root") { "~*" } else { "~GET/users/7" };
        statements(&[("Allow", own)])
    });
    let (local, ..) = cached(setup, 300);
    assert_eq!(ask(&local, "/admin", "ok-root"), (200, 1, 1));
    for token in ["ok-roo", "ok-root ", "ok-root2", "OK-root", "ok-Root", "ok-root\u{20}x"] {
        let (status, asked, ran) = ask(&local, "/admin", token);
        assert!(matches!(status, 401 | 403), "{token:?}");
        assert_eq!((asked, ran), (1, 0), "{token:?}");
    }
    assert_eq!(ask(&local, "/admin", "ok-root"), (200, 0, 1));
}

#[test]
fn identities_that_look_alike_when_written_together_are_different() {
    let names = ["x-first", "x-second"].map(HeaderName::from_static);
    let sources = [
        IdentitySource::header(names[0].clone()),
        IdentitySource::header(names[1].clone()),
        IdentitySource::query_string("q"),
    ];
    let local = Setup::default()
        .request()
        .layer(|layer| layer.with_identity_sources(sources).with_cache(MemoryCache::default()))
        .in_process(home::protected);
    let identities = [
        ["ab", "c", "d"],
        ["a", "bc", "d"],
        ["abc", "c", "d"],
        ["a", "b", "cd"],
        ["c", "ab", "d"],
        ["d", "c", "ab"],
        ["ab,", "c", "d"],
        ["ab", ",c", "d"],
        ["ab", "c,d", "d"],
        ["ab;c", "d", "d"],
        ["a:b", "c", "d"],
        ["a", "b:c", "d"],
        ["AB", "c", "d"],
        ["ab", "c", "D"],
    ];
    for round in [1, 0] {
        for [first, second, third] in identities {
            let request =
                Request::get(format!("/admin?q={third}")).header("x-first", first).header("x-second", second);
            assert_eq!(local.call(request).status(), 200);
            assert_eq!(local.world.take_asked().len(), round, "{first} {second} {third}");
        }
    }
}

#[test]
fn two_layers_with_one_store_do_not_share_answers() {
    let store = Arc::new(MemoryCache::default());
    let with_store = |policy: &str| {
        let own = Arc::clone(&store);
        Setup::default().policy(&[("Allow", policy)]).layer(|layer| layer.with_cache(own))
    };
    let (everything, nothing) = (
        with_store("~*").in_process(home::protected),
        with_store("~GET/nothing").in_process(home::protected),
    );
    assert_eq!(ask(&everything, "/admin", "ok"), (200, 1, 1));
    assert_eq!(ask(&nothing, "/admin", "ok"), (403, 1, 0));
    assert_eq!(store.len(), 2);
    assert_eq!(ask(&everything, "/admin", "ok"), (200, 0, 1));
    assert_eq!(ask(&nothing, "/admin", "ok"), (403, 0, 0));
}

#[test]
fn clones_of_a_layer_share_their_answers() {
    let (local, _, layer) = cached(Setup::default(), 300);
    let again = Local::new(Arc::clone(&local.world), layer.layer(local.world.router()));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
    assert_eq!(ask(&again, "/admin", "ok"), (200, 0, 1));
}

#[test]
fn an_answer_ends_when_its_time_is_up_to_the_nanosecond() {
    for ttl in [1, 300, 3600] {
        let (local, clock, _) = cached(Setup::default(), ttl);
        assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1), "{ttl}");
        clock.advance(seconds(ttl) - Duration::from_nanos(1));
        assert_eq!(ask(&local, "/admin", "ok"), (200, 0, 1), "{ttl}");
        // It was used just now, and that does not prolong it.
        clock.advance(Duration::from_nanos(1));
        assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1), "{ttl}");
        assert_eq!(ask(&local, "/admin", "ok"), (200, 0, 1), "{ttl}");
    }
}

#[test]
fn the_wall_clock_ends_an_answer_too_and_never_prolongs_one() {
    let (local, clock, _) = cached(Setup::default(), 300);
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
    // The machine slept, or somebody set the clock forward: seen within a second.
    clock.set_wall(clock.wall() + seconds(300));
    clock.advance(seconds(1));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
    // Somebody set it back: the monotonic clock still ends the answer.
    clock.set_wall(clock.wall() - seconds(86_400));
    clock.advance(seconds(299));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 0, 1));
    clock.advance(seconds(1));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
}

#[test]
fn an_answer_may_ask_for_a_shorter_life_and_not_for_a_longer_one() {
    let (local, clock, _) = cached(Setup::default().max_age(20), 300);
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
    clock.advance(seconds(19));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 0, 1));
    clock.advance(seconds(1));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));

    let (local, clock, _) = cached(Setup::default().max_age(u64::MAX), 300);
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
    clock.advance(seconds(300));
    assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1));
}

#[test]
fn an_answer_or_a_layer_may_ask_not_to_be_remembered() {
    for (max_age, ttl) in [(0, 300), (300, 0)] {
        let (local, ..) = cached(Setup::default().max_age(max_age), ttl);
        for _ in 0..3 {
            assert_eq!(ask(&local, "/admin", "ok"), (200, 1, 1), "{max_age} {ttl}");
        }
    }
}

#[test]
fn a_failure_is_never_remembered() {
    let (local, _, layer) = cached(Setup::default(), 300);
    for (token, status) in [("bad", 401), ("ok-malformed", 500)] {
        for _ in 0..3 {
            assert_eq!(ask(&local, "/admin", token), (status, 1, 0), "{token}");
        }
    }
    layer.invalidate_all();
    for policy in ["", "{}", "not a policy", r#"{"Version":"2012-10-17","Statement":[{"Effect":"allow"}]}"#] {
        let (local, ..) = cached(Setup::default().policy_of(move |_| policy.to_owned()), 300);
        for _ in 0..2 {
            assert_eq!(ask(&local, "/admin", "ok"), (500, 1, 0), "{policy}");
        }
    }
}

#[test]
fn what_is_invalidated_is_asked_anew_and_the_rest_is_not() {
    let (local, _, layer) = cached(Setup::default(), 300);
    let ask_both = || ["ok-1", "ok-2"].map(|token| ask(&local, "/admin", token).1);
    assert_eq!(ask_both(), [1, 1]);
    layer.invalidate_identity(["ok-1"]);
    assert_eq!(ask_both(), [1, 0]);
    layer.invalidate_principal("ok-2");
    assert_eq!(ask_both(), [0, 1]);
    layer.invalidate_identity(["ok"]);
    layer.invalidate_identity(["ok-1", "ok-2"]);
    layer.invalidate_identity([]);
    layer.invalidate_principal("");
    assert_eq!(ask_both(), [0, 0]);
    layer.invalidate_all();
    assert_eq!(ask_both(), [1, 1]);
}

#[test]
fn an_answer_that_was_on_its_way_when_all_was_forgotten_is_not_kept() {
    let (gate, world) = (Arc::new(Notify::new()), Arc::<World>::default());
    let (held, seen) = (Arc::clone(&gate), Arc::clone(&world));
    let authorizer = authorizer_fn(move |event| {
        seen.asked(&event);
        let held = Arc::clone(&held);
        async move {
            held.notified().await;
            let policy = event.policy().allow(AnyMethod, "/*").build()?;
            Ok(AuthorizerResponse::new("ok", policy)?)
        }
    });
    let layer =
        AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let service = protect(world.router(), layer.clone());
    runtime().block_on(async {
        let call = || {
            let request = Request::get("/admin").header("authorization", "ok");
            tokio::spawn(service.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()))
        };
        let first = call();
        while world.take_asked().is_empty() {
            tokio::task::yield_now().await;
        }
        layer.invalidate_all();
        gate.notify_one();
        assert_eq!(first.await.unwrap().unwrap().status(), 200);
        gate.notify_one();
        assert_eq!(call().await.unwrap().unwrap().status(), 200);
        assert_eq!(world.take_asked().len(), 1);
        assert_eq!(call().await.unwrap().unwrap().status(), 200);
        assert_eq!(world.take_asked().len(), 0);
        assert_eq!(world.take_calls().len(), 3);
    });
}

#[test]
fn an_authorizer_that_fails_in_any_way_lets_nobody_pass_and_serves_the_next() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a payload that panics when it is dropped");
        }
    }
    let world = Arc::<World>::default();
    for caching in [false, true] {
        let authorizer = authorizer_fn(async |event| {
            match event.token() {
                Some("at-once") => panic!("at once"),
                Some("payload") => std::panic::panic_any(Bomb),
                Some("later") => {
                    tokio::task::yield_now().await;
                    panic!("later");
                }
                Some("never") => std::future::pending().await,
                Some("error") => return Err(AuthorizerError::failure("out of order")),
                _ => tokio::task::yield_now().await,
            }
            let policy = event.policy().allow(AnyMethod, "/*").build()?;
            Ok(AuthorizerResponse::new("ok", policy)?)
        });
        let builder = AuthorizerLayer::token(authorizer, stage()).with_max_loads(1);
        let builder = if caching { builder.with_cache(MemoryCache::default()) } else { builder };
        let service = protect(world.router(), builder.build().unwrap());
        let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        paused.unwrap().block_on(async {
            for token in ["at-once", "payload", "later", "never", "error"] {
                for (token, status) in [(token, 500), ("ok", 200)] {
                    let request = Request::get("/admin").header("authorization", token);
                    let request = request.body(axum::body::Body::empty()).unwrap();
                    let Ok(response) = service.clone().oneshot(request).await;
                    assert_eq!(response.status(), status, "{token}, cached: {caching}");
                    // There is one permit: it would be missed.
                    assert_eq!(world.take_calls().len(), usize::from(status == 200), "{token}");
                }
            }
        });
    }
}
