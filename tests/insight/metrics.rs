//! What is counted.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use http::{Method, Request};
use metrics::{Unit, set_global_recorder, with_local_recorder};
use tower::{Layer, Service};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::middleware::Shadow;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use crate::common::{Counter, counting, stage};
use crate::recorder::Kept;
use crate::{ask, cached, compared, get, plain};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

/// What asking all of these records.
fn recorded(layer: &AuthorizerLayer, requests: impl IntoIterator<Item = Request<()>>) -> Kept {
    let kept = Kept::default();
    let service = layer.layer(counting(&Counter::default()));
    with_local_recorder(&kept, || {
        block_on(async {
            for request in requests {
                ask(&service, request).await;
            }
        });
    });
    kept
}

#[test]
fn decisions_and_loads_are_counted_exactly() {
    let asked = [
        ("/items/1", "fine"),
        ("/items/2", "fine"),
        ("/items/secret", "fine"),
        ("/elsewhere", "fine"),
        ("/items//", "fine"),
        ("/items/1", "unauthorized"),
        ("/items/1", "failure"),
        ("/items/1", "failure"),
        ("/items/1", "panic"),
        ("/items/1", "hang"),
        ("/items/1", "invalid"),
    ];
    let requests = asked.map(|(path, token)| get(path, token));
    assert_eq!(
        recorded(&cached().build().unwrap(), requests).lines(),
        [
            "lambda_authorizer_decisions_total{cache=hit,outcome=allow} 1",
            "lambda_authorizer_decisions_total{cache=hit,outcome=explicit_deny} 1",
            "lambda_authorizer_decisions_total{cache=hit,outcome=implicit_deny} 1",
            "lambda_authorizer_decisions_total{cache=miss,outcome=allow} 1",
            "lambda_authorizer_decisions_total{cache=miss,outcome=authorizer_failure} 2",
            "lambda_authorizer_decisions_total{cache=miss,outcome=authorizer_panic} 1",
            "lambda_authorizer_decisions_total{cache=miss,outcome=authorizer_timeout} 1",
            "lambda_authorizer_decisions_total{cache=miss,outcome=invalid_response} 1",
            "lambda_authorizer_decisions_total{cache=miss,outcome=unauthorized} 1",
            "lambda_authorizer_decisions_total{cache=none,outcome=invalid_target} 1",
            "lambda_authorizer_load_duration_seconds{outcome=authorizer_failure,role=enforcing} [0.0015, 0.0015]",
            "lambda_authorizer_load_duration_seconds{outcome=authorizer_panic,role=enforcing} [0.0015]",
            "lambda_authorizer_load_duration_seconds{outcome=authorizer_timeout,role=enforcing} [0.0015]",
            "lambda_authorizer_load_duration_seconds{outcome=invalid_response,role=enforcing} [0.0015]",
            "lambda_authorizer_load_duration_seconds{outcome=ok,role=enforcing} [0.0015]",
            "lambda_authorizer_load_duration_seconds{outcome=unauthorized,role=enforcing} [0.0015]",
            "lambda_authorizer_loads_running{role=enforcing} 0",
            "lambda_authorizer_loads_total{role=enforcing} 7",
        ]
    );
}

