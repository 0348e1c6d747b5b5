//! An answer that was accepted.

use std::time::Duration;

use super::context::Context;
use super::response::{AuthorizerResponse, ResponseError};
use crate::clock::Now;
use crate::contract::REDACTED;
use crate::policy::{BoundPolicy, StageArn};

/// An authorizer's answer after it was checked and its policy compiled against one stage: what a cache stores.
///
/// It says what a principal may do, not whether a request is allowed: that is decided anew for each request.
/// It cannot be made outside this crate, and a cache hands back what it was given.
pub struct Authorization {
    principal_id: Box<str>,
    context: Context,
    usage_identifier_key: Option<Box<str>>,
    policy: BoundPolicy,
    expiry: Option<Expiry>,
    heap_bytes: usize,
}

/// When an answer ceases to be good, on both clocks; the earlier one counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Expiry {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Duration,
}

impl Expiry {
    /// So long from now.
    pub(crate) fn after(now: Now, lifetime: Duration) -> Self {
        Self { monotonic: now.monotonic.saturating_add(lifetime), wall: now.wall.saturating_add(lifetime) }
    }

    /// Whether both clocks still stand before it.
    pub(crate) fn is_after(self, now: Now) -> bool {
        now.monotonic < self.monotonic && now.wall < self.wall
    }
}

/// Names that the gateway puts beside the context on REST and WebSocket APIs.
const RESERVED: [&str; 2] = ["principalId", "integrationLatency"];

impl Authorization {
    /// Checks what depends on the kind of API, and compiles the policy.
    pub(crate) fn accept(
        response: AuthorizerResponse,
        stage: &StageArn,
        expiry: Option<Expiry>,
    ) -> Result<Self, ResponseError> {
        let mut parts = response.into_parts();
        if parts.context.get("principalId").and_then(|id| id.as_str()) == Some(&*parts.principal_id) {
            parts.context.remove("principalId");
        }
        if let Some(key) = RESERVED.into_iter().find(|key| parts.context.get(key).is_some()) {
            return Err(ResponseError::ReservedContextKey { key: key.into() });
        }
        let policy = parts.policy.bind(stage);
        let key = parts.usage_identifier_key.as_ref().map_or(0, |key| key.len());
        Ok(Self {
            heap_bytes: parts.principal_id.len() + parts.context.heap_bytes() + key + policy.heap_bytes(),
            principal_id: parts.principal_id,
            context: parts.context,
            usage_identifier_key: parts.usage_identifier_key,
            policy,
            expiry,
        })
    }

    /// Who is calling; `None` for an answer that names nobody.
    #[must_use]
    pub fn principal_id(&self) -> Option<&str> {
        Some(&self.principal_id)
    }

    /// The bytes this keeps on the heap, for caches that are bounded by size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn usage_identifier_key(&self) -> Option<&str> {
        self.usage_identifier_key.as_deref()
    }

    pub(crate) fn policy(&self) -> &BoundPolicy {
        &self.policy
    }

    pub(crate) fn expiry(&self) -> Option<Expiry> {
        self.expiry
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorization")
            .field("principal_id", &self.principal_id)
            .field("context", &self.context)
            .field("usage_identifier_key", &self.usage_identifier_key.as_ref().map(|_| REDACTED))
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
