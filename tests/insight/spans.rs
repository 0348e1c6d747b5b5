//! What an authorizer logs is in a span of its own, wherever it runs.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerLayer, authorizer_fn};
use tracing::subscriber::with_default;
use tracing::{Instrument, Level, info_span};

use crate::capture::Capture;
use crate::common::{Counter, allow_all, counting, stage};
use crate::get;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Logs when it is dropped.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        tracing::info!(target: "authorizer", "farewell");
    }
}

/// The names of the spans that each event of the authorizer is in, the outermost first.
fn spans_of_logs(capture: &Capture) -> Vec<(String, Vec<String>)> {
    let heard = capture.heard();
    let name = |id: &u64| heard.spans[usize::try_from(*id).unwrap() - 1].name.clone();
    let logs = heard.events.iter().filter(|event| event.target == "authorizer");
    logs.map(|event| (event.field("message").to_owned(), event.spans.iter().map(name).collect())).collect()
}

#[test]
fn the_span_of_an_authorizer_is_in_that_of_its_request_and_has_its_id() {
    let authorizer = authorizer_fn(async |event| {
        let _farewell = Farewell;
        tracing::info!(target: "authorizer", "asked");
        tokio::task::yield_now().await;
        tracing::info!(target: "authorizer", "asked on");
        allow_all(&event)
    });
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        let span = info_span!(target: "test", "request");
        block_on(service.oneshot(get("/items/1", "fine")).instrument(span)).unwrap();
    });
    let inside = vec!["request".to_owned(), "authorize".to_owned()];
    let expected = ["asked", "asked on", "farewell"].map(|log| (log.to_owned(), inside.clone()));
    assert_eq!(spans_of_logs(&capture), expected);

    let decision = capture.take_one();
    let heard = capture.heard();
    let [request, authorize] = &heard.spans[..] else { panic!("{:?}", heard.spans) };
    assert_eq!((authorize.parent, &*authorize.follows), (Some(1), &[][..]));
    assert_eq!((&*authorize.target, authorize.level), ("tower_lambda_authorizer::authorizer", Level::INFO));
    let fields: Vec<_> = authorize.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(fields, [("api", "rest"), ("request_id", decision.field("request_id")), ("shadow", "false")]);
    assert!(request.is_closed() && authorize.is_closed());
}

#[test]
fn a_load_that_others_share_follows_from_its_request_and_does_not_hold_it() {
    let gate = Arc::new(Semaphore::new(0));
    let behind = Arc::clone(&gate);
    let authorizer = authorizer_fn(move |event| {
        let gate = Arc::clone(&behind);
        async move {
            let _farewell = Farewell;
            tracing::info!(target: "authorizer", "asked");
            let _permit = gate.acquire().await.map_err(AuthorizerError::failure)?;
            tracing::info!(target: "authorizer", "asked on");
            allow_all(&event)
        }
    });
    let layer =
        AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let mut service = layer.layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        block_on(async {
            let mut waiting = Box::pin(
                service.call(get("/items/1", "fine")).instrument(info_span!(target: "test", "request")),
            );
            let waker = std::task::Waker::noop();
            assert!(waiting.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
            // The client goes away, and with it the request. The load goes on.
            drop(waiting);
            {
                let heard = capture.heard();
                let [request, authorize] = &heard.spans[..] else { panic!("{:?}", heard.spans) };
                assert!(request.is_closed() && !authorize.is_closed());
                assert_eq!((authorize.parent, &*authorize.follows), (None, &[1][..]));
            }
            gate.add_permits(1);
            while !capture.heard().spans[1].is_closed() {
                tokio::task::yield_now().await;
            }
        });
    });
    let both = vec!["request".to_owned(), "authorize".to_owned()];
    let alone = vec!["authorize".to_owned()];
    let expected = [("asked", both), ("asked on", alone.clone()), ("farewell", alone)];
    assert_eq!(spans_of_logs(&capture), expected.map(|(log, spans)| (log.to_owned(), spans)));
}

#[test]
fn a_hit_asks_nobody_and_makes_no_span() {
    let authorizer = authorizer_fn(async |event| allow_all(&event));
    let layer =
        AuthorizerLayer::token(authorizer, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    with_default(capture.clone(), || {
        for _ in 0..3 {
            block_on(service.clone().oneshot(get("/items/1", "fine"))).unwrap();
        }
    });
    assert_eq!(capture.heard().spans.len(), 1);
}
