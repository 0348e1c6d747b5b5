//! An answer that was accepted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::challenge::Challenge;
use super::context::Context;
use super::reserved::PRINCIPAL_ID;
use super::response::{AuthorizerResponse, Form, ResponseError, ResponseRules};
use crate::clock::Now;
use crate::contract::REDACTED;
use crate::policy::{AccessRequest, BoundPolicy, Decision, StageArn};

/// An authorizer's answer after it was checked and its policy compiled against one stage: what a cache stores.
///
/// It says what a principal may do, not whether a request is allowed: that is decided anew for each request.
/// It cannot be made outside this crate, and a cache hands back what it was given.
pub struct Authorization {
    principal_id: Option<Box<str>>,
    context: Context,
    usage_identifier_key: Option<Box<str>>,
    grant: Grant,
    denial_challenge: Option<Challenge>,
    expiry: Option<Expiry>,
    heap_bytes: usize,
    /// Whether it may be used by who finds it in a cache.
    is_confirmed: AtomicBool,
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
    #[inline]
    pub(crate) fn is_after(self, now: Now) -> bool {
        now.monotonic < self.monotonic && now.wall < self.wall
    }
}

/// What was granted: what a policy allows, or everything or nothing.
#[expect(clippy::large_enum_variant, reason = "it is part of one allocation, and most are policies")]
enum Grant {
    Policy(BoundPolicy),
    Simple(bool),
}

/// What an answer says about one request.
pub(crate) struct Ruling<'a> {
    pub(crate) decision: Decision,
    pub(crate) statement: Option<usize>,
    pub(crate) unavailable_key: Option<&'a str>,
}

impl Authorization {
    /// Checks what depends on the kind of API, and compiles the policy.
    pub(crate) fn accept(
        response: AuthorizerResponse,
        rules: &ResponseRules,
        stage: &StageArn,
        expiry: Option<Expiry>,
    ) -> Result<Self, ResponseError> {
        response.check(rules)?;
        let mut parts = response.into_parts();
        // Reserved everywhere, so what is there was checked to be the answer's own.
        parts.context.remove(PRINCIPAL_ID);
        let (principal_id, grant) = match parts.form {
            Form::Policy { principal_id, policy } => (principal_id, Grant::Policy(policy.bind(stage))),
            Form::Simple { is_authorized } => (None, Grant::Simple(is_authorized)),
        };
        let heap_bytes = || {
            let length = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
            let challenge = parts.denial_challenge.as_ref().map_or(0, |challenge| challenge.as_str().len());
            let policy = match &grant {
                Grant::Policy(policy) => policy.heap_bytes(),
                Grant::Simple(_) => 0,
            };
            let texts = length(&principal_id) + length(&parts.usage_identifier_key) + challenge;
            texts + parts.context.heap_bytes() + policy
        };
        Ok(Self {
            // What is not kept is not weighed.
            heap_bytes: expiry.map_or(0, |_| heap_bytes()),
            principal_id,
            context: parts.context,
            usage_identifier_key: parts.usage_identifier_key,
            grant,
            denial_challenge: parts.denial_challenge,
            expiry,
            is_confirmed: AtomicBool::new(false),
        })
    }

    /// What a gateway has let through already, as it told the backend.
    #[cfg(feature = "lambda-http")]
    pub(crate) fn granted(principal_id: Option<Box<str>>, context: Context, expiry: Option<Expiry>) -> Self {
        Self {
            heap_bytes: principal_id.as_ref().map_or(0, |id| id.len()) + context.heap_bytes(),
            principal_id,
            context,
            usage_identifier_key: None,
            grant: Grant::Simple(true),
            denial_challenge: None,
            expiry,
            is_confirmed: AtomicBool::new(false),
        }
    }

    /// Decides one request.
    #[inline(always)]
    pub(crate) fn rule(&self, asked: &AccessRequest<'_>) -> Ruling<'_> {
        match &self.grant {
            Grant::Policy(policy) => {
                let evaluation = policy.evaluate(asked);
                Ruling {
                    decision: evaluation.decision(),
                    statement: evaluation.statement(),
                    unavailable_key: evaluation.unavailable_key(),
                }
            }
            Grant::Simple(is_authorized) => Ruling {
                decision: if *is_authorized { Decision::Allow } else { Decision::ImplicitDeny },
                statement: None,
                unavailable_key: None,
            },
        }
    }

    /// The first statement of the policy that would allow a request if its conditions held.
    pub(crate) fn unmet(&self, asked: &AccessRequest<'_>) -> Option<usize> {
        match &self.grant {
            Grant::Policy(policy) => policy.unmet(asked),
            Grant::Simple(_) => None,
        }
    }

    /// The `Sid` of a statement of the policy.
    pub(crate) fn sid(&self, statement: usize) -> Option<&str> {
        match &self.grant {
            Grant::Policy(policy) => policy.sid(statement),
            Grant::Simple(_) => None,
        }
    }

    /// Whether it is kept for other requests, and allows none of them: the mistake of an authorizer that repeats the ARN
    /// it is asked about.
    pub(crate) fn is_kept_for_one_arn(&self) -> bool {
        match &self.grant {
            Grant::Policy(policy) => self.expiry.is_some() && policy.allows_one_arn(),
            Grant::Simple(_) => false,
        }
    }

    /// Who is calling; `None` for an answer that names nobody.
    #[must_use]
    pub fn principal_id(&self) -> Option<&str> {
        self.principal_id.as_deref()
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

    pub(crate) fn denial_challenge(&self) -> Option<&Challenge> {
        self.denial_challenge.as_ref()
    }

    pub(crate) fn expiry(&self) -> Option<Expiry> {
        self.expiry
    }

    /// No invalidation came between its loading and its being kept: from now on it may be found.
    pub(crate) fn confirm(&self) {
        self.is_confirmed.store(true, Ordering::Release);
    }

    #[inline(always)]
    pub(crate) fn is_confirmed(&self) -> bool {
        self.is_confirmed.load(Ordering::Acquire)
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
