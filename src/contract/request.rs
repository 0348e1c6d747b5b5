//! The event of a `REQUEST` authorizer of a REST API.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};

use crate::policy::ExecuteApiArn;

/// What a `REQUEST` authorizer is told about a request. There is no body in it, as there is none on AWS.
///
/// It shares the request's headers: making one copies reference counts, not text.
#[derive(Clone)]
pub struct RequestEvent {
    parts: RequestEventParts,
}

/// What the `request` room fills in.
#[derive(Clone)]
pub(crate) struct RequestEventParts {
    pub(crate) arn: ExecuteApiArn,
    pub(crate) method: Method,
    /// Percent-encoded, without the stage.
    pub(crate) path: Box<str>,
    /// The resource template.
    pub(crate) resource: Box<str>,
    pub(crate) path_parameters: Vec<(Box<str>, Box<str>)>,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) stage_variables: Arc<[(Box<str>, Box<str>)]>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) request_id: Box<str>,
}

impl RequestEvent {
    pub(crate) fn new(parts: RequestEventParts) -> Self {
        Self { parts }
    }

    /// `methodArn`.
    #[must_use]
    pub fn arn(&self) -> &ExecuteApiArn {
        &self.parts.arn
    }

    /// `httpMethod`: the method of the request, also where the route answers any method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// `path`: percent-encoded, without the stage.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.parts.path
    }

    /// `resource`: the template of the matched resource, such as `/users/{id}`; `/{proxy+}` where no template
    /// is known.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.parts.resource
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// A header's value, by its name in any case. Of a repeated header, the last; `None` if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get_all(name).iter().next_back()?.to_str().ok()
    }

    /// `multiValueQueryStringParameters`: decoded, in the order of the query.
    pub fn query_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.parts.query)
    }

    /// A decoded query parameter; names are case-sensitive. Of a repeated parameter, the last.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        last(&self.parts.query, name)
    }

    /// `pathParameters`: as they stand in the path, still percent-encoded.
    pub fn path_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.parts.path_parameters)
    }

    /// One of the [path parameters](Self::path_parameters).
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        last(&self.parts.path_parameters, name)
    }

    /// `stageVariables`.
    pub fn stage_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.parts.stage_variables)
    }

    /// One of the [stage variables](Self::stage_variables).
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        last(&self.parts.stage_variables, name)
    }

    /// `requestContext.identity.sourceIp`: the peer of the accepted connection, where it is known.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.parts.source_ip
    }

    /// `requestContext.requestId`: made by us, whatever the client says. A refusal of this request carries the
    /// same id in `x-amzn-RequestId`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.parts.request_id
    }
}

/// Prints what is asked, not with which credentials: names of headers and query parameters, no values.
impl std::fmt::Debug for RequestEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestEvent")
            .field("arn", &self.parts.arn)
            .field("resource", &self.parts.resource)
            .field("headers", &Names(|| self.parts.headers.keys().map(http::HeaderName::as_str)))
            .field("query", &Names(|| self.query_parameters().map(|(name, _)| name)))
            .field("stage_variables", &Names(|| self.stage_variables().map(|(name, _)| name)))
            .field("source_ip", &self.parts.source_ip)
            .field("request_id", &self.parts.request_id)
            .finish_non_exhaustive()
    }
}

struct Names<F>(F);

impl<'a, I: Iterator<Item = &'a str>, F: Fn() -> I> std::fmt::Debug for Names<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((self.0)()).finish()
    }
}

fn pairs<T: AsRef<str>>(list: &[(T, T)]) -> impl Iterator<Item = (&str, &str)> {
    list.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
}

fn last<'a, T: AsRef<str>>(list: &'a [(T, T)], name: &str) -> Option<&'a str> {
    list.iter().rev().find(|(known, _)| known.as_ref() == name).map(|(_, value)| value.as_ref())
}
