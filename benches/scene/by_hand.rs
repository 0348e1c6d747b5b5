//! The least that a layer like ours could do: the parts of a hit put together by hand, with nothing checked but the
//! expiry and the policy. What ours takes beyond that is what its checks cost.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, UnitWeighter};
use tower::{Layer, Service};
use tower_lambda_authorizer::policy::{AccessRequest, BoundPolicy, Decision};

use super::layers::ALLOW;
use super::{policies, token};

type Answers = Cache<Box<str>, Arc<Kept>, UnitWeighter, foldhash::fast::RandomState>;

/// An answer that is kept.
struct Kept {
    until: Instant,
    policy: BoundPolicy,
}

/// What the handler is told.
#[derive(Clone)]
struct Caller {
    #[expect(dead_code, reason = "nobody asks who it is")]
    kept: Arc<Kept>,
}

/// Knows a thousand tokens.
#[derive(Clone)]
pub(crate) struct ByHand(Arc<Answers>);

impl ByHand {
    pub(crate) fn new() -> Self {
        let options = OptionsBuilder::new().estimated_items_capacity(10_000).weight_capacity(10_000).build();
        let cache = Cache::with_options(
            options.expect("good options"),
            UnitWeighter,
            foldhash::fast::RandomState::default(),
            DefaultLifecycle::default(),
        );
        for number in 0..=1_000 {
            let until = Instant::now() + Duration::from_secs(3_600);
            let kept = Kept { until, policy: policies::bound(ALLOW) };
            cache.insert(format!("Bearer {}", token(number)).into(), Arc::new(kept));
        }
        Self(Arc::new(cache))
    }

    fn admits(&self, request: &Request<Body>) -> Option<Caller> {
        let credential = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let kept = self.0.get(credential).filter(|kept| Instant::now() < kept.until)?;
        let asked = AccessRequest::new(request.method().as_str(), request.uri().path());
        let is_allowed = kept.policy.evaluate(&asked).decision() == Decision::Allow;
        is_allowed.then_some(Caller { kept })
    }
}

impl<S> Layer<S> for ByHand {
    type Service = ByHandService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ByHandService { inner, answers: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct ByHandService<S> {
    inner: S,
    answers: ByHand,
}

impl<S> Service<Request<Body>> for ByHandService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.answers.admits(&request) {
            None => Answer::Refused,
            Some(caller) => {
                request.extensions_mut().insert(caller);
                Answer::Calling { future: self.inner.call(request) }
            }
        }
    }
}

pin_project! {
    #[project = Projection]
    pub(crate) enum Answer<F> {
        Calling { #[pin] future: F },
        Refused,
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projection::Calling { future } => future.poll(cx),
            Projection::Refused => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::FORBIDDEN;
                Poll::Ready(Ok(response))
            }
        }
    }
}