#[test]
fn authorizers_at_work_are_counted_and_so_are_those_that_are_abandoned() {
    let kept = Kept::default();
    let layer = plain().0.with_max_loads(1).build().unwrap();
    let mut service = layer.layer(counting(&Counter::default()));
    with_local_recorder(&kept, || {
        block_on(async {
            let mut hanging = Box::pin(service.call(get("/items/1", "hang")));
            let waker = std::task::Waker::noop();
            assert!(hanging.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
            assert_eq!(
                kept.lines(),
                [
                    "lambda_authorizer_loads_running{role=enforcing} 1",
                    "lambda_authorizer_loads_total{role=enforcing} 1",
                ]
            );
            ask(&service, get("/items/1", "fine")).await;
        });
    });
    assert_eq!(
        kept.lines(),
        [
            "lambda_authorizer_decisions_total{cache=none,outcome=overloaded} 1",
            "lambda_authorizer_load_duration_seconds{outcome=abandoned,role=enforcing} [0.0015]",
            "lambda_authorizer_loads_running{role=enforcing} 0",
            "lambda_authorizer_loads_total{role=enforcing} 1",
        ]
    );
}

#[test]
fn whoever_waits_for_another_is_counted_as_coalesced() {
    let kept = Kept::default();
    let service = cached().build().unwrap().layer(counting(&Counter::default()));
    with_local_recorder(&kept, || {
        block_on(async {
            let ask = || ask(&service, get("/items/1", "late"));
            tokio::join!(ask(), ask(), ask());
        });
    });
    assert_eq!(
        kept.lines(),
        [
            "lambda_authorizer_decisions_total{cache=coalesced,outcome=allow} 2",
            "lambda_authorizer_decisions_total{cache=miss,outcome=allow} 1",
            "lambda_authorizer_load_duration_seconds{outcome=ok,role=enforcing} [0.0015]",
            "lambda_authorizer_loads_running{role=enforcing} 0",
            "lambda_authorizer_loads_total{role=enforcing} 1",
        ]
    );
}

#[test]
fn evictions_are_counted_as_the_cache_counts_them() {
    let cache = MemoryCache::builder().with_max_entries(4).build();
    let layer = plain().0.with_cache(cache).build().unwrap();
    let kept = recorded(&layer, (0..50).map(|number| get("/items/1", &format!("token-{number}"))));
    let evictions = layer.cache_statistics().evictions;
    assert!(evictions > 0);
    let line = format!("lambda_authorizer_cache_evictions_total{{}} {evictions}");
    assert!(kept.lines().contains(&line), "{:?}", kept.lines());
}

#[test]
fn comparisons_are_counted_by_their_direction() {
    let _alone = crate::SHADOWS.lock().unwrap_or_else(PoisonError::into_inner);
    // The candidate is asked on threads of its own, which no test can prepare.
    let kept: &'static Kept = Box::leak(Box::default());
    set_global_recorder(kept).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = ManualClock::default();
    let candidate = authorizer_fn(async |event| match event.token() {
        Some("Bearer fail") => Err(AuthorizerError::failure("no such table")),
        Some("Bearer no") => Err(AuthorizerError::unauthorized()),
        token => {
            let name = if token == Some("Bearer same") { "the-principal" } else { "another" };
            let policy = event.policy().allow(Method::GET, "/*").build()?;
            Ok(AuthorizerResponse::new(name, policy)?)
        }
    });
    let candidate = AuthorizerLayer::token(candidate, stage()).with_clock(clock).build().unwrap();
    let shadow = Shadow::new(candidate);
    let layer = plain().0.build().unwrap().with_shadow(shadow.clone()).unwrap();
    runtime.block_on(async {
        let service = layer.layer(counting(&Counter::default()));
        for (path, token) in [
            ("/items/1", "same"),
            ("/items/1", "same"),
            ("/items/1", "other"),
            ("/items/1", "no"),
            ("/items/1", "fail"),
            ("/items/secret", "same"),
            ("/items/secret", "no"),
        ] {
            ask(&service, get(path, token)).await;
        }
        compared(&shadow, 7).await;
    });
    let found: Vec<_> = kept
        .lines()
        .into_iter()
        .filter(|line| line.contains("shadow") && !line.contains("duration"))
        .collect();
    assert_eq!(
        found,
        [
            "lambda_authorizer_loads_running{role=shadow} 0",
            "lambda_authorizer_loads_total{role=shadow} 7",
            "lambda_authorizer_shadow_comparisons_total{outcome=agreed} 2",
            "lambda_authorizer_shadow_comparisons_total{outcome=candidate_failed} 1",
            "lambda_authorizer_shadow_comparisons_total{outcome=newly_allowed} 1",
            "lambda_authorizer_shadow_comparisons_total{outcome=newly_denied} 1",
            "lambda_authorizer_shadow_comparisons_total{outcome=other_principal} 1",
            "lambda_authorizer_shadow_comparisons_total{outcome=other_status} 1",
        ]
    );
}

#[cfg(all(feature = "jwks-http", feature = "testing"))]
#[test]
fn fetches_of_key_sets_are_counted() {
    use tower_lambda_authorizer::jwt::HttpJwks;
    use tower_lambda_authorizer::testing::{FakeIssuer, TestKey, jwks};

    let kept = Kept::default();
    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    drop(listener);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_local_recorder(&kept, || {
        runtime.block_on(async {
            let gone = HttpJwks::new(url).build().unwrap();
            gone.refresh().await.unwrap_err();
            let issuer = FakeIssuer::start().unwrap();
            issuer.set_keys(jwks([&TestKey::es256("a")]));
            let there = HttpJwks::new(issuer.jwks_url()).build().unwrap();
            there.refresh().await.unwrap();
        });
    });
    assert_eq!(
        kept.lines(),
        [
            "lambda_authorizer_jwks_fetches_total{outcome=failed} 1",
            "lambda_authorizer_jwks_fetches_total{outcome=ok} 1",
        ]
    );
}

#[test]
fn nothing_that_a_client_chooses_becomes_a_label() {
    let methods = ["GET", "get", "X-1", "PURGE", "HEAD", "CONNECT"];
    let hostile = |number: usize| {
        let path = format!("/items/{number}{}", "%0a..;".get(..number % 7).unwrap_or_default());
        let mut request = Request::new(());
        *request.method_mut() = methods[number % methods.len()].parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer kid-{number} principal-{number}").parse().unwrap());
        headers.insert("host", format!("host-{number}.example").parse().unwrap());
        headers.insert("x-amzn-requestid", format!("id-{number}").parse().unwrap());
        request
    };
    let asked: Vec<_> = (0..600).map(hostile).collect();
    let named = authorizer_fn(async |event| {
        let name = event.token().unwrap_or_default().to_owned();
        Ok(AuthorizerResponse::new(&*name, event.policy().allow(Method::GET, "/*").with_sid(&name).build()?)?)
    });
    let layer = AuthorizerLayer::token(named, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let lines = recorded(&layer, asked).lines();
    let counters: Vec<_> = lines.iter().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect();
    assert_eq!(
        counters,
        [
            "lambda_authorizer_decisions_total{cache=miss,outcome=allow}",
            "lambda_authorizer_decisions_total{cache=miss,outcome=implicit_deny}",
            "lambda_authorizer_decisions_total{cache=none,outcome=invalid_target}",
            "lambda_authorizer_load_duration_seconds{outcome=ok,role=enforcing}",
            "lambda_authorizer_loads_running{role=enforcing}",
            "lambda_authorizer_loads_total{role=enforcing}",
        ]
    );
}

/// The rows of the table of metrics in `docs/OPERATING.md`: name, kind, labels.
fn documented() -> Vec<(String, String, String)> {
    let text = include_str!("../../docs/OPERATING.md");
    let rows = text.lines().filter(|line| line.starts_with("| `lambda_authorizer_"));
    let cell = |text: &str| text.trim().trim_matches('`').to_owned();
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(cell).collect();
        (cells[0].clone(), cells[1].clone(), cells[2].clone())
    })
    .collect()
}

