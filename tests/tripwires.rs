//! What our dependencies do, where a rule of ours answers it. If an upgrade changes one of these facts, its test fails,
//! and the rule that goes with it can be thought over.
//!
//! Facts about routing and targets (F1 to F16, F20, F21) have their tests in `tests/hostile/facts.rs`, with the raw
//! requests they need.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::catch_unwind;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderName, HeaderValue};

/// A `Deny` for OPTIONS never sees a request behind a CORS layer: it belongs outside, and answers by itself.
#[cfg(feature = "axum")]
#[tokio::test]
async fn f17_a_cors_layer_answers_every_options_request() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::any;
    use http::{Method, Request, StatusCode};
    use tower::ServiceExt;
    use tower_http::cors::CorsLayer;

    let router =
        Router::new().route("/", any(|| async { StatusCode::IM_A_TEAPOT })).layer(CorsLayer::permissive());
    let ask = async |request: http::request::Builder| {
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(ask(Request::options("/")).await, StatusCode::OK);
    assert_eq!(ask(Request::options("/nowhere")).await, StatusCode::OK);
    assert_eq!(ask(Request::options("/").header("origin", "https://a.example")).await, StatusCode::OK);
    assert_eq!(ask(Request::builder().method(Method::GET).uri("/")).await, StatusCode::IM_A_TEAPOT);
    assert_eq!(ask(Request::builder().method("options").uri("/")).await, StatusCode::IM_A_TEAPOT);
}

/// That is why the authorizer's panics are caught, and why a client then reads a 500.
#[cfg(feature = "axum")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_panic_that_nobody_catches_closes_the_connection_without_a_word() {
    use axum::Router;
    use axum::extract::Request;
    use axum::response::Response;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tower::util::MapRequestLayer;

    fn explode(_: Request) -> Request {
        panic!("in a layer")
    }
    let router = Router::new()
        .route("/", get(|| async { Response::<axum::body::Body>::default() }))
        .layer(MapRequestLayer::new(explode as fn(Request) -> Request));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    // End of stream or a reset; in either case not a byte.
    let _ = stream.read_to_end(&mut received).await;
    assert_eq!(received, b"");
    server.abort();
}

/// Conditions on IPv4 networks would miss clients of such a listener, so addresses are brought to their plain form.
#[tokio::test]
async fn f19_a_dual_stack_listener_knows_ipv4_peers_by_ipv6_addresses() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::]:0").await else {
        // A machine without IPv6 has no such listener.
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let client = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    let (client, accepted) = tokio::join!(client, listener.accept());
    client.unwrap();
    let (_, peer): (_, SocketAddr) = accepted.unwrap();
    assert!(!peer.ip().is_ipv4(), "{peer}");
    assert_eq!(peer.ip().to_canonical(), IpAddr::V4(Ipv4Addr::LOCALHOST));
}

/// Mapped headers and principals have a grammar of their own.
#[test]
fn f22_a_header_value_may_be_more_than_printable_text() {
    for accepted in ["us\u{e9}r", "a\tb", " a", "a ", ""] {
        assert!(HeaderValue::from_str(accepted).is_ok(), "{accepted:?}");
    }
    for refused in ["a\rb", "a\nb", "a\0b", "a\x7fb"] {
        assert!(HeaderValue::from_str(refused).is_err(), "{refused:?}");
    }
    // Names are brought to lower case, and `_` is another letter than `-`.
    assert_eq!(HeaderName::from_bytes(b"X-User").unwrap(), HeaderName::from_static("x-user"));
    assert_ne!(HeaderName::from_bytes(b"X_User").unwrap(), HeaderName::from_static("x-user"));
    assert!(HeaderName::from_bytes(b"x.user").is_ok());
}

/// Life times are added up saturating, in nanoseconds of our own.
#[test]
fn f23_adding_a_long_time_to_a_moment_panics() {
    let forever = Duration::from_secs(u64::MAX);
    assert!(catch_unwind(|| Instant::now() + forever).is_err());
    assert!(catch_unwind(|| SystemTime::now() + forever).is_err());
    assert!(SystemTime::now().checked_add(forever).is_none());
}

/// Not a fact of a dependency but the reason for a matcher of our own: trying each way out takes for ever.
#[test]
fn f24_a_matcher_that_tries_every_way_takes_exponentially_long() {
    fn covers(pattern: &[u8], text: &[u8], steps: &mut u64) -> bool {
        *steps += 1;
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| covers(rest, &text[at..], steps)),
            Some((byte, rest)) => text.first() == Some(byte) && covers(rest, &text[1..], steps),
        }
    }
    let steps = |stars: usize| {
        let mut steps = 0;
        let pattern = "*a".repeat(stars) + "b";
        assert!(!covers(pattern.as_bytes(), &[b'a'; 40], &mut steps));
        steps
    };
    assert!(steps(4) > 10 * steps(3) / 2 && steps(4) > 50_000, "{} {}", steps(3), steps(4));
}

/// Numbers in conditions are read by us: digits, a point, digits.
#[test]
fn f25_the_standard_library_reads_more_than_numbers() {
    for text in ["NaN", "nan", "inf", "-infinity", "1e400", "+5", ".5", "5."] {
        assert!(text.parse::<f64>().is_ok(), "{text}");
    }
    assert!("1e400".parse::<f64>().unwrap().is_infinite());
    assert!("NaN".parse::<f64>().unwrap().is_nan());
    // And it forgets digits, so that what differs is equal.
    assert!("9007199254740993".parse::<f64>().unwrap() == "9007199254740992".parse::<f64>().unwrap());
}

/// Policies and answers are read by visitors that look for repeated names and unknown members themselves.
#[test]
fn f26_serde_json_is_strict_type_by_type() {
    #[derive(Debug, serde::Deserialize)]
    struct Derived {
        a: u8,
    }
    let twice = r#"{"a":1,"a":2}"#;
    assert_eq!(serde_json::from_str::<serde_json::Value>(twice).unwrap()["a"], 2, "the last one counts");
    assert!(serde_json::from_str::<Derived>(twice).is_err(), "a derived struct refuses it");
    let unknown = serde_json::from_str::<Derived>(r#"{"a":1,"b":2}"#);
    assert_eq!(unknown.unwrap().a, 1, "but not what it does not know");
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(serde_json::from_str::<serde_json::Value>(&nested(127)).is_ok());
    assert!(serde_json::from_str::<serde_json::Value>(&nested(128)).is_err());
    // What is skipped may be as deep as it likes: it is not read recursively.
    let skipped = format!(r#"{{"a":1,"b":{}}}"#, nested(100_000));
    assert!(serde_json::from_str::<Derived>(&skipped).is_ok());
}
