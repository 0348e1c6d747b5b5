//! What a comparison finds.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, StatusCode};

use crate::middleware::gateway::Verdict;
use crate::middleware::rejection::Rejection;

/// What one of the two says about a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ShadowVerdict {
    /// It may pass.
    #[non_exhaustive]
    Allowed {
        /// As whom; `None` for an answer that names nobody.
        principal_id: Option<Box<str>>,
        /// By which statement of the policy, counted from zero.
        statement: Option<usize>,
    },
    /// It may not.
    Refused(Rejection),
}

/// In which way a candidate differs from the layer that decides.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Difference {
    /// The candidate failed: its authorizer had an error, panicked, was late, or gave an answer that is none. Clients would
    /// see 500.
    CandidateFailed,
    /// The request was refused, and the candidate would let it in. The dangerous direction.
    NewlyAllowed,
    /// The request was let in, and the candidate would refuse it.
    NewlyDenied,
    /// Both let it in, but not as the same principal.
    OtherPrincipal,
    /// Both refuse it, but not with the same status.
    OtherStatus,
}

impl Difference {
    const fn as_str(self) -> &'static str {
        match self {
            Self::CandidateFailed => "candidate failed",
            Self::NewlyAllowed => "newly allowed",
            Self::NewlyDenied => "newly denied",
            Self::OtherPrincipal => "other principal",
            Self::OtherStatus => "other status",
        }
    }

    /// The same in one word.
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(in crate::middleware) const fn word(self) -> &'static str {
        match self {
            Self::CandidateFailed => "candidate_failed",
            Self::NewlyAllowed => "newly_allowed",
            Self::NewlyDenied => "newly_denied",
            Self::OtherPrincipal => "other_principal",
            Self::OtherStatus => "other_status",
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ShadowVerdict {
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Forward(pass) => Self::Allowed {
                principal_id: pass.principal().context().principal_id().map(Into::into),
                statement: pass.principal().statement(),
            },
            Verdict::Refuse(rejection) => Self::Refused(rejection.clone()),
        }
    }

    /// Whether it lets the request in.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    #[cfg(feature = "tracing")]
    pub(in crate::middleware) const fn refused(&self) -> Option<&Rejection> {
        match self {
            Self::Allowed { .. } => None,
            Self::Refused(rejection) => Some(rejection),
        }
    }

    /// How `candidate` differs from this.
    pub(super) fn difference(&self, candidate: &Self) -> Option<Difference> {
        match (self, candidate) {
            (_, Self::Refused(refused)) if refused.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                Some(Difference::CandidateFailed)
            }
            (Self::Refused(_), Self::Allowed { .. }) => Some(Difference::NewlyAllowed),
            (Self::Allowed { .. }, Self::Refused(_)) => Some(Difference::NewlyDenied),
            (Self::Allowed { principal_id: a, .. }, Self::Allowed { principal_id: b, .. }) => {
                (a != b).then_some(Difference::OtherPrincipal)
            }
            (Self::Refused(a), Self::Refused(b)) => {
                (a.status() != b.status()).then_some(Difference::OtherStatus)
            }
        }
    }
}

impl std::fmt::Display for ShadowVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Allowed { principal_id, statement } => {
                match principal_id {
                    Some(principal_id) => write!(f, "allowed as `{}`", principal_id.escape_debug())?,
                    None => f.write_str("allowed")?,
                }
                statement.map_or(Ok(()), |statement| write!(f, " by statement {statement}"))
            }
            Self::Refused(rejection) => {
                write!(f, "refused with {}: {rejection}", rejection.status().as_u16())?;
                rejection.statement().map_or(Ok(()), |statement| write!(f, " (statement {statement})"))
            }
        }
    }
}

/// A request about which a candidate differs from the layer that decided it.
///
/// It prints in one line. It holds the path, which may tell who asked for what, and no credentials.
#[derive(Clone, Debug)]
pub struct Disagreement {
    difference: Difference,
    method: Method,
    path: Box<str>,
    enforced: ShadowVerdict,
    candidate: ShadowVerdict,
}

impl Disagreement {
    pub(super) fn new(
        difference: Difference,
        method: Method,
        path: &str,
        enforced: ShadowVerdict,
        candidate: ShadowVerdict,
    ) -> Self {
        Self { difference, method, path: path.into(), enforced, candidate }
    }

    /// In which way they differ.
    #[must_use]
    pub const fn difference(&self) -> Difference {
        self.difference
    }

    /// The method of the request.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Its whole path, as it came to the layer and without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was done.
    #[must_use]
    pub const fn enforced(&self) -> &ShadowVerdict {
        &self.enforced
    }

    /// What the candidate would have done.
    #[must_use]
    pub const fn candidate(&self) -> &ShadowVerdict {
        &self.candidate
    }
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { difference, method, path, enforced, candidate } = self;
        write!(f, "{difference}: {method} {path} was {enforced}; the candidate has it {candidate}")
    }
}

/// What a [`Shadow`](super::Shadow) has found so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ShadowStatistics {
    /// Both say the same.
    pub agreed: u64,
    /// See [`Difference::CandidateFailed`].
    pub candidate_failed: u64,
    /// See [`Difference::NewlyAllowed`].
    pub newly_allowed: u64,
    /// See [`Difference::NewlyDenied`].
    pub newly_denied: u64,
    /// See [`Difference::OtherPrincipal`].
    pub other_principal: u64,
    /// See [`Difference::OtherStatus`].
    pub other_status: u64,
    /// Requests that were not compared, because as many comparisons as may were running.
    pub skipped: u64,
}

/// The same, counting.
#[derive(Default)]
pub(super) struct Tally {
    agreed: AtomicU64,
    pub(super) candidate_failed: AtomicU64,
    newly_allowed: AtomicU64,
    newly_denied: AtomicU64,
    other_principal: AtomicU64,
    other_status: AtomicU64,
    pub(super) skipped: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, difference: Option<Difference>) {
        let counter = match difference {
            None => &self.agreed,
            Some(Difference::CandidateFailed) => &self.candidate_failed,
            Some(Difference::NewlyAllowed) => &self.newly_allowed,
            Some(Difference::NewlyDenied) => &self.newly_denied,
            Some(Difference::OtherPrincipal) => &self.other_principal,
            Some(Difference::OtherStatus) => &self.other_status,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn statistics(&self) -> ShadowStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ShadowStatistics {
            agreed: read(&self.agreed),
            candidate_failed: read(&self.candidate_failed),
            newly_allowed: read(&self.newly_allowed),
            newly_denied: read(&self.newly_denied),
            other_principal: read(&self.other_principal),
            other_status: read(&self.other_status),
            skipped: read(&self.skipped),
        }
    }
}
