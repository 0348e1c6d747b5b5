//! One request through a layer, without a runtime.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_layer::Layer;
use tower_service::Service;

/// Answers 200 to whatever gets as far as this.
#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new("served".to_owned())))
    }
}

/// The response; the authorizer has to be one that answers at once.
pub(crate) fn ask(layer: &AuthorizerLayer, request: Request<()>) -> Response<String> {
    let mut service = layer.layer(Inner);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("nobody has anything to wait for"),
    }
}
