//! Full speed on loopback for as long as `SOAK_SECONDS` says (two seconds if it says nothing), with one in a hundred
//! of each fault. Every answer is checked; memory must not grow.
//!
//! `.ci/long` runs it for ten minutes, as a release build. The numbers of the last run are in `docs/SECURITY.md`.

#![cfg(feature = "axum")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

const CONNECTIONS: usize = 256;
/// Callers whose answers are kept and asked for again.
const CALLERS: u64 = 2_000;
const TIMEOUT: Duration = Duration::from_secs(1);

/// A token is `KIND-NUMBER`. Each caller may read what lies under its own number.
async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let token = event.token().unwrap_or_default().to_owned();
    let (kind, number) = token.split_once('-').ok_or_else(AuthorizerError::unauthorized)?;
    match kind {
        "good" => {}
        "slow" => tokio::time::sleep(Duration::from_millis(5)).await,
        "bad" => return Err(AuthorizerError::unauthorized()),
        "error" => return Err(AuthorizerError::failure("out of order")),
        "panic" => panic!("at once"),
        "panic_later" => {
            tokio::task::yield_now().await;
            panic!("later");
        }
        "hang" => std::future::pending().await,
        "malformed" => {
            let answer = AuthorizerResponse::new(number, event.policy().build()?)?;
            return Ok(answer.with_context("integrationLatency", 1));
        }
        "large" => {
            let much = vec![1_u8; 1 << 20];
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(much).len() > 1);
        }
        _ => return Err(AuthorizerError::failure("no such token")),
    }
    let policy = event
        .policy()
        .value("number", number)
        .allow(Method::GET, "/u/{number}/*")
        .deny(Method::GET, "/u/{number}/denied")
        .build()?;
    Ok(AuthorizerResponse::new(number, policy)?)
}

/// What a client does, and the status that is right. `None`: no answer, since the connection ends.
struct Attempt {
    what: &'static str,
    request: String,
    expected: Option<u16>,
    body: Option<String>,
    /// The client goes away: after so many bytes, or without waiting for an answer.
    leaves_after: Option<usize>,
}

fn get_request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n")
}

fn attempt(random: &mut fastrand::Rng, serial: u64) -> Attempt {
    let caller = random.u64(..CALLERS);
    let other = (caller + 1 + random.u64(..CALLERS - 1)) % CALLERS;
    let item = random.u16(..);
    let good = format!("good-{caller}");
    let own = format!("/u/{caller}/{item}");
    let plain = |what, request: String, expected| Attempt {
        what,
        request,
        expected: Some(expected),
        body: None,
        leaves_after: None,
    };
    let fault = |kind: &str| format!("{kind}-{serial}");
    match random.u8(..100) {
        0 => plain("authorizer panics at once", get_request(&own, &fault("panic")), 500),
        1 => plain("authorizer panics later", get_request(&own, &fault("panic_later")), 500),
        2 => plain("authorizer hangs", get_request(&own, &fault("hang")), 500),
        3 => plain("authorizer fails", get_request(&own, &fault("error")), 500),
        4 => plain("answer is malformed", get_request(&own, &fault("malformed")), 500),
        5 => plain("token is no good", get_request(&own, &fault("bad")), 401),
        6 => Attempt {
            body: Some(format!("{serial} {item}")),
            ..plain("authorizer is slow", get_request(&format!("/u/{serial}/{item}"), &fault("slow")), 200)
        },
        7 => Attempt {
            body: Some(format!("{serial} {item}")),
            ..plain(
                "authorizer allocates a megabyte",
                get_request(&format!("/u/{serial}/{item}"), &fault("large")),
                200,
            )
        },
        8 => plain("hostile target", get_request(&format!("/u/{caller}/%61"), &good), 400),
        9 => plain("target is too long", get_request(&format!("{own}/{}", "x".repeat(1600)), &good), 414),
        10 => {
            let twice = get_request(&own, &format!("{good}\r\nAuthorization: {good}"));
            plain("token twice", twice, 401)
        }
        11 => plain("denied", get_request(&format!("/u/{caller}/denied"), &good), 403),
        12 => plain("somebody else's", get_request(&format!("/u/{other}/{item}"), &good), 403),
        13 => Attempt {
            expected: None,
            ..plain("handler panics", get_request(&format!("/u/{caller}/panic"), &good), 0)
        },
        14 => Attempt {
            leaves_after: Some(random.usize(..40)),
            ..plain("client leaves in the head", get_request(&own, &good), 0)
        },
        15 => Attempt {
            leaves_after: Some(usize::MAX),
            ..plain("client leaves while the authorizer works", get_request(&own, &fault("slow")), 0)
        },
        16 => Attempt {
            leaves_after: Some(usize::MAX),
            ..plain("client leaves before the answer", get_request(&own, &good), 0)
        },
        _ => Attempt {
            body: Some(format!("{caller} {item}")),
            ..plain("allowed", get_request(&own, &good), 200)
        },
    }
}

