//! The service the layer makes.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::beside::Beside;
use super::future::{ResponseFuture, Waiting, refusal};
use super::gateway::{Admission, Gateway, Verdict};
use super::insight::{self, CacheOutcome, Stopwatch};
use super::layer::AuthorizerLayer;
use super::load::Loading;
use super::rejection::Rejection;
use super::responses::{GatewayResponses, ResponseForRejection};
use crate::contract::Principal;
use crate::request::Standing;

/// Lets through what an authorizer's policy allows. Made by an [`AuthorizerLayer`](super::AuthorizerLayer).
#[derive(Clone)]
pub struct AuthorizerService<S, R = GatewayResponses> {
    inner: S,
    gateway: Arc<Gateway>,
    responses: R,
    beside: Option<Arc<Beside>>,
    standing: Standing,
}

impl<S, R> AuthorizerService<S, R> {
    pub(super) fn new(inner: S, layer: AuthorizerLayer<R>) -> Self {
        let AuthorizerLayer { gateway, responses, beside } = layer;
        Self { inner, gateway, responses, beside, standing: Standing::of::<S>() }
    }

    /// The service behind this one.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service behind this one.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service behind this one, which then is unprotected.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for AuthorizerService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: ResponseForRejection<ResBody> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        Principal::remove_from(request.extensions_mut());

        let (gateway, shadow) = match &self.beside {
            None => (&self.gateway, None),
            Some(beside) => beside.choose(&self.gateway, &request),
        };
        let stopwatch = Stopwatch::start(gateway);
        let admission = if self.standing.sees_path(request.extensions()) {
            gateway.admit(&request)
        } else {
            Admission::Decided(Verdict::Refuse(Rejection::path_out_of_sight()), CacheOutcome::None)
        };
        let (verdict, cache) = match admission {
            Admission::Decided(verdict, cache) => (verdict, cache),
            Admission::Load(load) => {
                // The clone has not been polled for readiness, so it stays behind; the instance that is ready goes
                // with the request.
                let clone = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, clone);
                return ResponseFuture::loading(Waiting {
                    loading: Loading::new(Arc::clone(gateway), load),
                    gateway: Arc::clone(gateway),
                    shadow: shadow.cloned(),
                    stopwatch: stopwatch.go_on(gateway),
                    request,
                    inner,
                    responses: self.responses.clone(),
                });
            }
        };
        if let Some(shadow) = shadow {
            shadow.compare(&verdict, &request);
        }
        let mark = insight::decided(gateway, &request, verdict.as_result(), cache, None, stopwatch);
        match verdict {
            Verdict::Forward(pass) => {
                pass.insert_into(&mut request);
                ResponseFuture::calling(self.inner.call(request), mark)
            }
            Verdict::Refuse(rejection) => {
                // The inner service may have set a place aside when it was ready. Whoever keeps this service for a
                // connection that idles would keep the place, too; the clone has none.
                self.inner = self.inner.clone();
                ResponseFuture::refused(refusal(gateway, &self.responses, rejection, &request, mark))
            }
        }
    }
}

impl<S: std::fmt::Debug, R> std::fmt::Debug for AuthorizerService<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
