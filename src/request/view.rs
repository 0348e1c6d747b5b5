//! What may be looked at in a request once its path is read.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::route::{self, Location};
use super::source::SourceAddress;
use super::stage::ApiStage;

/// A request's head beside what was found out about it. Nothing is computed before it is asked for.
#[derive(Clone, Copy)]
pub(crate) struct RequestView<'a, 'p> {
    pub(crate) stage: &'a ApiStage,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
    source_address: &'a SourceAddress,
    located: Location<'a>,
    /// The whole path in its one spelling.
    pub(crate) path: &'p str,
}

impl<'a, 'p> RequestView<'a, 'p> {
    pub(crate) fn new<B>(
        stage: &'a ApiStage,
        source_address: &'a SourceAddress,
        request: &'a Request<B>,
        located: Location<'a>,
        path: &'p str,
    ) -> Self {
        Self {
            stage,
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
            source_address,
            located,
            path,
        }
    }

    /// The template of the matched route, in axum's spelling.
    pub(crate) fn template(&self) -> Option<&'a str> {
        self.located.template()
    }

    /// The method and the path.
    pub(crate) fn request_line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The host that the request target names, if it names one.
    pub(crate) fn authority(&self) -> Option<&'a [u8]> {
        self.uri.authority().map(|authority| authority.as_str().as_bytes())
    }

    pub(crate) fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    pub(crate) fn source_ip(&self) -> Option<IpAddr> {
        self.source_address.of(self.headers, self.extensions)
    }

    /// A parameter of the path, decoded once. A template without that name has none.
    pub(crate) fn path_parameter(&self, name: &str) -> Option<String> {
        let parameters = route::parameters(self.template(), self.path);
        let (_, value) = parameters.into_iter().find(|(known, _)| **known == *name)?;
        // An accepted path is UTF-8 when decoded.
        Some(percent_encoding::percent_decode_str(&value).decode_utf8().ok()?.into_owned())
    }
}
