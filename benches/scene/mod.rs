//! The request that everything is asked, and what is asked: used by several programs, each of which needs a part.
#![allow(dead_code, reason = "no program needs all of it")]

pub(crate) mod alone;
pub(crate) mod by_hand;
pub(crate) mod layers;
pub(crate) mod others;
pub(crate) mod policies;
pub(crate) mod weighed;

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use tower::{Service, ServiceExt};
use tower_lambda_authorizer::policy::{AccessRequest, Decision};

/// Something to do many times over, each time with a fresh request.
pub(crate) trait Work {
    /// Makes what is needed for so many times; not a part of what is measured.
    fn prepare(&mut self, times: usize);

    /// Does it, so many times.
    fn run(&mut self);
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) work: Box<dyn Work>,
}

impl Case {
    /// A service that is asked as a server asks it: cloned, waited for, called, and its answer dropped.
    pub(crate) fn service<S>(name: impl Into<String>, service: S, expected: StatusCode) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + 'static,
    {
        Self::service_with(name, service, head(TOKEN), expected)
    }

    /// The same with a head of one's own.
    pub(crate) fn service_with<S>(
        name: impl Into<String>,
        service: S,
        head: Head,
        expected: StatusCode,
    ) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + 'static,
    {
        Self { name: name.into(), work: Box::new(Asking { service, head, expected, requests: Vec::new() }) }
    }

    /// A function.
    pub(crate) fn call<T>(name: impl Into<String>, call: impl FnMut() -> T + 'static) -> Self {
        Self { name: name.into(), work: Box::new(Calling { call, times: 0 }) }
    }
}

struct Asking<S> {
    service: S,
    head: Head,
    expected: StatusCode,
    requests: Vec<Request<Body>>,
}

impl<S> Work for Asking<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    fn prepare(&mut self, times: usize) {
        self.requests.clear();
        self.requests.extend((0..times).map(|_| request(&self.head)));
    }

    fn run(&mut self) {
        for request in self.requests.drain(..) {
            let response = ask(&self.service, request);
            assert_eq!(response.status(), self.expected);
        }
    }
}

struct Calling<F> {
    call: F,
    times: usize,
}

impl<T, F: FnMut() -> T> Work for Calling<F> {
    fn prepare(&mut self, times: usize) {
        self.times = times;
    }

    fn run(&mut self) {
        for _ in 0..self.times {
            black_box((self.call)());
        }
    }
}

/// Asks once. Nothing here waits for anything, so one poll is enough.
pub(crate) fn ask<S>(service: &S, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let answer = pin!(service.clone().oneshot(request));
    match answer.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// The token of all requests. Each has 798 bytes, as one with ten claims and a signature of 256 bytes has.
pub(crate) const TOKEN: usize = 0;

/// The head of a request as a server has it: one buffer, in which every value is a range.
#[derive(Clone)]
pub(crate) struct Head {
    uri: Uri,
    headers: HeaderMap,
}

/// The head of a request with the token of that number.
pub(crate) fn head(token: usize) -> Head {
    head_with(&self::token(token))
}

/// The token of that number.
pub(crate) fn token(number: usize) -> String {
    format!("{number:04}.{}", "eyJhbGciOi".repeat(80).get(..793).unwrap_or_default())
}

/// The same with that very token.
pub(crate) fn head_with(token: &str) -> Head {
    let token = format!("Bearer {token}");
    let lines = [
        ("host", "api.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("authorization", token.as_str()),
        ("origin", "https://app.example.com"),
        ("referer", "https://app.example.com/orders"),
        ("x-request-id", "7b0c4a7c-5f0e-4b7e-9a3c-0d6f3a1f2b11"),
        ("cookie", "session=abcdef; theme=dark"),
    ];
    let buffer: String = lines.iter().map(|(_, value)| *value).collect();
    let buffer = Bytes::from(buffer);
    let mut headers = HeaderMap::with_capacity(lines.len());
    let mut from = 0;
    for (name, value) in lines {
        let range = buffer.slice(from..from + value.len());
        from += value.len();
        let value = HeaderValue::from_maybe_shared(range).expect("a good value");
        headers.append(HeaderName::from_static(name), value);
    }
    Head { uri: Uri::from_static("/users/42"), headers }
}

pub(crate) fn request(head: &Head) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    request
}

/// One route with a parameter, which its handler reads.
pub(crate) fn router() -> Router {
    async fn user(Path(id): Path<u64>) -> &'static str {
        if id == 42 { "the user" } else { "another" }
    }
    Router::new().route("/users/{id}", get(user))
}

/// The router as a server has it: without the state, axum would finish every handler once more for each request.
pub(crate) fn finished() -> Router {
    router().with_state(())
}

/// The bare router first, then all that is compared with it.
pub(crate) fn overhead() -> Vec<Case> {
    let mut cases = vec![others::bare()];
    cases.extend(others::layers());
    cases.extend(layers::hits());
    cases.extend(layers::policies());
    cases.extend(layers::uncached());
    cases
}

/// Decisions alone, without a request around them.
pub(crate) fn decisions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, count) in
        [("Head", 1), ("Head", 10), ("Head", 100), ("Head", 1000), ("Tail", 100), ("Stars", 100)]
    {
        let text = policies::text(shape, "GET/users/*/orders/*", count);
        let policy = policies::bound(&text);
        let decide = move || {
            let asked = AccessRequest::new("GET", black_box("/users/42/orders/1001"));
            let decision = policy.evaluate(&asked).decision();
            assert_eq!(decision, Decision::Allow);
            decision
        };
        cases.push(Case::call(format!("decide, {shape}, {count} statements"), decide));
    }
    for count in [1, 10, 100] {
        let text = policies::text("Head", "GET/users/*/orders/*", count);
        let read = move || policies::bound(black_box(&text));
        cases.push(Case::call(format!("parse and bind, {count} statements"), read));
    }
    cases
}
