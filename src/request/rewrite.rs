//! Another query, or another path, for a request that goes on.

use http::uri::PathAndQuery;
use http::{Extensions, Request, Uri};

/// A request's URIs with another query and the same path: the current one, and the one that axum remembers from
/// before its nested routers.
pub(crate) struct QueryRewrite {
    current: Uri,
    original: Option<Uri>,
}

impl QueryRewrite {
    /// `None` if there can be no such URI: it would be too long.
    pub(crate) fn new(uri: &Uri, extensions: &Extensions, query: &str) -> Option<Self> {
        let original = match original_uri(extensions) {
            Some(original) => Some(with_query(original, query)?),
            None => None,
        };
        Some(Self { current: with_query(uri, query)?, original })
    }

    pub(crate) fn apply<B>(self, request: &mut Request<B>) {
        *request.uri_mut() = self.current;
        if let Some(original) = self.original {
            set_original_uri(request.extensions_mut(), original);
        }
    }
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = uri.path();
    parts.path_and_query = Some(match query {
        "" => PathAndQuery::try_from(path).ok()?,
        _ => PathAndQuery::try_from(format!("{path}?{query}")).ok()?,
    });
    Uri::from_parts(parts).ok()
}

/// Gives a request another path and the same query. `None` if there can be no such URI.
#[cfg(feature = "lambda-http")]
pub(crate) fn rewrite_path<B>(request: &mut Request<B>, path: &str) -> Option<()> {
    let with_path = |uri: &Uri| {
        let path_and_query = match uri.query() {
            Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
            None => PathAndQuery::try_from(path),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path_and_query.ok()?);
        Uri::from_parts(parts).ok()
    };
    let original = match original_uri(request.extensions()) {
        Some(original) => Some(with_path(original)?),
        None => None,
    };
    *request.uri_mut() = with_path(request.uri())?;
    if let Some(original) = original {
        set_original_uri(request.extensions_mut(), original);
    }
    Some(())
}

#[cfg(feature = "axum")]
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<axum::extract::OriginalUri>().map(|axum::extract::OriginalUri(uri)| uri)
}

#[cfg(feature = "axum")]
fn set_original_uri(extensions: &mut Extensions, uri: Uri) {
    extensions.insert(axum::extract::OriginalUri(uri));
}

#[cfg(not(feature = "axum"))]
fn original_uri(_extensions: &Extensions) -> Option<&Uri> {
    None
}

#[cfg(not(feature = "axum"))]
fn set_original_uri(_extensions: &mut Extensions, _uri: Uri) {}
