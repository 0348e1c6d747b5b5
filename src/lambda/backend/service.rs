//! The service the layer makes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Reader;
use crate::contract::Principal;
use crate::middleware::{GatewayResponses, Rejection, ResponseForRejection, received};
use crate::request::Standing;

/// Lets through what a gateway's authorizer has allowed. Made by a [`GatewayContextLayer`](super::GatewayContextLayer).
#[derive(Clone)]
pub struct GatewayContextService<S, R = GatewayResponses> {
    inner: S,
    reader: Arc<Reader>,
    responses: R,
    standing: Standing,
}

impl<S, R> GatewayContextService<S, R> {
    pub(super) fn new(inner: S, reader: Arc<Reader>, responses: R) -> Self {
        Self { inner, reader, responses, standing: Standing::of::<S>() }
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for GatewayContextService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    R: ResponseForRejection<ResBody>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GatewayContextFuture<S::Future, S::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        Principal::remove_from(request.extensions_mut());
        let read = if self.standing.sees_path(request.extensions()) {
            self.reader.read(&mut request)
        } else {
            Err(Rejection::path_out_of_sight())
        };
        received(self.reader.stage.kind(), read.as_ref());
        let state = match read {
            Ok(principal) => {
                principal.insert_into(request.extensions_mut());
                State::Calling { future: self.inner.call(request) }
            }
            Err(rejection) => {
                let rejection = rejection.of_api(self.reader.stage.kind());
                // The place that the inner service may have set aside when it was ready is given back: the clone has none.
                self.inner = self.inner.clone();
                let mut response = self.responses.response_for_rejection(&rejection);
                response.extensions_mut().insert(rejection);
                State::Refused { response: Some(response) }
            }
        };
        GatewayContextFuture { state }
    }
}

impl<S: std::fmt::Debug, R> std::fmt::Debug for GatewayContextService<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayContextService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a [`GatewayContextService`].
    pub struct GatewayContextFuture<F, T> {
        #[pin]
        state: State<F, T>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, T> {
        Calling { #[pin] future: F },
        Refused { response: Option<T> },
    }
}

impl<F, T, E> Future for GatewayContextFuture<F, T>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Calling { future } => future.poll(cx),
            StateProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => Poll::Pending,
            },
        }
    }
}

impl<F, T> std::fmt::Debug for GatewayContextFuture<F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayContextFuture").finish_non_exhaustive()
    }
}