#[test]
fn the_guide_lists_exactly_what_is_described() {
    let kept = Kept::default();
    let _layer = with_local_recorder(&kept, || cached().build().unwrap());
    let described = kept.described().into_iter().map(|(name, kind, unit)| {
        let unit = unit.unwrap();
        assert_eq!(unit, if name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count }, "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        (name, kind.to_owned())
    });
    let described: Vec<_> = described.collect();
    let mut documented: Vec<_> = documented().into_iter().map(|(name, kind, _)| (name, kind)).collect();
    documented.sort();
    assert_eq!(described, documented);
    // Described when a layer is built, so that a recorder knows them before there is a request.
    assert!(kept.lines().is_empty());
}

#[test]
fn whatever_is_counted_is_in_the_guide_with_its_labels() {
    let documented = documented();
    let sources = ["src/telemetry.rs", "src/middleware/insight/count.rs"]
        .map(|file| {
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
        })
        .concat();
    let written: BTreeSet<_> =
        sources.split('"').filter(|text| text.starts_with("lambda_authorizer_")).collect();
    let named: BTreeSet<_> = documented.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(written, named);

    let kept = recorded(&cached().build().unwrap(), ["fine", "panic"].map(|token| get("/items/1", token)));
    for name in kept.names() {
        let line = kept.lines().into_iter().find(|line| line.starts_with(&name)).unwrap();
        let labels = line.split(['{', '}']).nth(1).unwrap_or_default();
        let mut labels: Vec<_> =
            labels.split(',').filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0))).collect();
        labels.sort();
        let (_, _, expected) = documented.iter().find(|(known, ..)| *known == name).unwrap();
        assert_eq!(labels.join(", ").trim_matches('`'), expected, "{name}");
    }
}
