//! Attacks on what is remembered: an answer that was given for one request, and used for another.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, Request};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer, AuthorizerResponse};

use super::harness::{Local, Server, Setup, World, answering, home, stage, statements};
use super::tally::Tally;

/// An authorizer that allows just what it was asked about, and whose answers are kept.
fn echoing(home: home::Home) -> Server {
    Setup::default()
        .policy_of(|event| statements(&[("Allow", event.arn().as_str())]))
        .layer(|layer| layer.with_cache(MemoryCache::default()))
        .serve(home)
}

#[test]
fn an_echoed_arn_that_is_remembered_allows_itself() {
    let mut tally = Tally::of("echo and cache", 22);
    let probes = ["/users/7", "/users/me", "/admin", "/any/x", "/files/a/b", "/", "/users/me/", "/slash/"];
    for home in [home::protected, home::outside, home::router_layer] {
        for seed in [
            "/users/*",
            "/users/%2a",
            "/users/?",
            "/users/%3f",
            "/users/%3F%3F",
            "/*",
            "/**",
            "/%2A",
            "/users/**",
            "/*/*",
            "/files/*",
            "/files/**/*",
            "/users/${aws:username}",
            "/users/$%7B*%7D",
            "/users/${*}",
            "/users/{id}",
            "/users/*?x=*",
            "/any/*",
            "/users/%252A",
            "/users/%25252A",
            "/users/*%00",
            "/users/*/..",
        ] {
            // A caller of its own for each attempt.
            let server = echoing(home);
            let first = server.ask("GET", seed);
            server.world.take_calls();
            for probe in probes {
                let answer = server.ask("GET", probe);
                let is_seed = server.world.take_asked().last() == Some(&format!("GET{probe}"));
                // Whoever was refused at first was not remembered; then the probe is the first, and its own.
                if first.status == 400 && is_seed {
                    server.world.take_calls();
                    break;
                }
                assert_eq!(answer.status, 403, "{seed}, then {probe}");
                tally.refused(&server.world, seed);
            }
            tally.refused(&server.world, seed);
        }
    }
}

fn named(name: &'static str) -> IdentitySource {
    IdentitySource::header(HeaderName::from_static(name))
}

