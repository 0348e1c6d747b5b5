//! Ten thousand clients that go away, in the middle of whatever: nothing of them is left, and the next is served.
//!
//! A program of its own, since it counts the bytes that are allocated.

#![cfg(feature = "axum")]

mod common;

use std::alloc::System;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use common::{Counter, allow_all, counting, get, stage};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that are allocated now.
fn held() -> isize {
    let stats = ALLOCATOR.stats();
    let bytes = |count: usize| isize::try_from(count).unwrap();
    // What is reallocated is in both.
    bytes(stats.bytes_allocated) - bytes(stats.bytes_deallocated)
}

const CLIENTS: usize = 10_000;

/// Everything in one test: what others allocate at the same time would be counted, too.
#[test]
fn ten_thousand_clients_that_go_away_leave_nothing_behind() {
    for caching in [false, true] {
        abandoned_requests(caching);
    }
    abandoned_connections();
    large_answers();
}

/// Requests that are dropped after so many polls, while their authorizer waits, answers late, fails or never answers.
fn abandoned_requests(caching: bool) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let witness = Arc::new(());
    let own = Arc::clone(&witness);
    let authorizer = authorizer_fn(move |event: tower_lambda_authorizer::AuthorizerEvent| {
        let own = Arc::clone(&own);
        async move {
            let _own = own;
            match event.token().and_then(|token| token.bytes().last()) {
                Some(b'0' | b'1') => std::future::pending().await,
                Some(b'2') => tokio::time::sleep(Duration::from_secs(5)).await,
                Some(b'3') => return Err(AuthorizerError::unauthorized()),
                _ => tokio::task::yield_now().await,
            }
            allow_all(&event)
        }
    });
    let layer = AuthorizerLayer::token(authorizer, stage());
    // Bounds that are reached before the count begins.
    let cache = MemoryCache::builder().with_max_entries(100).build();
    let layer = if caching { layer.with_cache(cache) } else { layer };
    let layer = layer.build().unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    runtime.block_on(async {
        let round = async |from: usize, count: usize| {
            for at in from..from + count {
                let mut request = Box::pin(service.clone().oneshot(get("/a", &format!("token {at}"))));
                for _ in 0..at % 4 {
                    let is_over = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx).is_ready())).await;
                    if is_over {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            // Loads that others could have used end with their time.
            tokio::time::sleep(Duration::from_secs(11)).await;
            tokio::task::yield_now().await;
        };
        round(0, 2_000).await;
        let before = held();
        round(2_000, CLIENTS).await;
        let left = held() - before;
        assert_eq!(Arc::strong_count(&witness), 2, "no authorizer is at work, cached: {caching}");
        assert!(left < 256 * 1024, "{left} bytes more than before, cached: {caching}");
        println!("{CLIENTS} requests abandoned, cached: {caching}: {left} bytes more than before");
        let response = service.clone().oneshot(get("/a", "token 9")).await.unwrap();
        assert_eq!(response.status(), 200);
    });
}

/// What a client has sent before it goes, and whether it waits for the beginning of an answer.
const STAGES: [(&str, bool); 9] = [
    ("", false),
    ("GET /a HT", false),
    ("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n", false),
    ("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n", false),
    ("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n", true),
    ("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: never\r\n\r\n", false),
    ("POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: 100000\r\n\r\nhalf", false),
    ("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", false),
    ("GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: no\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\nAutho", true),
];

async fn visit(address: SocketAddr, at: usize) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    let (sent, waits) = STAGES[at % STAGES.len()];
    let _ = stream.write_all(sent.as_bytes()).await;
    if waits {
        let _ = stream.read(&mut [0; 16]).await;
    }
}

fn abandoned_connections() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let witness = Arc::new(());
    let own = Arc::clone(&witness);
    let authorizer = authorizer_fn(move |event: tower_lambda_authorizer::AuthorizerEvent| {
        let own = Arc::clone(&own);
        async move {
            let _own = own;
            match event.token() {
                Some("never") => std::future::pending().await,
                Some("ok") => tokio::task::yield_now().await,
                _ => return Err(AuthorizerError::unauthorized()),
            }
            allow_all(&event)
        }
    });
    // One permit for each client that is there at once: any that were lost would be missed.
    let layer = AuthorizerLayer::token(authorizer, stage()).with_max_loads(64).build().unwrap();
    let router = Router::new().route("/a", any(|body: Bytes| async move { body.len().to_string() }));
    let service = protect(router, layer);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let settled = async || {
            // Until the last connection is noticed to be gone; on a busy machine that takes a while.
            for _ in 0..3_000 {
                if Arc::strong_count(&witness) == 2 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("{} authorizers are still at work", Arc::strong_count(&witness) - 2);
        };
        let round = async |count: usize| {
            let mut clients = tokio::task::JoinSet::new();
            for at in 0..count {
                if clients.len() == 32 {
                    clients.join_next().await.unwrap().unwrap();
                }
                clients.spawn(visit(address, at));
            }
            clients.join_all().await;
            settled().await;
        };
        round(2_000).await;
        let before = held();
        round(CLIENTS).await;
        // The buffers of connections that are being closed go a little later.
        let mut left = held() - before;
        for _ in 0..1_000 {
            if left < 256 * 1024 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            left = held() - before;
        }
        assert!(left < 256 * 1024, "{left} bytes more than before");
        println!("{CLIENTS} connections abandoned: {left} bytes more than before");

        // As many at once as there are permits, and each is served.
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..64 {
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = "GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nConnection: close\r\n\r\n";
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            });
        }
        clients.join_all().await;
    });
}

/// Answers of some megabytes, which a cache of one megabyte does not keep.
fn large_answers() {
    let authorizer = authorizer_fn(async |event: tower_lambda_authorizer::AuthorizerEvent| {
        let work = vec![7_u8; 16 << 20];
        tokio::task::yield_now().await;
        let note = String::from_utf8(vec![b'a'; std::hint::black_box(&work).len() / 8]).unwrap();
        let policy = event.policy().allow(tower_lambda_authorizer::policy::AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new("me", policy)?.with_context("note", note.as_str()))
    });
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_cache(MemoryCache::builder().with_max_bytes(1 << 20).build())
        .build()
        .unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let ask = async |at: usize| {
            let response = service.clone().oneshot(get("/a", &format!("token {at}"))).await.unwrap();
            assert_eq!(response.status(), 200);
        };
        ask(0).await;
        tokio::task::yield_now().await;
        let before = held();
        for at in 1..50 {
            ask(at).await;
        }
        tokio::task::yield_now().await;
        let left = held() - before;
        assert!(left < 1 << 20, "{left} bytes more than before");
        println!("49 answers of 2 MiB: {left} bytes more than before");
    });
}
