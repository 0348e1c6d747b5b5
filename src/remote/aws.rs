//! Functions behind the AWS SDK.

use std::sync::Arc;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_lambda::error::{BoxError, ConnectorError, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::{Blob, SdkBody};
use http_body_util::{LengthLimitError, Limited};

use super::answer::{INTERNAL_SERVER_ERROR, Invocation, OK, TOO_MANY_REQUESTS};
use super::error::{RemoteConfigError, RemoteError};
use super::function::Function;
use super::retry::Attempt;
use super::{RemoteAuthorizer, RemoteAuthorizerBuilder, Transport};

/// Functions that are reached through the AWS SDK: see [`RemoteAuthorizer::aws`].
pub struct Aws {
    client: Client,
}

impl Aws {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

impl RemoteAuthorizerBuilder<Aws> {
    /// Checks everything that can be checked without asking AWS.
    ///
    /// # Errors
    ///
    /// If the function is not named as the Invoke API names it, or a limit makes no sense.
    pub fn build(self) -> Result<RemoteAuthorizer, RemoteConfigError> {
        self.build_with(|aws, _| Ok(Transport::Aws(Invoker { client: aws.client })))
    }
}

/// Shows nothing of the client: it knows credentials.
impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the AWS SDK")
    }
}

pub(super) struct Invoker {
    client: Client,
}

impl Invoker {
    pub(super) async fn invoke(
        &self,
        function: &Function,
        event: &[u8],
        max_bytes: usize,
    ) -> Result<Invocation, Attempt> {
        // The client's own retries would also repeat what may have run.
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let sent = self
            .client
            .invoke()
            .function_name(&*function.name)
            .set_qualifier(function.qualifier.as_deref().map(str::to_owned))
            .payload(Blob::new(event))
            .customize()
            .config_override(once)
            .interceptor(Cap { max_bytes })
            .send()
            .await;
        let output = match sent {
            Ok(output) => output,
            Err(error) => return unsuccessful(error, max_bytes),
        };
        let function_failed = output.function_error().is_some();
        let status = u16::try_from(output.status_code()).unwrap_or_default();
        let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
        Ok(Invocation { status, function_failed, payload })
    }
}

/// Lets no more of an answer into memory than it may have, and nothing of an event into logs: the SDK prints requests at
/// `TRACE`, with a body that is in memory.
#[derive(Debug)]
struct Cap {
    max_bytes: usize,
}

impl Intercept for Cap {
    fn name(&self) -> &'static str {
        "Cap"
    }

    /// After the event was signed.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::mem::replace(context.request_mut().body_mut(), SdkBody::taken());
        *context.request_mut().body_mut() = SdkBody::from_body_1_x(body);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().take_body();
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(Limited::new(body, self.max_bytes));
        Ok(())
    }
}

fn unsuccessful(error: SdkError<InvokeError>, max_bytes: usize) -> Result<Invocation, Attempt> {
    match &error {
        SdkError::ServiceError(service) if service.err().is_too_many_requests_exception() => {
            Err(Attempt::Throttled)
        }
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
            let response = error.raw_response();
            match response.map_or(OK, |response| response.status().as_u16()) {
                TOO_MANY_REQUESTS => Err(Attempt::Throttled),
                INTERNAL_SERVER_ERROR => {
                    let body = response.and_then(|response| response.body().bytes()).unwrap_or_default();
                    Ok(Invocation {
                        status: INTERNAL_SERVER_ERROR,
                        function_failed: false,
                        payload: body.to_vec(),
                    })
                }
                OK if find::<LengthLimitError>(&error).is_some() => {
                    Err(RemoteError::TooLarge { limit: max_bytes }.into())
                }
                // A status that promises an answer, and an answer that could not be read.
                OK => Err(broken(error)),
                status => Err(RemoteError::Status { status }.into()),
            }
        }
        SdkError::DispatchFailure(failure)
            if failure.as_connector_error().is_some_and(was_never_connected) =>
        {
            Err(Attempt::NoConnection(source(error)))
        }
        _ => Err(broken(error)),
    }
}

fn broken(error: SdkError<InvokeError>) -> Attempt {
    RemoteError::Exchange(source(error)).into()
}

/// What the SDK says, without the request and the response that it keeps beside it.
fn source(error: SdkError<InvokeError>) -> Arc<dyn std::error::Error + Send + Sync> {
    match error.into_source() {
        Ok(source) => Arc::from(source),
        Err(error) => Arc::from(Box::from(error.to_string())),
    }
}

/// Errors of the system that come before anything is sent. Other errors of a connection come after as well.
fn was_never_connected(error: &ConnectorError) -> bool {
    use std::io::ErrorKind;
    find::<std::io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::AddrNotAvailable
                | ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
        )
    })
}

/// The first error of this type among the sources.
fn find<'e, E: std::error::Error + 'static>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
