//! An authorizer as a Lambda function.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_runtime::LambdaEvent;
use serde_json::value::{RawValue, to_raw_value};
use tower_service::Service;

use super::error::FunctionError;
use crate::authorizer::{Authorizer, Guarded, Panicked, SharedAuthorizer};
use crate::clock::{Clock, SystemClock};
use crate::contract::{AuthorizerEvent, ResponseRules};

/// An authorizer as the handler of a Lambda function: a service for
/// [`lambda_runtime`], in whose hands [`run`](super::run) puts it.
///
/// It takes the events of REST, HTTP and WebSocket APIs as they come, those of the console's tests too. What the
/// authorizer answers is checked by the rules of the API that asks; what would not be accepted there is an error
/// here, whose cause is logged. Nothing is kept from one invocation to the next: the authorizer is shared by all of them, also
/// by those that run at the same time.
///
/// ```
/// use tower_lambda_authorizer::lambda::AuthorizerFunction;
/// use tower_lambda_authorizer::{AuthorizerError, AuthorizerResponse, authorizer_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let function = AuthorizerFunction::new(authorizer_fn(async |event| match event.bearer_token() {
///     Some("open sesame") => Ok(AuthorizerResponse::simple(true)),
///     _ => Err(AuthorizerError::unauthorized()),
/// }));
/// let function = function.with_simple_responses();
///
/// let event = |token: &str| {
///     format!(
///         r#"{{
///             "version": "2.0",
///             "type": "REQUEST",
///             "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET/cave",
///             "headers": {{"authorization": "Bearer {token}"}}
///         }}"#
///     )
/// };
/// let answer = function.invoke(&event("open sesame")).await.unwrap();
/// assert_eq!(answer.get(), r#"{"isAuthorized":true}"#);
/// let error = function.invoke(&event("open barley")).await.unwrap_err();
/// assert_eq!(error.to_string(), "Unauthorized");
/// # }
/// ```
#[derive(Clone)]
pub struct AuthorizerFunction {
    authorizer: SharedAuthorizer,
    simple_responses: bool,
    clock: Arc<dyn Clock>,
}

impl AuthorizerFunction {
    /// A function that answers with policies.
    #[must_use]
    pub fn new(authorizer: impl Authorizer) -> Self {
        Self {
            authorizer: SharedAuthorizer::new(authorizer),
            simple_responses: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// Expects the authorizer to answer events of format 2.0 with
    /// [a plain yes or no](crate::AuthorizerResponse::simple). Switch it on where the API has simple responses switched
    /// on, and only there: each accepts nothing but its own form. To other events the answer stays a policy.
    #[must_use]
    pub fn with_simple_responses(mut self) -> Self {
        self.simple_responses = true;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Answers one event. This is what happens in Lambda, without the runtime around it.
    ///
    /// # Errors
    ///
    /// If the authorizer says `Unauthorized`; and, all alike for whoever reads the message, if it fails or panics, if
    /// the event is no authorizer's event, or if the API that asks would not accept the answer.
    pub async fn invoke(&self, event: &str) -> Result<Box<RawValue>, FunctionError> {
        let event = AuthorizerEvent::from_json(event).map_err(FunctionError::MalformedEvent)?;
        let kind = event.kind();
        let rules = ResponseRules::of_event(kind, self.simple_responses);

        let mut answer = Guarded::new(self.authorizer.ask(event));
        let response = match poll_fn(|cx| answer.poll(cx)).await {
            Ok(answered) => answered.map_err(FunctionError::of)?,
            Err(Panicked) => return Err(FunctionError::Panic),
        };
        response.check(&rules).map_err(FunctionError::InvalidResponse)?;
        let sent = response.into_sent(kind, self.clock.wall());
        to_raw_value(&sent).map_err(FunctionError::Unprintable)
    }
}

impl Service<LambdaEvent<Box<RawValue>>> for AuthorizerFunction {
    type Response = Box<RawValue>;
    type Error = FunctionError;
    type Future = FunctionFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), FunctionError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Box<RawValue>>) -> FunctionFuture {
        let function = self.clone();
        FunctionFuture(Box::pin(async move { function.invoke(event.payload.get()).await }))
    }
}

impl std::fmt::Debug for AuthorizerFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerFunction")
            .field("simple_responses", &self.simple_responses)
            .finish_non_exhaustive()
    }
}

/// The pending answer of an [`AuthorizerFunction`].
pub struct FunctionFuture(Pin<Box<dyn Future<Output = Result<Box<RawValue>, FunctionError>> + Send>>);

impl Future for FunctionFuture {
    type Output = Result<Box<RawValue>, FunctionError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl std::fmt::Debug for FunctionFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FunctionFuture").finish_non_exhaustive()
    }
}
