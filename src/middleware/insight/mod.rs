//! What is told of decisions, and of authorizers at work: events of `tracing`, counts for `metrics`, a header for
//! developers. Each has its feature. Without it, `off` stands in its place and does nothing, so that nobody outside of
//! this folder needs to know which of them there are.

#[cfg(feature = "metrics")]
mod count;
#[cfg(feature = "tracing")]
mod event;
#[cfg(feature = "debug-header")]
mod header;
#[cfg(not(all(feature = "debug-header", feature = "metrics", feature = "tracing")))]
mod off;
#[cfg(feature = "tracing")]
mod reading;
#[cfg(feature = "tracing")]
mod reason;

use std::sync::Arc;

use http::Request;

use self::count::Meter;
use self::event::Span;
pub(in crate::middleware) use self::event::Stopwatch;
pub(in crate::middleware) use self::header::{DebugHeader, Mark};
#[cfg(not(feature = "metrics"))]
use self::off::count;
#[cfg(not(feature = "tracing"))]
use self::off::event;
#[cfg(not(feature = "debug-header"))]
use self::off::header;
use super::gateway::{Gateway, Pass};
use super::load::Loaded;
use super::rejection::Rejection;
use super::shadow::{Difference, ShadowVerdict};
#[cfg(feature = "lambda-http")]
use crate::contract::{ApiKind, Principal};
use crate::request::RequestId;

/// What a cache had to do with a decision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CacheOutcome {
    /// The answer is the one to another request, which asked at the same time.
    Coalesced,
    /// The answer was there.
    Hit,
    /// The authorizer was asked, and the answer may be kept.
    Miss,
    /// It was not looked into: there is none, or the request was refused before.
    None,
}

impl CacheOutcome {
    #[cfg(any(feature = "debug-header", feature = "metrics", feature = "tracing"))]
    const fn as_str(self) -> &'static str {
        match self {
            Self::Coalesced => "coalesced",
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::None => "none",
        }
    }
}

/// Tells of a verdict. Each that a layer gives comes by here once, before anything comes of it; what is returned goes to
/// the response. The id is that of an allowed request: a refusal has its own.
#[inline]
pub(in crate::middleware) fn decided<B>(
    gateway: &Gateway,
    request: &Request<B>,
    verdict: Result<&Pass, &Rejection>,
    cache: CacheOutcome,
    request_id: Option<RequestId>,
    stopwatch: Stopwatch,
) -> Mark {
    event::decided(gateway, request, verdict, cache, request_id, stopwatch);
    count::decided(verdict.err(), cache);
    Mark::of(gateway, request, verdict, cache)
}

/// Tells what became of a request that a real gateway has let through.
#[cfg(feature = "lambda-http")]
pub(crate) fn received(api: ApiKind, verdict: Result<&Principal, &Rejection>) {
    event::received(api, verdict);
    count::decided(verdict.err(), CacheOutcome::None);
}

/// Tells what a comparison found.
pub(in crate::middleware) fn compared(
    gateway: &Gateway,
    head: &Request<()>,
    difference: Option<Difference>,
    enforced: &ShadowVerdict,
    candidate: &ShadowVerdict,
) {
    count::compared(difference);
    if let Some(difference) = difference {
        event::disagreed(gateway, head, difference, enforced, candidate);
    }
}

/// Tells of a comparison that came to no end, or of one for which there was no room.
pub(in crate::middleware) fn not_compared(was_begun: bool) {
    match was_begun {
        true => count::compared(Some(Difference::CandidateFailed)),
        false => count::skipped(),
    }
}

/// For whom an authorizer works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::middleware) enum Role {
    /// For one request, and no longer than that is there.
    Alone,
    /// For a comparison.
    Shadow,
    /// For all who ask the same, also when the first of them is gone.
    Shared,
}

/// An authorizer at work, from when it may begin to when it has ended, in whatever way.
pub(in crate::middleware) struct Run {
    span: Span,
    meter: Meter,
}

impl Run {
    pub(in crate::middleware) fn begin(gateway: &Arc<Gateway>, request_id: RequestId, role: Role) -> Self {
        Self { span: Span::begin(gateway, request_id, role), meter: Meter::begin(gateway, role) }
    }

    /// Does a part of its work, so that what is logged there belongs to it.
    #[inline]
    pub(in crate::middleware) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    /// Takes down what came of it. One that is dropped without was abandoned.
    #[inline]
    pub(in crate::middleware) fn end(&mut self, loaded: &Loaded) {
        self.meter.end(loaded);
    }
}
