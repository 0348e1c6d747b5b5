//! Which kind of API is being stood in for.

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
