//! The event of a `REQUEST` authorizer of an HTTP API in format 2.0.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::COOKIE;
use http::{HeaderMap, Method};

use super::certificate::ClientCertificate;
use super::head::{EventSetting, Head, LiveParts, Origin, last, pairs};
use super::header;
use crate::contract::EventKind;
use crate::policy::ExecuteApiArn;

/// What a `REQUEST` authorizer is told about a request with `"version": "2.0"`.
///
/// Repeated headers and query parameters are one value here, with commas between them: that is all that arrives on
/// AWS. Otherwise it is made, kept, printed and compared as a [`RequestEvent`](super::RequestEvent) is.
#[derive(Clone)]
pub struct RequestEventV2 {
    pub(super) head: Head,
}

impl RequestEventV2 {
    pub(crate) fn live(setting: &Arc<EventSetting>, parts: LiveParts<'_>) -> Self {
        Self { head: Head::live(setting, parts) }
    }

    /// Always [`EventKind::HttpRequestV2`].
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.head.kind
    }

    /// `routeArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        &self.head.arn
    }

    /// `identitySource`: the values of the identity sources, in their order. There are none where none is
    /// configured.
    pub fn identity_source(&self) -> impl Iterator<Item = &str> {
        self.head.identity_source()
    }

    /// `routeKey`: `GET /users/{id}`, or `$default` where no template is known.
    #[must_use]
    pub fn route_key(&self) -> &str {
        self.head.route()
    }

    /// `requestContext.http.method`.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// `rawPath`: decoded, and with the stage in front unless that is `$default`.
    #[must_use]
    pub fn raw_path(&self) -> &str {
        self.head.path()
    }

    /// `rawQueryString`: as sent.
    #[must_use]
    pub fn raw_query_string(&self) -> &str {
        match &self.head.origin {
            Origin::Live(live) => live.raw_query(),
            Origin::Json(parsed) => {
                parsed.json.get("rawQueryString").and_then(serde_json::Value::as_str).unwrap_or_default()
            }
        }
    }

    /// `cookies`: one `name=value` each.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        let header = self.head.headers.get(COOKIE).and_then(|value| value.to_str().ok());
        header.into_iter().flat_map(header::cookies)
    }

    /// All headers, and [cookies](Self::cookies) as one header of theirs.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header's value, by its name in any case. `None` if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// `queryStringParameters`: decoded.
    pub fn query_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.head.query())
    }

    /// A decoded query parameter; names are case-sensitive.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        last(self.head.query(), name)
    }

    /// `pathParameters`: decoded.
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

    /// `requestContext.http.sourceIp`: the peer of the accepted connection, where it is known.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.head.source_ip
    }

    /// `requestContext.http.userAgent`.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.head.user_agent()
    }

    /// `requestContext.authentication.clientCert`: only with mutual TLS.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.head.client_certificate.as_ref()
    }

    /// `requestContext.requestId`: made by us, whatever the client says. A refusal of this request carries the
    /// same id in `apigw-requestid`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.head.request_id()
    }

    /// `requestContext.timeEpoch`: when the request came in.
    #[must_use]
    pub fn received_at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.head.time?)
    }
}

/// Prints what is asked, not with which credentials: names of headers and query parameters, no values.
impl std::fmt::Debug for RequestEventV2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.head.debug("RequestEventV2", f)
    }
}
