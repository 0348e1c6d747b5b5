//! What one kind of API accepts as an answer.

use super::{AuthorizerResponse, Form, ResponseError};
#[cfg(any(feature = "lambda", feature = "remote", feature = "remote-aws"))]
use crate::contract::EventKind;
use crate::contract::reserved::{CLAIMS, EXPIRES_AT, INTEGRATION_LATENCY, PRINCIPAL_ID, SCOPES};
use crate::contract::{ApiKind, Context, PayloadFormat};

/// How deep lists and objects of a context may be nested.
pub(super) const MAX_DEPTH: usize = 32;

/// Which answers are accepted: that depends on the kind of API, on the format of its events, and on whether simple
/// responses are switched on.
///
/// | | REST, WebSocket | HTTP, format 1.0 | HTTP, format 2.0 | HTTP, simple responses |
/// |---|---|---|---|---|
/// | form | policy | policy | policy | simple |
/// | principal | required | may be missing | may be missing | none |
/// | context values | scalars | scalars | any | any |
/// | reserved names | `principalId`, `integrationLatency` | those, `claims`, `scopes` | `principalId` | as 2.0 |
///
/// `authorizerExpiresAt` is reserved everywhere: an authorizer of this crate that runs as a Lambda function tells its
/// backend by it how long the answer is good, and by a `principalId` in format 2.0 who is calling. A context's `principalId` that repeats the answer's own is dropped, not refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct ResponseRules {
    kind: ApiKind,
    format: PayloadFormat,
    simple: bool,
    max_bytes: usize,
}

impl ResponseRules {
    /// The most that an answer in JSON has, in bytes, if not said otherwise.
    pub const DEFAULT_MAX_BYTES: usize = 256 * 1024;

    /// Answers to a REST API.
    pub const fn rest() -> Self {
        Self::new(ApiKind::Rest, PayloadFormat::V1, false)
    }

    /// Answers to a WebSocket API.
    pub const fn websocket() -> Self {
        Self::new(ApiKind::WebSocket, PayloadFormat::V1, false)
    }

    /// Answers to an HTTP API, in the form of policies.
    pub const fn http(format: PayloadFormat) -> Self {
        Self::new(ApiKind::Http, format, false)
    }

    /// Answers to an HTTP API with simple responses switched on, which has format 2.0 and takes no policies.
    pub const fn http_simple() -> Self {
        Self::new(ApiKind::Http, PayloadFormat::V2, true)
    }

    const fn new(kind: ApiKind, format: PayloadFormat, simple: bool) -> Self {
        Self { kind, format, simple, max_bytes: Self::DEFAULT_MAX_BYTES }
    }

    /// The rules of a configured authorizer. Whoever calls this has refused simple responses where there are none.
    pub(crate) const fn of(kind: ApiKind, format: PayloadFormat, simple: bool) -> Self {
        match kind {
            ApiKind::Http => Self::new(kind, format, simple),
            ApiKind::Rest | ApiKind::WebSocket => Self::new(kind, PayloadFormat::V1, false),
        }
    }

    /// The rules for answers to events of that kind. Simple responses are for one kind only, and are not switched on
    /// for the others.
    #[cfg(any(feature = "lambda", feature = "remote", feature = "remote-aws"))]
    pub(crate) const fn of_event(kind: EventKind, simple: bool) -> Self {
        match kind {
            EventKind::HttpRequestV1 => Self::http(PayloadFormat::V1),
            EventKind::HttpRequestV2 if simple => Self::http_simple(),
            EventKind::HttpRequestV2 => Self::http(PayloadFormat::V2),
            EventKind::RestRequest | EventKind::RestToken => Self::rest(),
            EventKind::WebSocketConnect => Self::websocket(),
        }
    }

    /// How many bytes an answer in JSON may have.
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The kind of API.
    #[must_use]
    pub const fn kind(&self) -> ApiKind {
        self.kind
    }

    /// The format of the events that are answered.
    #[must_use]
    pub const fn payload_format(&self) -> PayloadFormat {
        self.format
    }

    /// Whether simple responses are switched on: then no others are accepted.
    #[must_use]
    pub const fn has_simple_responses(&self) -> bool {
        self.simple
    }

    /// How many bytes an answer in JSON may have.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Whether an answer has to name a principal.
    pub(super) const fn needs_principal(&self) -> bool {
        !matches!(self.kind, ApiKind::Http)
    }

    /// Names that belong to the gateway.
    const fn reserved(&self) -> &'static [&'static str] {
        match (self.kind, self.format) {
            (ApiKind::Rest | ApiKind::WebSocket, _) => &[PRINCIPAL_ID, INTEGRATION_LATENCY, EXPIRES_AT],
            (ApiKind::Http, PayloadFormat::V1) => {
                &[PRINCIPAL_ID, INTEGRATION_LATENCY, EXPIRES_AT, CLAIMS, SCOPES]
            }
            (ApiKind::Http, PayloadFormat::V2) => &[PRINCIPAL_ID, EXPIRES_AT],
        }
    }

    const fn takes_any_value(&self) -> bool {
        matches!((self.kind, self.format), (ApiKind::Http, PayloadFormat::V2))
    }

    /// Checks an answer that is well-formed in itself.
    pub(super) fn check(&self, response: &AuthorizerResponse) -> Result<(), ResponseError> {
        match &response.form {
            Form::Simple { .. } if !self.simple => return Err(ResponseError::PolicyExpected),
            Form::Policy { .. } if self.simple => return Err(ResponseError::SimpleExpected),
            Form::Policy { principal_id: None, .. } if self.needs_principal() => {
                return Err(ResponseError::MissingPrincipalId);
            }
            Form::Policy { .. } | Form::Simple { .. } => {}
        }
        self.check_context(response.context(), response.principal_id())
    }

    fn check_context(&self, context: &Context, principal_id: Option<&str>) -> Result<(), ResponseError> {
        for (name, value) in context.iter() {
            if self.reserved().contains(&name) && !repeats_principal(name, value.as_str(), principal_id) {
                return Err(ResponseError::ReservedContextKey { key: name.into() });
            }
            if !self.takes_any_value() && !value.is_scalar() {
                return Err(ResponseError::ContextNotScalar { key: name.into() });
            }
            if !value.is_within(MAX_DEPTH) {
                return Err(ResponseError::ContextTooDeep { key: name.into() });
            }
        }
        Ok(())
    }
}

fn repeats_principal(name: &str, value: Option<&str>, principal_id: Option<&str>) -> bool {
    name == PRINCIPAL_ID && value.is_some() && value == principal_id
}
