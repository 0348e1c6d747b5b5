//! What events cost: `cargo bench --bench events`.
//!
//! A layer without a cache, around a service that does nothing, is asked for a request with ten headers and a token of
//! 800 bytes. A `TOKEN` event is little more than the token, so the difference between the lines is what the other events
//! cost. The authorizer answers with the same policy each time.
#![allow(missing_docs, reason = "a program")]

mod measure;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use measure::measure;
use tower::{Layer, Service};
use tower_lambda_authorizer::contract::PayloadFormat;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    measure::heading();
    let rest = || ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod");
    let http = || ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default");
    let websocket = || ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod");
    let format = |format| {
        Ok::<_, Box<dyn std::error::Error>>(
            AuthorizerLayer::request(allow(false), http()?).with_payload_format(format).build()?,
        )
    };

    uncached(
        "no event: the authorizer's answer alone, TOKEN",
        &AuthorizerLayer::token(allow(false), rest()?).build()?,
        false,
    );
    uncached("REST REQUEST", &AuthorizerLayer::request(allow(false), rest()?).build()?, false);
    uncached("HTTP 1.0", &format(PayloadFormat::V1)?, false);
    uncached("HTTP 2.0", &format(PayloadFormat::V2)?, false);
    uncached("WebSocket", &AuthorizerLayer::request(allow(false), websocket()?).build()?, true);
    uncached(
        "REST REQUEST, printed as JSON",
        &AuthorizerLayer::request(allow(true), rest()?).build()?,
        false,
    );

    crowded(&AuthorizerLayer::request(allow(true), rest()?).build()?)?;

    for name in ["rest_token", "rest_request", "http_v1", "http_v2", "websocket_connect"] {
        let path = format!("{}/tests/fixtures/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path)?;
        measure(&format!("{name}: from JSON ({} bytes)", text.len()), || {
            serde_json::from_str::<AuthorizerEvent>(&text).ok()
        });
    }
    Ok(())
}

/// Allows everything, and prints the event if it is told to.
fn allow(prints: bool) -> impl Authorizer + Copy {
    async fn answer(event: AuthorizerEvent, prints: bool) -> Result<AuthorizerResponse, AuthorizerError> {
        if prints {
            std::hint::black_box(serde_json::to_string(&event).map_err(AuthorizerError::failure)?);
        }
        let policy = event.policy().allow(AnyMethod, "/*").allow_connect().build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    }
    authorizer_fn(move |event| answer(event, prints))
}

/// As many parameters as a target of 64 KiB holds: what costs more than in proportion to them is a way to stall a server.
fn crowded(layer: &AuthorizerLayer) -> Result<(), Box<dyn std::error::Error>> {
    for count in [130_usize, 1_300, 13_000] {
        let names: Vec<String> = (0..count).map(|number| format!("{number:04x}")).collect();
        let mut request = request(false);
        *request.uri_mut() = format!("/?{}", names.join("&")).parse()?;
        ask(&format!("REST REQUEST, printed, {count} query parameters"), layer, &request);
    }
    Ok(())
}

fn uncached(name: &str, layer: &AuthorizerLayer, upgrades: bool) {
    ask(name, layer, &request(upgrades));
}

fn ask(name: &str, layer: &AuthorizerLayer, request: &Request<()>) {
    let mut service = layer.layer(Nothing);
    let mut cx = Context::from_waker(Waker::noop());
    measure(name, || {
        // Cloning the headers is a part of every line.
        let answer = pin!(service.call(request.clone()));
        match answer.poll(&mut cx) {
            Poll::Ready(Ok(response)) => assert_eq!(response.status(), 200),
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => unreachable!("nothing here waits"),
        }
    });
}

fn request(upgrades: bool) -> Request<()> {
    let mut request = Request::get("/users/42/orders?limit=10&after=2026-01-01")
        .header("host", "api.example.com")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("accept", "application/json, text/plain, */*")
        .header("accept-language", "en-GB,en;q=0.7,de;q=0.3")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("authorization", format!("Bearer {}", "x".repeat(791)))
        .header("origin", "https://app.example.com")
        .header("referer", "https://app.example.com/orders")
        .header("x-request-id", "7b0c4a7c-5f0e-4b7e-9a3c-0d6f3a1f2b11")
        .header("cookie", "session=abcdef; theme=dark");
    if upgrades {
        request = request.header("upgrade", "websocket");
    }
    request.body(()).expect("a good request")
}

#[derive(Clone, Copy)]
struct Nothing;

impl Service<Request<()>> for Nothing {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}
