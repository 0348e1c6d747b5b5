//! The request that is refused.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

use super::gateway::Gateway;
use crate::clock::Now;
use crate::request::{ApiStage, Location, locate};

/// A refused request, for strategies that repeat something of it. Everything in it but the stage is what the client
/// sent: escape what you repeat, and repeat no credentials.
pub struct RefusedRequest<'a> {
    gateway: &'a Gateway,
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> RefusedRequest<'a> {
    pub(super) fn new<B>(gateway: &'a Gateway, request: &'a Request<B>) -> Self {
        Self {
            gateway,
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Its target, as it came to the layer.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Its version of HTTP.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its headers, credentials included.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// What the layers outside of this one have put beside it.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The stage that refuses it.
    #[must_use]
    pub fn stage(&self) -> &'a ApiStage {
        &self.gateway.stage
    }

    /// The whole path and the template of the matched route, as far as they are known.
    pub(super) fn location(&self) -> Location<'a> {
        let unknown = Location::unrouted(self.uri.path());
        locate(self.uri, self.extensions).unwrap_or(unknown)
    }

    /// The path with the stage before it, as `$context.path` has it.
    pub(super) fn context_path(&self) -> Cow<'a, str> {
        let path = self.location().path;
        match self.stage().arn().stage() {
            "$default" => Cow::Borrowed(path),
            stage => Cow::Owned(format!("/{stage}{path}")),
        }
    }

    pub(super) fn source_ip(&self) -> Option<IpAddr> {
        self.gateway.source_address.of(self.headers, self.extensions)
    }

    pub(super) fn now(&self) -> Now {
        self.gateway.watch.now()
    }
}

/// Prints what was asked, not with which credentials.
impl std::fmt::Debug for RefusedRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusedRequest")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("stage", &self.gateway.stage.arn())
            .finish_non_exhaustive()
    }
}
