//! What a refused client sees.

mod builtin;
mod custom;
mod template;
mod types;
mod variable;

use std::sync::Arc;

pub use custom::{GatewayResponse, GatewayResponseError};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Response};
pub use types::{GatewayResponseType, UnknownResponseType};

use self::builtin::builtin;
use self::custom::{Customized, compile, twice};
use self::variable::Facts;
use super::refused::RefusedRequest;
use super::rejection::Rejection;
use crate::contract::ApiKind;

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

    /// Makes the response, with the refused request at hand. This is what the layer calls; if not said otherwise, it
    /// is [`response_for_rejection`](Self::response_for_rejection).
    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<B> {
        let _ = request;
        self.response_for_rejection(rejection)
    }

    /// Whether a response may depend on the route that a router chose: on its template, its parameters, or on what axum
    /// puts beside a request that it has routed. If none does, [`protect`] may refuse before a route is chosen. `true` if
    /// not said otherwise.
    ///
    /// [`protect`]: crate::axum::protect
    fn shows_route(&self) -> bool {
        true
    }
}

/// A closure is given nothing of the request.
impl<F, B> ResponseForRejection<B> for F
where
    F: Fn(&Rejection) -> Response<B>,
{
    fn shows_route(&self) -> bool {
        false
    }

    fn response_for_rejection(&self, rejection: &Rejection) -> Response<B> {
        self(rejection)
    }
}

/// The responses of API Gateway: its statuses, bodies and headers.
///
/// | refusal | status | REST and WebSocket | HTTP |
/// |---|---|---|---|
/// | target not canonical | 400 | `{"message":"Bad Request"}` | as left |
/// | identity missing or ambiguous, `Unauthorized` | 401 | `{"message":"Unauthorized"}` | as left |
/// | no statement allows | 403 | `{"Message":"User is not authorized to access this resource"}` | `{"message":"Forbidden"}` |
/// | a statement denies | 403 | `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}` | `{"message":"Forbidden"}` |
/// | outside the base path | 404 | `{"message":"Not Found"}` | as left |
/// | ARN too long | 414 | `{"message":"Request URI too long"}` | as left |
/// | everything else | 500 | `{"message":null}` | `{"message":"Internal Server Error"}` |
///
/// Each of them can be changed, as the gateway responses of a REST API can: see [`GatewayResponse`]. A type that is not
/// configured itself takes what [`Default4xx`](GatewayResponseType::Default4xx) or
/// [`Default5xx`](GatewayResponseType::Default5xx) says; one that is keeps its own defaults for what it leaves open.
/// Here that works for every kind of API.
#[derive(Clone, Debug, Default)]
pub struct GatewayResponses {
    /// Shared by all services of a layer; `None` where nothing is customized.
    customized: Option<Arc<[(GatewayResponseType, Customized)]>>,
}

/// Makes [`GatewayResponses`]; begun with [`GatewayResponses::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GatewayResponsesBuilder {
    responses: Vec<(GatewayResponseType, GatewayResponse)>,
}

impl GatewayResponsesBuilder {
    /// Changes the response of one type.
    pub fn with(mut self, response_type: GatewayResponseType, response: GatewayResponse) -> Self {
        self.responses.push((response_type, response));
        self
    }

    /// Reads all templates and sources.
    ///
    /// # Errors
    ///
    /// If one of them is wrong; nothing is left to find out at request time.
    pub fn build(self) -> Result<GatewayResponses, GatewayResponseError> {
        let mut customized: Vec<(GatewayResponseType, Customized)> = Vec::new();
        for (response_type, response) in &self.responses {
            if customized.iter().any(|(known, _)| known == response_type) {
                return Err(twice(*response_type));
            }
            customized.push((*response_type, compile(*response_type, response)?));
        }
        let customized = (!customized.is_empty()).then(|| customized.into());
        Ok(GatewayResponses { customized })
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REST_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const HTTP_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

impl GatewayResponses {
    /// The defaults, to be changed.
    pub fn builder() -> GatewayResponsesBuilder {
        GatewayResponsesBuilder::default()
    }

    /// What is configured for a refusal: for its type, or for all refusals like it.
    fn customized(&self, rejection: &Rejection) -> Option<&Customized> {
        let customized = self.customized.as_deref()?;
        let of_type = |wanted| customized.iter().find(|(known, _)| *known == wanted).map(|(_, found)| found);
        let fall_back = if rejection.status().is_client_error() {
            GatewayResponseType::Default4xx
        } else {
            GatewayResponseType::Default5xx
        };
        of_type(rejection.kind().response_type()).or_else(|| of_type(fall_back))
    }

    fn make<B: From<String>>(
        &self,
        rejection: &Rejection,
        request: Option<&RefusedRequest<'_>>,
    ) -> Response<B> {
        let mut builtin = builtin(rejection.api_kind(), rejection.kind());
        builtin.message = rejection.message().or(builtin.message);
        let facts = Facts { rejection, builtin: &builtin, request };
        let customized = self.customized(rejection);
        let body = customized.and_then(|customized| customized.body(&facts));

        let text = match body {
            Some(body) => body.template.render(&facts),
            None => match rejection.message() {
                Some(message) => format!(r#"{{"message":{}}}"#, serde_json::Value::from(message)),
                None => builtin.body.to_owned(),
            },
        };
        // Over HTTP/2 nobody else would leave the body of a refused `HEAD` out.
        let length = text.len();
        let is_head = request.is_some_and(|request| *request.method() == Method::HEAD);
        let mut response = Response::new(B::from(if is_head { String::new() } else { text }));
        *response.status_mut() =
            customized.and_then(|customized| customized.status).unwrap_or_else(|| rejection.status());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, body.map_or(JSON, |body| body.content_type.clone()));
        headers.insert(CACHE_CONTROL, NO_STORE);
        if is_head {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        // What a client chose may be in it, and is no script and no page.
        if body.is_some() {
            headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        }
        if let Some(error_type) = &builtin.error_type {
            headers.insert(ERROR_TYPE, error_type.clone());
        }
        if let Some(challenge) = rejection.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge.as_header_value().clone());
        }
        if let Ok(id) = HeaderValue::try_from(rejection.request_id()) {
            let name = match rejection.api_kind() {
                ApiKind::Http => HTTP_REQUEST_ID,
                ApiKind::Rest | ApiKind::WebSocket => REST_REQUEST_ID,
            };
            headers.insert(name, id);
        }
        if let Some(customized) = customized {
            customized.set_headers(headers, &facts);
        }
        response
    }
}

impl<B: From<String>> ResponseForRejection<B> for GatewayResponses {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<B> {
        self.make(rejection, None)
    }

    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<B> {
        self.make(rejection, Some(request))
    }

    fn shows_route(&self) -> bool {
        self.customized.is_some()
    }
}
