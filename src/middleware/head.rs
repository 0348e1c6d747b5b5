//! The head of a request, for those who choose by it.

use http::{Extensions, HeaderMap, HeaderName, Method, Request, Uri};

use crate::request::locate;

/// The head of a request that nobody has decided yet. All of it is what the client sent.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    pub(super) fn new<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Its target, as it came to the layer. A path can be written in several ways and a query in many: to tell routes
    /// apart, use the [template](Self::template).
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
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

    /// The template of the route that the router chose, as it was written there: `/users/{id}`. Only axum tells it, to
    /// layers inside of its router, and [`protect`](crate::axum::protect) puts a layer there. Fallbacks, and what stands
    /// behind `nest_service`, have none, nor does a protected router that stands below `nest` and a route together; in a
    /// router behind `route_service` that `protect` did not make, they may have that of the outer route.
    #[must_use]
    pub fn template(&self) -> Option<&'a str> {
        locate(self.uri, self.extensions).ok()?.template()
    }

    /// Whether a header's value falls into a share of all values: the same value into the same share in every process, and
    /// into each larger one too. A request without that header falls into none.
    ///
    /// Clients that can choose the value can choose their share.
    #[must_use]
    pub fn falls_within(&self, percent: u8, name: &HeaderName) -> bool {
        // FNV-1a: the point is that it is the same everywhere and tomorrow.
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let value = self.headers.get(name).map(http::HeaderValue::as_bytes);
        value.is_some_and(|value| {
            let mixed = value.iter().fold(0xcbf2_9ce4_8422_2325, hash);
            // The low bits of that hash are the weaker ones.
            (mixed >> 32) % 100 < u64::from(percent)
        })
    }
}

/// Prints what was asked, not with which credentials.
impl std::fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}
