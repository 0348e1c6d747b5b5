//! What a refused client sees.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};

use super::rejection::{Rejection, RejectionKind};

/// Makes the response to a refused request.
///
/// It shapes a refusal and cannot lift it: the inner service is out of its reach. A closure will do:
///
/// ```
/// use http::Response;
/// use tower_lambda_authorizer::middleware::Rejection;
///
/// let problem = |rejection: &Rejection| {
///     let status = rejection.status();
///     Response::builder()
///         .status(status)
///         .header("content-type", "application/problem+json")
///         .body(format!(r#"{{"status":{}}}"#, status.as_u16()))
///         .unwrap_or_default()
/// };
/// # fn strategy<B>(_: &impl tower_lambda_authorizer::middleware::ResponseForRejection<B>) {}
/// # strategy::<String>(&problem);
/// ```
pub trait ResponseForRejection<B> {
    /// Makes the response. The layer adds the [`Rejection`] to its extensions.
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<B>;
}

impl<F, B> ResponseForRejection<B> for F
where
    F: Fn(&Rejection) -> Response<B>,
{
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<B> {
        self(rejection)
    }
}

/// The responses of API Gateway: its statuses, bodies and headers.
///
/// | refusal | status | body |
/// |---|---|---|
/// | target not canonical | 400 | `{"message":"Bad Request"}` |
/// | identity missing or ambiguous, `Unauthorized` | 401 | `{"message":"Unauthorized"}` |
/// | no statement allows | 403 | `{"Message":"User is not authorized to access this resource"}` |
/// | a statement denies | 403 | `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}` |
/// | outside the base path | 404 | `{"message":"Not Found"}` |
/// | ARN too long | 414 | `{"message":"Request URI too long"}` |
/// | everything else | 500 | `{"message":null}` |
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GatewayResponses;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

impl<B: From<String>> ResponseForRejection<B> for GatewayResponses {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<B> {
        let (error_type, body) = match rejection.kind() {
            RejectionKind::InvalidTarget => ("BadRequestException", r#"{"message":"Bad Request"}"#),
            RejectionKind::AmbiguousIdentity
            | RejectionKind::MissingIdentity
            | RejectionKind::Unauthorized => ("UnauthorizedException", r#"{"message":"Unauthorized"}"#),
            RejectionKind::ImplicitDeny => {
                ("AccessDeniedException", r#"{"Message":"User is not authorized to access this resource"}"#)
            }
            RejectionKind::ExplicitDeny => (
                "AccessDeniedException",
                r#"{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}"#,
            ),
            RejectionKind::OutsideBasePath => ("NotFoundException", r#"{"message":"Not Found"}"#),
            RejectionKind::TargetTooLong => {
                ("RequestTooLongException", r#"{"message":"Request URI too long"}"#)
            }
            RejectionKind::AuthorizerFailure
            | RejectionKind::AuthorizerPanic
            | RejectionKind::AuthorizerTimeout
            | RejectionKind::InvalidResponse
            | RejectionKind::Overloaded
            | RejectionKind::TargetMoved
            | RejectionKind::UnavailableKey => ("AuthorizerConfigurationException", r#"{"message":null}"#),
        };
        let mut response = Response::new(B::from(body.to_owned()));
        *response.status_mut() = rejection.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
        if let Ok(id) = HeaderValue::try_from(rejection.request_id()) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}
