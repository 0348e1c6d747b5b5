//! Which kind of API is being stood in for, and which kinds of event there are.

/// The kinds of API that API Gateway has. Each has its own events, its own rules for answers and its own refusals.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ApiKind {
    /// An HTTP API: the younger and simpler kind.
    Http,
    /// A REST API: the older kind, and the only one with authorizers of type `TOKEN`.
    Rest,
    /// A WebSocket API: its authorizer is asked once, when a connection is opened.
    WebSocket,
}

/// The format of the events that a `REQUEST` authorizer of an HTTP API is given.
///
/// REST and WebSocket APIs have one format only, which carries no version.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// `"version": "1.0"`: much like the event of a REST API.
    V1,
    /// `"version": "2.0"`: the default, and the only one that allows simple responses.
    V2,
}

/// The five shapes that an authorizer's event can have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// An HTTP API's `REQUEST` authorizer, payload format 1.0.
    HttpRequestV1,
    /// An HTTP API's `REQUEST` authorizer, payload format 2.0.
    HttpRequestV2,
    /// A REST API's `REQUEST` authorizer.
    RestRequest,
    /// A REST API's `TOKEN` authorizer.
    RestToken,
    /// A WebSocket API's authorizer, which is asked about `$connect`.
    WebSocketConnect,
}

impl EventKind {
    /// The kind of API that sends such events.
    #[must_use]
    pub const fn api(self) -> ApiKind {
        match self {
            Self::HttpRequestV1 | Self::HttpRequestV2 => ApiKind::Http,
            Self::RestRequest | Self::RestToken => ApiKind::Rest,
            Self::WebSocketConnect => ApiKind::WebSocket,
        }
    }
}
