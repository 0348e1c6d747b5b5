//! What several test programs need.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerResponse};

/// Counts what happens; clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicUsize>);

impl Counter {
    pub(crate) fn hit(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn stage() -> ApiStage {
    ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

/// Principal `me`, everything in the stage allowed.
pub(crate) fn allow_all(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?)
}

/// A service that counts its calls and answers with the principal's id.
pub(crate) fn counting(
    calls: &Counter,
) -> impl tower::Service<
    Request<()>,
    Response = Response<String>,
    Error = std::convert::Infallible,
    Future = std::future::Ready<Result<Response<String>, std::convert::Infallible>>,
> + Clone
+ use<> {
    let calls = calls.clone();
    tower::service_fn(move |request: Request<()>| {
        calls.hit();
        let principal = request.extensions().get::<tower_lambda_authorizer::Principal>();
        let id = principal.map(|principal| principal.id().to_owned()).unwrap_or_default();
        std::future::ready(Ok(Response::new(id)))
    })
}

/// A GET with a token.
pub(crate) fn get(path: &str, token: &str) -> Request<()> {
    Request::get(path).header("authorization", token).body(()).unwrap()
}
