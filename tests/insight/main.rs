//! What is told of decisions: events, spans, metrics, and the header for developers. All that is told is compared with
//! all that should be.

#![expect(unreachable_pub, reason = "the modules of a test are one program")]

#[path = "../common/mod.rs"]
mod common;

mod capture;
mod events;
mod header;
mod metrics;
mod reasons;
mod recorder;
mod spans;

use std::sync::Mutex;
use std::time::Duration;

use common::stage;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use tower::{Service, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, Rejection, Shadow};
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
};

/// Held by tests with a shadow: what its threads tell is heard by all.
pub static SHADOWS: Mutex<()> = Mutex::new(());

/// How long the authorizer takes.
pub const WORK: Duration = Duration::from_micros(1500);

/// Answers by the last word of the token; everything takes [`WORK`].
#[derive(Clone, Debug)]
pub struct ByToken(pub ManualClock);

impl Authorizer for ByToken {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.0.advance(WORK);
        let token = event.token().or(event.header("authorization")).unwrap_or_default().to_owned();
        match token.rsplit(' ').next().unwrap_or_default() {
            "unauthorized" => Err(AuthorizerError::unauthorized()),
            "stale" => Err(AuthorizerError::unauthorized().with_reason("the key was revoked")),
            "failure" => Err(AuthorizerError::failure("the directory does not answer")),
            "panic" => panic!("on purpose"),
            "hang" => std::future::pending().await,
            "late" => {
                tokio::task::yield_now().await;
                response(&event)
            }
            "invalid" => Ok(response(&event)?.with_context("integrationLatency", 1)),
            _ => response(&event),
        }
    }
}

fn response(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let policy = event
        .policy()
        .allow(Method::GET, "/items/*")
        .with_sid("read")
        .deny(Method::GET, "/items/secret")
        .with_sid("no \"secrets\"\n")
        .build()?;
    Ok(AuthorizerResponse::new("the-principal", policy)?.with_usage_identifier_key("the-usage-key"))
}

/// A layer without a cache, and its clock.
pub fn plain() -> (AuthorizerLayerBuilder, ManualClock) {
    let clock = ManualClock::default();
    (AuthorizerLayer::token(ByToken(clock.clone()), stage()).with_clock(clock.clone()), clock)
}

/// A layer with a cache.
pub fn cached() -> AuthorizerLayerBuilder {
    plain().0.with_cache(MemoryCache::default())
}

pub fn get(path: &str, token: &str) -> Request<()> {
    Request::get(path).header(AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap()
}

/// Waits until so many comparisons have come to an end: a runtime that shuts down ends them otherwise.
pub async fn compared(shadow: &Shadow, times: u64) {
    loop {
        let found = shadow.statistics();
        let differing = found.newly_allowed + found.newly_denied + found.other_principal + found.other_status;
        if found.agreed + found.candidate_failed + differing >= times {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Asks, and finds the id of a refused request.
pub async fn ask<S>(service: &S, request: Request<()>) -> (Response<String>, String)
where
    S: Service<Request<()>, Response = Response<String>, Error = std::convert::Infallible> + Clone,
{
    let response = service.clone().oneshot(request).await.unwrap();
    let rejection = response.extensions().get::<Rejection>();
    let id = rejection.map(Rejection::request_id).unwrap_or_default();
    (response, id)
}
