//! The names by which things are told: the targets of events, the metrics and their labels. All of them are here, so that
//! there is one list; `docs/OPERATING.md` has the same list for operators.
//!
//! What is told by rooms that know no decision is here as well. Without its feature, a function does nothing.

/// The targets of events and spans.
#[cfg(feature = "tracing")]
pub(crate) mod target {
    pub(crate) const AUTHORIZER: &str = "tower_lambda_authorizer::authorizer";
    pub(crate) const DECISION: &str = "tower_lambda_authorizer::decision";
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) const JWT: &str = "tower_lambda_authorizer::jwt";
    #[cfg(feature = "jwks-http")]
    pub(crate) const JWKS: &str = "tower_lambda_authorizer::jwks";
    #[cfg(any(feature = "remote", feature = "remote-aws"))]
    pub(crate) const REMOTE: &str = "tower_lambda_authorizer::remote";
    pub(crate) const SHADOW: &str = "tower_lambda_authorizer::shadow";
}

/// The names of metrics.
#[cfg(feature = "metrics")]
pub(crate) mod metric {
    pub(crate) const CACHE_EVICTIONS: &str = "lambda_authorizer_cache_evictions_total";
    pub(crate) const DECISIONS: &str = "lambda_authorizer_decisions_total";
    pub(crate) const JWKS_FETCHES: &str = "lambda_authorizer_jwks_fetches_total";
    pub(crate) const LOAD_DURATION: &str = "lambda_authorizer_load_duration_seconds";
    pub(crate) const LOADS: &str = "lambda_authorizer_loads_total";
    pub(crate) const LOADS_RUNNING: &str = "lambda_authorizer_loads_running";
    pub(crate) const SHADOW_COMPARISONS: &str = "lambda_authorizer_shadow_comparisons_total";
}

/// Tells the recorder what the metrics are. To say it twice does no harm.
#[cfg(feature = "metrics")]
pub(crate) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

    describe_counter!(metric::CACHE_EVICTIONS, Unit::Count, "Answers a cache gave up for lack of room");
    describe_counter!(metric::DECISIONS, Unit::Count, "Requests decided");
    describe_counter!(metric::JWKS_FETCHES, Unit::Count, "Fetches of key sets that have ended");
    describe_histogram!(metric::LOAD_DURATION, Unit::Seconds, "How long authorizers took");
    describe_counter!(metric::LOADS, Unit::Count, "Times an authorizer was asked");
    describe_gauge!(metric::LOADS_RUNNING, Unit::Count, "Authorizers at work");
    describe_counter!(metric::SHADOW_COMPARISONS, Unit::Count, "Comparisons with the candidate of a shadow");
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn describe() {}

/// A cache gave up an answer for lack of room.
pub(crate) fn evicted() {
    #[cfg(feature = "metrics")]
    metrics::counter!(metric::CACHE_EVICTIONS).increment(1);
}

/// A fetch of a key set has ended.
#[cfg(feature = "jwks-http")]
pub(crate) fn fetched(is_ok: bool) {
    #[cfg(feature = "metrics")]
    metrics::counter!(metric::JWKS_FETCHES, "outcome" => if is_ok { "ok" } else { "failed" }).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = is_ok;
}
