//! What a program is told to do about refusals that a mistake in its wiring is likely to cause. Clients see none of it.

use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request, StatusCode};

use crate::policy::{ConditionKey, printable};

/// The longest name of a condition key that is shown, in characters.
const MAX_KEY: usize = 128;

/// About a browser's question before the request, which nobody outside of the layer has answered.
pub(super) const PREFLIGHT: &str =
    "a preflight request carries no credentials: put CORS outside, `protect(router, layer).layer(cors)`";

/// About an answer that is kept and is of no use to other requests.
pub(super) const ECHO: &str = "the policy is kept for all requests of this caller and allows one ARN only: \
     have the authorizer allow every route that the caller may use";

/// Whether a request that is refused with this status is such a question.
pub(super) fn is_preflight<B>(request: &Request<B>, status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// About a statement that would have allowed the request if a key had the right value.
pub(super) fn undecided(key: &str) -> String {
    format!("one that might depends on an unavailable key, {}", unavailable(key))
}

/// About a statement that would have allowed the request, but for a condition.
pub(super) fn unmet(statement: usize, sid: Option<&str>) -> String {
    let sid = sid.map(|sid| format!(" (`{}`)", printable(sid, MAX_KEY))).unwrap_or_default();
    format!(
        "statement {statement}{sid} would, but one of its conditions does not hold: `BoundPolicy::explain` says which"
    )
}

/// Names a condition key that has no value, and where its value comes from if that is configured.
pub(super) fn unavailable(key: &str) -> String {
    let remedy = match ConditionKey::from(key) {
        ConditionKey::SourceIp => {
            "give what `protect` returns to axum's `serve`, serve the outermost router with \
             `into_make_service_with_connect_info::<SocketAddr>()`, or find the peer's address with `with_source_ip`"
        }
        ConditionKey::SecureTransport => "say whether clients use TLS with `with_secure_transport`",
        // The policy may have come from afar, and this goes to logs.
        _ => return format!("`{}`", printable(key, MAX_KEY)),
    };
    format!("`{key}`: {remedy}")
}
