//! Names in a context that no authorizer may use for itself.

/// Until when an answer is good, in seconds since the Unix epoch: what a function of this crate tells its backend.
pub(crate) const EXPIRES_AT: &str = "authorizerExpiresAt";

/// Who is calling. The gateway writes it, but not in format 2.0: there a function of this crate does.
pub(crate) const PRINCIPAL_ID: &str = "principalId";

/// How long the gateway waited for the authorizer.
pub(crate) const INTEGRATION_LATENCY: &str = "integrationLatency";

/// The claims of a token that the gateway itself has checked.
pub(crate) const CLAIMS: &str = "claims";

/// The scopes of such a token.
pub(crate) const SCOPES: &str = "scopes";
