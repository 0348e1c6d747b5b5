//! The response, in the making.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::advice;
use super::gateway::{Gateway, Verdict};
use super::insight::{self, Mark, Stopwatch};
use super::load::Loading;
use super::refused::RefusedRequest;
use super::rejection::Rejection;
use super::responses::ResponseForRejection;
use super::shadow::Shadow;

pin_project! {
    /// The future of an [`AuthorizerService`](super::AuthorizerService).
    pub struct ResponseFuture<S, R, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, R, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, R, B>
    where
        S: Service<Request<B>>,
    {
        /// Allowed: the inner service is at work.
        Calling { #[pin] future: S::Future, mark: Mark },
        /// Refused.
        Refused { response: Option<S::Response> },
        /// The authorizer is at work. Behind a pointer, so that requests which need no authorizer carry none.
        Loading { waiting: Option<Box<Waiting<S, R, B>>> },
    }
}

/// All that is needed once the authorizer has answered.
pub(super) struct Waiting<S, R, B> {
    pub(super) gateway: Arc<Gateway>,
    pub(super) loading: Loading,
    pub(super) shadow: Option<Shadow>,
    pub(super) stopwatch: Stopwatch,
    pub(super) request: Request<B>,
    /// The very instance that was ready when the request came in.
    pub(super) inner: S,
    pub(super) responses: R,
}

impl<S, R, B> ResponseFuture<S, R, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn calling(future: S::Future, mark: Mark) -> Self {
        Self { state: State::Calling { future, mark } }
    }

    pub(super) fn refused(response: S::Response) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }

    pub(super) fn loading(waiting: Waiting<S, R, B>) -> Self {
        Self { state: State::Loading { waiting: Some(Box::new(waiting)) } }
    }
}

impl<S, R, B, ResBody> Future for ResponseFuture<S, R, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: ResponseForRejection<ResBody>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Calling { future, mark } => return mark.poll(future, cx),
                StateProjection::Refused { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response)),
                        None => Poll::Pending,
                    };
                }
                StateProjection::Loading { waiting } => {
                    let Some(pending) = waiting else { return Poll::Pending };
                    let loaded = ready!(pending.loading.poll(&pending.request, cx));
                    let Some(done) = waiting.take() else { return Poll::Pending };
                    let Waiting { gateway, loading, shadow, stopwatch, mut request, mut inner, responses } =
                        *done;
                    let Loading { request_id, cache, .. } = loading;
                    let verdict = gateway.judge(loaded, request_id, &request);
                    if let Some(shadow) = &shadow {
                        shadow.compare(&verdict, &request);
                    }
                    let id = Some(request_id);
                    let mark =
                        insight::decided(&gateway, &request, verdict.as_result(), cache, id, stopwatch);
                    match verdict {
                        Verdict::Forward(pass) => {
                            pass.insert_into(&mut request);
                            State::Calling { future: inner.call(request), mark }
                        }
                        Verdict::Refuse(rejection) => State::Refused {
                            response: Some(refusal(&gateway, &responses, rejection, &request, mark)),
                        },
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, R, B> std::fmt::Debug for ResponseFuture<S, R, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// The response to a refused request: the one place that all refusals pass through. The reason is put beside the
/// response, whatever the strategy made of it.
pub(super) fn refusal<R, B, ReqB>(
    gateway: &Gateway,
    responses: &R,
    rejection: Rejection,
    request: &Request<ReqB>,
    mark: Mark,
) -> Response<B>
where
    R: ResponseForRejection<B>,
{
    let mut rejection = rejection.of_api(gateway.stage.kind());
    if rejection.status() == StatusCode::UNAUTHORIZED && rejection.challenge().is_none() {
        rejection = rejection.with_challenge(gateway.challenge.clone());
    }
    if advice::is_preflight(request, rejection.status()) {
        rejection = rejection.of_preflight();
    }
    let mut response = responses.response_for_request(&rejection, &RefusedRequest::new(gateway, request));
    mark.put_on(&mut response);
    response.extensions_mut().insert(rejection);
    response
}
