//! The event of a `REQUEST` authorizer of a REST API, of a WebSocket API, or of an HTTP API in format 1.0.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Method};

use super::certificate::ClientCertificate;
use super::head::{EventSetting, Head, LiveParts, last, pairs};
use crate::contract::EventKind;
use crate::policy::ExecuteApiArn;

/// What a `REQUEST` authorizer is told about a request, without `"version"` or with `"version": "1.0"`. There is no
/// body in it, as there is none on AWS.
///
/// Made of a live request it shares what the request has, and makes text only where it is asked for. Read from
/// JSON it keeps that JSON, and prints it again. Two events are equal if they print the same JSON.
#[derive(Clone)]
pub struct RequestEvent {
    pub(super) head: Head,
}

impl RequestEvent {
    pub(crate) fn live(setting: &Arc<EventSetting>, parts: LiveParts<'_>) -> Self {
        Self { head: Head::live(setting, parts) }
    }

    /// Which of the three shapes this is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.head.kind
    }

    /// `methodArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        &self.head.arn
    }

    /// `httpMethod`: the method of the request, also where the route answers any method. A WebSocket connection is
    /// opened with `GET`.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// `path`: without the stage; percent-encoded in a REST API, decoded in an HTTP API. Empty for a WebSocket
    /// connection, which has none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.path()
    }

    /// `resource`: the template of the matched resource, such as `/users/{id}`. Where no template is known it is
    /// `/{proxy+}` in a REST API and `$default` in an HTTP API. For a WebSocket connection it is the route key,
    /// `$connect`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.head.route()
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header's value, by its name in any case. Of a repeated header, the last; `None` if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// `multiValueQueryStringParameters`: decoded, in the order of the query.
    pub fn query_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.head.query())
    }

    /// A decoded query parameter; names are case-sensitive. Of a repeated parameter, the last.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        last(self.head.query(), name)
    }

    /// `pathParameters`: as they stand in the path, still percent-encoded; decoded in an HTTP API.
    pub fn path_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.head.path_parameters())
    }

    /// One of the [path parameters](Self::path_parameters).
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        last(self.head.path_parameters(), name)
    }

    /// `stageVariables`.
    pub fn stage_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.head.stage_variables())
    }

    /// One of the [stage variables](Self::stage_variables).
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        last(self.head.stage_variables(), name)
    }

    /// `authorizationToken`, which is `identitySource` too: the values of all identity sources, with commas between
    /// them. Only HTTP APIs send it.
    #[must_use]
    pub fn authorization_token(&self) -> Option<&str> {
        self.head.identity_source().next()
    }

    /// `requestContext.identity.sourceIp`: the peer of the accepted connection, where it is known.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.head.source_ip
    }

    /// `requestContext.identity.userAgent`.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.head.user_agent()
    }

    /// `requestContext.identity.clientCert`: only with mutual TLS.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.head.client_certificate.as_ref()
    }

    /// `requestContext.requestId`: made by us, whatever the client says. A refusal of this request carries the
    /// same id in `x-amzn-RequestId` or `apigw-requestid`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.head.request_id()
    }

    /// `requestContext.requestTimeEpoch`: when the request came in.
    #[must_use]
    pub fn received_at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.head.time?)
    }
}

/// Prints what is asked, not with which credentials: names of headers and query parameters, no values.
impl std::fmt::Debug for RequestEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.head.debug("RequestEvent", f)
    }
}
