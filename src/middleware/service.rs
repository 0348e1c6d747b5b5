//! The service the layer makes.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::{ResponseFuture, Waiting, refusal};
use super::gateway::{Admission, Gateway, Verdict};
use super::load::Loading;
use super::responses::{GatewayResponses, ResponseForRejection};
use crate::contract::Principal;

/// Lets through what an authorizer's policy allows. Made by an [`AuthorizerLayer`](super::AuthorizerLayer).
#[derive(Clone)]
pub struct AuthorizerService<S, R = GatewayResponses> {
    inner: S,
    gateway: Arc<Gateway>,
    responses: R,
}

impl<S, R> AuthorizerService<S, R> {
    pub(super) fn new(inner: S, gateway: Arc<Gateway>, responses: R) -> Self {
        Self { inner, gateway, responses }
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

        match self.gateway.admit(&request) {
            Admission::Decided(Verdict::Forward(pass)) => {
                pass.insert_into(&mut request);
                ResponseFuture::calling(self.inner.call(request))
            }
            Admission::Decided(Verdict::Refuse(rejection)) => {
                ResponseFuture::refused(refusal(&self.gateway, &self.responses, rejection, &request))
            }
            Admission::Load(load) => {
                // The clone has not been polled for readiness, so it stays behind; the instance that is ready goes
                // with the request.
                let clone = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::loading(Waiting {
                    loading: Loading::new(Arc::clone(&self.gateway), load),
                    gateway: Arc::clone(&self.gateway),
                    request,
                    inner,
                    responses: self.responses.clone(),
                })
            }
        }
    }
}

impl<S: std::fmt::Debug, R> std::fmt::Debug for AuthorizerService<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