/// Who has just these three values may do anything, and everybody else nothing.
fn one_caller(values: [&'static str; 3]) -> Local {
    Setup::default()
        .request()
        .policy_of(move |event| {
            let found = [event.header("x-first"), event.header("x-second"), event.query_parameter("q")];
            statements(&[("Allow", if found == values.map(Some) { "*" } else { "~GET/nothing" })])
        })
        .layer(|layer| {
            let sources = [named("x-first"), named("x-second"), IdentitySource::query_string("q")];
            layer.with_identity_sources(sources).with_cache(MemoryCache::default())
        })
        .in_process(home::protected)
}

#[test]
fn nobody_is_taken_for_somebody_who_was_let_in() {
    let mut tally = Tally::of("cache scope and collision", 27);
    let victim = ["ab", "c", "d"];
    let local = one_caller(victim);
    let ask = |values: [&str; 3]| {
        let request = Request::get(format!("/admin?q={}", values[2]));
        local.call(request.header("x-first", values[0]).header("x-second", values[1])).status().as_u16()
    };
    assert_eq!(ask(victim), 200);
    assert_eq!(local.world.take_calls(), ["admin"]);
    let long = "a".repeat(8000) + "b";
    for values in [
        ["a", "bc", "d"],
        ["abc", "", "d"],
        ["abc", "c", "d"],
        ["ab", "cd", "d"],
        ["ab", "c", "dd"],
        ["a", "b", "cd"],
        ["c", "ab", "d"],
        ["ab", "d", "c"],
        ["d", "c", "ab"],
        ["ab,c", "d", "d"],
        ["ab", "c,d", "d"],
        ["ab,", "c", "d"],
        ["ab", ",c", "d"],
        ["ab;c;d", "c", "d"],
        ["ab|c|d", "c", "d"],
        ["ab:c:d", "c", "d"],
        ["ab%00", "c", "d"],
        ["ab", "c", "%44"],
        ["AB", "c", "d"],
        ["ab", "C", "d"],
        ["ab", "c", "D"],
        ["ab ", "c", "%20d"],
        ["a b", "c", "d"],
        ["\"ab\"", "c", "d"],
        [&long, "c", "d"],
        ["ab", &long, "d"],
    ] {
        for _ in 0..2 {
            assert_ne!(ask(values), 200, "{values:?}");
            tally.refused(&local.world, format!("{values:?}").chars().take(60).collect::<String>());
        }
    }
    assert_eq!(ask(victim), 200);

    // The same store, the same token, another layer: another authorizer is asked.
    let store = Arc::new(MemoryCache::default());
    let layer = |policy: &str| {
        let own = Arc::clone(&store);
        Setup::default()
            .policy(&[("Allow", policy)])
            .layer(|layer| layer.with_cache(own))
            .in_process(home::protected)
    };
    let (open, closed) = (layer("*"), layer("~GET/nothing"));
    assert_eq!(open.get("/admin", "ok"), 200);
    assert_eq!(closed.get("/admin", "ok"), 403);
    tally.refused(&closed.world, "another layer with the same store");
}

/// An HTTP API with simple responses that are kept per route, and allow one request.
fn simple(source: &'static str, allowed: &'static str) -> Local {
    let world = Arc::<World>::default();
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let authorizer = answering(move |event| {
        let asked = event.arn().as_str().split_once("/prod/").map(|(_, tail)| tail.to_owned());
        Ok(AuthorizerResponse::simple(asked.as_deref() == Some(allowed)))
    });
    let sources = [
        IdentitySource::header(AUTHORIZATION),
        "$context.httpMethod".parse().unwrap(),
        source.parse().unwrap(),
    ];
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_simple_responses()
        .with_identity_sources(sources)
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    Local::new(Arc::clone(&world), protect(world.router(), layer))
}

#[test]
fn a_yes_without_a_route_is_one_for_a_single_path() {
    let mut tally = Tally::of("cache keys without a route", 14);
    for source in ["$context.routeKey", "$context.path", "$context.resourcePath", "$context.resourceId"] {
        // No template: axum's fallback and a nested service serve these.
        for (allowed, others) in [
            (
                "GET/none/a",
                [
                    ("GET", "/none/b"),
                    ("GET", "/none/a/"),
                    ("POST", "/none/a"),
                    ("HEAD", "/none/a"),
                    ("GET", "/none"),
                    ("GET", "/none/a/b"),
                    ("GET", "/service/none/a"),
                ],
            ),
            (
                "GET/service/a",
                [
                    ("GET", "/service/b"),
                    ("GET", "/service/a/"),
                    ("POST", "/service/a"),
                    ("HEAD", "/service/a"),
                    ("GET", "/service"),
                    ("GET", "/service/a/b"),
                    ("GET", "/none/service/a"),
                ],
            ),
        ] {
            let local = simple(source, allowed);
            let ask = |method: &str, path: &str| {
                let request = Request::builder().method(method).uri(path).header("authorization", "me");
                local.call(request).status().as_u16()
            };
            let (method, path) = allowed.split_at(3);
            assert_eq!(ask(method, path), 200, "{source}");
            assert_eq!(local.world.take_calls().len(), 1);
            for (method, path) in others {
                assert_eq!(ask(method, path), 403, "{source}: {allowed}, then {method} {path}");
                tally.refused(&local.world, format!("{allowed}, then {method} {path}"));
            }
        }
    }
}

#[test]
fn a_cache_that_would_mix_callers_or_routes_is_not_built() {
    type Build = fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder;
    let http = || ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let cases: [(ApiStage, Build); 5] = [
        (stage(), |layer| layer),
        (stage(), |layer| layer.with_identity_sources(["context.stage".parse().unwrap()])),
        (stage(), |layer| layer.with_identity_sources(["context.httpMethod".parse().unwrap()])),
        (http(), |layer| {
            layer.with_simple_responses().with_identity_sources([IdentitySource::header(AUTHORIZATION)])
        }),
        (http(), |layer| {
            let sources = [IdentitySource::header(AUTHORIZATION), "$context.path".parse().unwrap()];
            layer.with_simple_responses().with_identity_sources(sources)
        }),
    ];
    for (stage, build) in cases {
        let authorizer = answering(|_| Ok(AuthorizerResponse::simple(true)));
        let builder = build(AuthorizerLayer::request(authorizer, stage).with_cache(MemoryCache::default()));
        assert!(builder.build().is_err());
    }
}