/// A connection that is opened when it is needed.
struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    /// Sends a request and reads the answer; `None` if the connection ends without one.
    async fn exchange(&mut self, request: &[u8]) -> Option<(u16, String)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(TcpStream::connect(self.address).await.ok()?),
        };
        stream.write_all(request).await.ok()?;
        self.buffer.clear();
        let split = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..split]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.split("content-length: ").nth(1)?.split('\r').next()?.parse::<usize>().ok()?;
        while self.buffer.len() < split + length {
            if stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
        Some((status, String::from_utf8_lossy(&self.buffer[split..split + length]).into_owned()))
    }

    /// Goes away in the middle.
    async fn leave(&mut self, request: &[u8], after: usize) {
        let stream = match self.stream.take() {
            Some(stream) => Some(stream),
            None => TcpStream::connect(self.address).await.ok(),
        };
        if let Some(mut stream) = stream {
            let _ = stream.write_all(&request[..after.min(request.len())]).await;
        }
    }
}

#[derive(Default)]
struct Tally {
    done: Mutex<BTreeMap<&'static str, u64>>,
    wrong: Mutex<Vec<String>>,
    served: AtomicU64,
    refused: AtomicU64,
    is_over: AtomicBool,
    serial: AtomicU64,
}

async fn keep_asking(address: SocketAddr, tally: Arc<Tally>) {
    let mut client = Client { address, stream: None, buffer: Vec::new() };
    let mut random = fastrand::Rng::new();
    let mut done = BTreeMap::<&'static str, u64>::new();
    while !tally.is_over.load(Ordering::Relaxed) {
        // Numbers that no caller has.
        let serial = 1_000_000 + tally.serial.fetch_add(1, Ordering::Relaxed);
        let attempt = attempt(&mut random, serial);
        *done.entry(attempt.what).or_default() += 1;
        if let Some(after) = attempt.leaves_after {
            client.leave(attempt.request.as_bytes(), after).await;
            continue;
        }
        // Far longer than anything may take: whoever hangs is found.
        let answer = client.exchange(attempt.request.as_bytes());
        let Ok(answer) = tokio::time::timeout(Duration::from_secs(30), answer).await else {
            tally.wrong.lock().unwrap().push(format!("{}: hangs", attempt.what));
            client.stream = None;
            continue;
        };
        if answer.is_none() {
            client.stream = None;
        }
        let is_right = match (&answer, attempt.expected) {
            (None, None) => true,
            (Some((status, body)), Some(expected)) => {
                *status == expected && attempt.body.as_ref().is_none_or(|expected| body == expected)
            }
            _ => false,
        };
        if !is_right {
            let text = format!(
                "{}: expected {:?} {:?}, got {answer:?}",
                attempt.what, attempt.expected, attempt.body
            );
            tally.wrong.lock().unwrap().push(text);
        }
        let counter = match answer {
            Some((200, _)) => &tally.served,
            _ => &tally.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    let mut all = tally.done.lock().unwrap();
    for (what, count) in done {
        *all.entry(what).or_default() += count;
    }
}

/// Resident memory in KiB, where the system tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()
}

fn seconds() -> u64 {
    std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2)
}

#[test]
fn every_answer_is_right_however_much_goes_wrong() {
    // Thousands of panics are part of the plan, and need not be told.
    std::panic::set_hook(Box::new(|_| {}));
    let layer = AuthorizerLayer::token(
        authorizer_fn(authorize),
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap(),
    )
    .with_cache(MemoryCache::builder().with_max_entries(4_000).build())
    .with_cache_ttl(Duration::from_secs(1))
    .with_timeout(TIMEOUT)
    .build()
    .unwrap();
    let read = |principal: Principal, Path((_, item)): Path<(String, String)>| async move {
        assert_ne!(item, "panic", "a handler may panic");
        format!("{} {item}", principal.id())
    };
    let service = protect(Router::new().route("/u/{caller}/{item}", get(read)), layer.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let duration = Duration::from_secs(seconds());
    let tally = Arc::<Tally>::default();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let clients: Vec<_> =
            (0..CONNECTIONS).map(|_| tokio::spawn(keep_asking(address, Arc::clone(&tally)))).collect();
        let begun = Instant::now();
        // A fifth of the time to fill caches and pools; then memory has found its level.
        tokio::time::sleep(duration / 5).await;
        let before = resident();
        while begun.elapsed() < duration {
            tokio::time::sleep((duration / 20).min(Duration::from_secs(5))).await;
            layer.invalidate_principal("7");
            if fastrand::u8(..10) == 0 {
                layer.invalidate_all();
            }
        }
        let after = resident();
        tally.is_over.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        let elapsed = begun.elapsed();
        let (served, refused) = (tally.served.load(Ordering::Relaxed), tally.refused.load(Ordering::Relaxed));
        println!("{served} served, {refused} refused in {} s", elapsed.as_secs());
        println!("{:?}", layer.cache_statistics());
        println!("resident memory: {before:?} KiB, then {after:?} KiB");
        for (what, count) in &*tally.done.lock().unwrap() {
            println!("{count:>12}  {what}");
        }
        let wrong = tally.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong answers: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
        assert!(served > 100 && refused > 10, "{served} served, {refused} refused");
        if let (Some(before), Some(after)) = (before, after) {
            assert!(after < before + 32 * 1024, "resident memory grew from {before} to {after} KiB");
        }
    });
}
