//! What is asked about a request, and why it may not come to that.

use super::rejection::{Rejection, RejectionKind};
use crate::request::{CanonicalPath, RequestId};

/// Why a target is not read. Small, so that what is read is not moved about in the place of a whole [`Rejection`].
#[derive(Clone, Copy)]
pub(crate) struct Unreadable {
    kind: RejectionKind,
    reason: Option<&'static str>,
}

impl Unreadable {
    pub(super) const fn new(kind: RejectionKind) -> Self {
        Self { kind, reason: None }
    }

    pub(super) const fn target(reason: &'static str) -> Self {
        Self { kind: RejectionKind::InvalidTarget, reason: Some(reason) }
    }
}

impl From<Unreadable> for Rejection {
    #[cold]
    fn from(Unreadable { kind, reason }: Unreadable) -> Self {
        match reason {
            Some(reason) => Self::with_detail(kind, reason),
            None => Self::new(kind),
        }
    }
}

/// What a policy is asked about a request, beside what the request itself says.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(super) path: &'q CanonicalPath<'q>,
    /// The id that the authorizer was told, if it was asked.
    pub(super) request_id: Option<RequestId>,
}
