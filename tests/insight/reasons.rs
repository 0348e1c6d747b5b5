//! Reasons hold no credentials, whatever the errors of an authorizer say.

use http::Request;
use http::header::{AUTHORIZATION, COOKIE};
use tower::Layer;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerLayer, authorizer_fn};
use tracing::Level;
use tracing::subscriber::with_default;

use crate::ask;
use crate::capture::Capture;
use crate::common::{Counter, counting, stage};

/// What a failure that says so is told as.
fn told(says: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let authorizer = authorizer_fn(move |event: tower_lambda_authorizer::AuthorizerEvent| {
        let text = says(event.header("authorization").unwrap_or_default());
        async move { Err(AuthorizerError::failure(text)) }
    });
    let layer = AuthorizerLayer::request(authorizer, stage());
    let layer = layer.with_identity_sources([IdentitySource::header(AUTHORIZATION)]).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let request =
        Request::get("/reset/path-secret?key=query%2Dsecret&empty=&spaced=a+b%20secret&list=s3,cr3t&b64=ZXZlOnF1ZXJ5LWI2NA")
            .header(AUTHORIZATION, "Bearer token.of.the-caller")
            .header(COOKIE, "theme=dark; session=cookie-secret; quoted=\"q-secret\"; escaped=s%3Ae-secret")
            .header("sec-websocket-protocol", "auth,proto-secret")
            .header("x-digest", "Digest username=\"u\", response=\"dig-secret\"")
            .header("x-auth", "token=kv-secret")
            .header("x-tab", "Key\ttab-secret")
            .header("x-bytes", http::HeaderValue::from_bytes(b"\xffraw-secret").unwrap())
            .header("x-text", "say \"txt-secret\"")
            // A part of the one below, and before it.
            .header("x-env", "key-")
            .header("x-api-key", "key-secret")
            .header("proxy-authorization", "Basic YWxpY2U6YjY0LXBhc3M=")
            .header(COOKIE, "basic=Ym9iOmNvb2tpZS1iNjQ=; jwt=e30.eyJzdWIiOiJkYXZlQGV4YW1wbGUuY29tIn0.c2ln; last=1")
            .header("sec-websocket-protocol", "base64url.bearer.c29ja2V0LWI2NA, x")
            .header("x-latin", "Basic Ym9iOmNhZuktbGF0aW4tYjY0LXNlY3JldA==")
            .header("x-short", "Basic YToxMjM0")
            .header("x-url", "Bearer k7Qp+x1Zr/9mT+w2Lq==")
            .header("x-key", "ab+cd/ef==")
            .header("x-forms", "Key pa ss/wo~rd")
            .header("x-spelled", "Key a~b*c/d")
            .header("x-markup", "Key a&b<c>d1")
            .header("x-slashes", "Key 1\\ffZd5b5Z")
            .header("x-word", "Key x y&abcdefg")
            .header("x-percent", "Key 0c%b7:\"Z5d2")
            .header("x-zero", "Key 4\\0Zeae6<6be")
            .header("x-quoted", "Digest username=\"u\", password=\"s3\\\"c\\\\r3t\"")
            .header("x-octal", "session=\"a\\054b1234\"")
            .header("x-json", "Bearer e30.eyJlbWFpbCI6Impvc1x1MDBlOUB4LmRlIn0.c2ln")
            .header("x-face", "Basic YTphYvCfmIBjZGVm")
            .header("x-basic", "Basic YTphK2IvYw==")
            .header("x-quotes", "say\"se\"cret")
            .header("x-nul", "Basic YTpzZWMtcHc5AA==")
            .header("x-sasl", "Plain AGV2ZQBzZWMtcHc4")
            .header("x-lenient", "Basic YTo1Njc4OR==")
            .header("x-jwt", "e30.eyJlbWFpbCI6ImNhcm9sQGV4YW1wbGUuY29tIn0.c2ln")
            .header("x-iso", "Basic Ym9iOnDgc3N39nJkLfR7")
            .header("x-utf", http::HeaderValue::from_bytes("Key cl\u{e9}-tr\u{e8}s".as_bytes()).unwrap())
            .header(COOKIE, "coded=ab%3B12cd9; form=x7+y9%2Cz")
            .header("accept", "application/json")
            .body(())
            .unwrap();
    let capture = Capture::new(Level::TRACE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_default(capture.clone(), || runtime.block_on(ask(&service, request)));
    let event = capture.take_one();
    let reason = event.field("reason").strip_prefix("the authorizer failed: ");
    reason.unwrap_or_else(|| panic!("{}", event.line())).to_owned()
}

#[test]
fn what_came_with_the_request_is_struck_out() {
    let all = |_: &str| {
        "token.of.the-caller, cookie-secret, key-secret, query-secret, query%2Dsecret: none is known"
            .to_owned()
    };
    assert_eq!(told(all), "…, …, …, …, …: none is known");
    assert_eq!(told(|header| format!("no user with `{header}`")), "no user with `…`");
    assert_eq!(told(|_| "expected application/json".to_owned()), "expected application/json");
}

#[test]
fn whatever_form_it_came_in_it_is_struck_out() {
    for secret in [
        "q-secret",
        "s:e-secret",
        "proto-secret",
        "dig-secret",
        "kv-secret",
        "tab-secret",
        "raw-secret",
        "path-secret",
        "of.the-caller",
        "a b secret",
        "s3,cr3t",
        "session=cookie",
        "token.of.the",
        "b64-pass",
        "alice:b64-pass",
        "carol@example.com",
        "cookie-b64",
        "dave@example.com",
        "socket-b64",
        "query-b64",
        "1234",
        "-latin-b64-secret",
        "sec-pw9",
        "sec-pw8",
        "56789",
        "k7Qp%2Bx1Zr%2F9mT%2Bw2Lq%3D%3D",
        "ab%2Bcd%2Fef%3D%3D",
        "a%2Bb%2Fc",
        "say\\\"se\\\"cret",
        "ab%2bcd%2fef%3d%3d",
        "ab+cd\\/ef==",
        "ab\\u002Bcd/ef==",
        "pa+ss%2Fwo%7Erd",
        "pa%20ss/wo~rd",
        "a%7Eb*c%2Fd",
        "a&amp;b&lt;c&gt;d1",
        "a&#38;b&#x3C;c>d1",
        "1\\\\ffZd5b5Z",
        "x%20y&abcdefg",
        "0c%b7:\\\"Z5d2",
        "4\\0Zeae6&lt;6be",
        "ab\\ud83d\\ude00cdef",
        "s3\"c\\r3t",
        "a,b1234",
        "jos\u{e9}@x.de",
        "p\u{e0}ssw\u{f6}rd-\u{f4}{",
        // As an event has it.
        "cl\u{c3}\u{a9}-tr\u{c3}\u{a8}s",
        "cl\u{e9}-tr\u{e8}s",
        "ab;12cd9",
        "x7 y9,z",
    ] {
        assert_eq!(told(move |_| format!("no {secret} here")), "no … here");
    }
    assert_eq!(told(|_| format!("no {:?}", "say \"txt-secret\"")), "no \"…\"");
}

#[test]
fn the_rest_of_a_credential_that_was_cut_is_struck_out() {
    assert_eq!(told(|_| "no user with token.of.the-c".to_owned()), "no user with …");
    assert_eq!(told(|_| "no user with pa+ss%2".to_owned()), "no user with …%2");
    for said in ["x%20y&abcdefg", "1\\\\ffZd5b5Z", "x%20y&amp;abcdefg"] {
        assert_eq!(told(move |_| format!("no user with {said}")), "no user with …", "{said}");
    }
}

#[cfg(feature = "axum")]
#[test]
fn what_routers_have_cut_off_a_path_is_struck_out() {
    use axum::Router;
    use axum::routing::get;
    use tower_lambda_authorizer::axum::protect;

    let layer = || {
        let authorizer = authorizer_fn(async |event: tower_lambda_authorizer::AuthorizerEvent| {
            Err(AuthorizerError::failure(format!("no hook {}", event.path().unwrap_or_default())))
        });
        AuthorizerLayer::request(authorizer, stage()).build().unwrap()
    };
    let router = || Router::new().route("/{page}", get(async || "fine"));
    for service in [
        Router::new().nest("/hooks/{secret}", router().layer(layer())),
        Router::new().nest_service("/hooks/{secret}", protect(router(), layer())),
    ] {
        let request = Request::get("/hooks/path-secret/page").body(axum::body::Body::empty()).unwrap();
        let capture = Capture::new(Level::TRACE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let response = with_default(capture.clone(), || {
            runtime.block_on(tower::ServiceExt::oneshot(service, request)).unwrap()
        });
        assert_eq!(response.status(), 500);
        assert_eq!(capture.take_one().field("reason"), "the authorizer failed: no hook …");
    }
}

#[test]
fn where_too_much_came_with_the_request_only_the_kind_is_told() {
    let authorizer = authorizer_fn(async |_event| Err(AuthorizerError::failure("no user with x299")));
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let cookies = (0..2_000).map(|number| format!("c{number}=x{number}")).collect::<Vec<_>>().join("; ");
    let mut request = crate::get("/items/1", "fine");
    request.headers_mut().insert(COOKIE, cookies.parse().unwrap());
    let capture = Capture::new(Level::TRACE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    with_default(capture.clone(), || runtime.block_on(ask(&service, request)));
    assert_eq!(
        capture.take_one().field("reason"),
        "the authorizer failed: not shown, since too much came with the request"
    );
}

#[test]
fn a_reason_is_one_line_and_short() {
    let reason = told(|_| format!("first\nsecond\u{1b}[31m{}", "x".repeat(100_000)));
    assert!(reason.starts_with("first\u{FFFD}second\u{FFFD}[31mxxx"), "{reason}");
    assert!(reason.ends_with('…') && reason.chars().count() <= 512, "{}", reason.len());
}

/// What is told of a request that fails with an error.
fn told_of(error: fn() -> AuthorizerError) -> String {
    let authorizer = authorizer_fn(move |_event| std::future::ready(Err(error())));
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let capture = Capture::new(Level::TRACE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = crate::get("/items/1", "fine");
    let (response, _) = with_default(capture.clone(), || runtime.block_on(ask(&service, request)));
    assert_eq!(response.status(), 500);
    capture.take_one().field("reason").to_owned()
}

/// An error that panics when it is printed, once the layer has taken it for a failure.
#[derive(Debug, Default)]
struct Malicious(std::sync::atomic::AtomicBool);

impl std::fmt::Display for Malicious {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        assert!(!self.0.swap(true, std::sync::atomic::Ordering::Relaxed), "once is enough");
        f.write_str("printed")
    }
}

impl std::error::Error for Malicious {}

#[test]
fn an_error_that_panics_when_it_is_printed_hurts_nobody() {
    assert_eq!(
        told_of(|| AuthorizerError::failure(Malicious::default())),
        "the authorizer failed: an error that does not print"
    );
}

/// An error that cannot be printed.
#[derive(Debug)]
struct Silent;

impl std::fmt::Display for Silent {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

impl std::error::Error for Silent {}

#[test]
fn an_error_that_does_not_print_is_a_failure_like_any_other() {
    assert!(!AuthorizerError::failure(Silent).is_unauthorized());
    assert_eq!(told_of(|| AuthorizerError::failure(Silent)), "the authorizer failed: ");
}
