//! Events and spans.
//!
//! None of them holds who was asked about: neither credentials nor what an authorizer said. A principal id is no secret,
//! but whoever has each request logged with one has a record of what everybody does, and that is for the program to
//! decide: it finds the [`Principal`] in the request.

use std::time::Duration;

use http::Request;
use tracing::Level;

use super::reason::reason;
use super::{CacheOutcome, Role};
use crate::contract::ApiKind;
#[cfg(feature = "lambda-http")]
use crate::contract::Principal;
use crate::middleware::gateway::{Gateway, Pass};
use crate::middleware::rejection::Rejection;
use crate::middleware::shadow::{Difference, ShadowVerdict};
use crate::policy::printable;
use crate::request::RequestId;
use crate::telemetry::target;

const ALLOW: &str = "allow";

/// The longest `Sid` that is shown, in characters.
const MAX_SID: usize = 64;

/// When a decision was begun, if somebody will hear how long it took. Nobody else has the clock read.
#[derive(Clone, Copy, Default)]
pub(in crate::middleware) struct Stopwatch(Option<Duration>);

impl Stopwatch {
    /// Starts when the request comes in, if all decisions are heard of.
    #[inline]
    pub(in crate::middleware) fn start(gateway: &Gateway) -> Self {
        let is_heard = tracing::enabled!(target: target::DECISION, Level::DEBUG);
        Self(is_heard.then(|| gateway.watch.monotonic()))
    }

    /// Starts when an authorizer is to be asked, if failures are heard of.
    pub(in crate::middleware) fn go_on(self, gateway: &Gateway) -> Self {
        let is_heard = self.0.is_none() && tracing::enabled!(target: target::DECISION, Level::WARN);
        if is_heard { Self(Some(gateway.watch.monotonic())) } else { self }
    }

    fn micros(self, gateway: &Gateway) -> Option<u64> {
        let took = gateway.watch.monotonic().saturating_sub(self.0?);
        u64::try_from(took.as_micros()).ok()
    }
}

/// Tells of a refusal; a failure of ours is louder than the client's.
macro_rules! refused {
    ($rejection:expr, $($fields:tt)*) => {
        if $rejection.status().is_server_error() {
            refused!(Level::WARN; $rejection, $($fields)*);
        } else {
            refused!(Level::DEBUG; $rejection, $($fields)*);
        }
    };
    ($level:expr; $rejection:expr, $($fields:tt)*) => {
        tracing::event!(
            target: target::DECISION,
            $level,
            decision = $rejection.kind().as_str(),
            status = $rejection.status().as_u16(),
            statement = $rejection.statement(),
            sid = $rejection.sid().map(|sid| printable(sid, MAX_SID)).as_deref(),
            request_id = %$rejection.request_id(),
            $($fields)*
            "refused"
        )
    };
}

#[inline]
pub(super) fn decided<B>(
    gateway: &Gateway,
    request: &Request<B>,
    verdict: Result<&Pass, &Rejection>,
    cache: CacheOutcome,
    request_id: Option<RequestId>,
    stopwatch: Stopwatch,
) {
    let api = api(gateway.stage.kind());
    match verdict {
        Ok(pass) => tracing::debug!(
            target: target::DECISION,
            decision = ALLOW,
            statement = pass.principal().statement(),
            sid = pass.principal().sid().map(|sid| printable(sid, MAX_SID)).as_deref(),
            request_id = request_id.map(tracing::field::display),
            cache = cache.as_str(),
            api,
            latency_us = stopwatch.micros(gateway),
            "allowed"
        ),
        Err(rejection) => refused!(
            rejection,
            cache = cache.as_str(),
            api,
            latency_us = stopwatch.micros(gateway),
            // What a shared failure says was said to the request that led, and only that knows what came with it.
            reason = &*reason(rejection, (cache != CacheOutcome::Coalesced).then_some((gateway, request))),
        ),
    }
}

#[cfg(feature = "lambda-http")]
pub(super) fn received(kind: ApiKind, verdict: Result<&Principal, &Rejection>) {
    let (api, cache) = (api(kind), CacheOutcome::None.as_str());
    match verdict {
        Ok(_) => tracing::debug!(target: target::DECISION, decision = ALLOW, cache, api, "allowed"),
        // It has no source: all that it says was written here.
        Err(rejection) => refused!(rejection, cache, api, reason = &*reason::<()>(rejection, None),),
    }
}

pub(super) fn disagreed(
    gateway: &Gateway,
    head: &Request<()>,
    difference: Difference,
    enforced: &ShadowVerdict,
    candidate: &ShadowVerdict,
) {
    let why = || candidate.refused().map(|rejection| reason(rejection, Some((gateway, head))));
    tracing::info!(
        target: target::SHADOW,
        difference = difference.word(),
        enforced = word(enforced),
        candidate = word(candidate),
        reason = why().as_deref(),
        "the candidate disagrees"
    );
}

fn word(verdict: &ShadowVerdict) -> &'static str {
    verdict.refused().map_or(ALLOW, |rejection| rejection.kind().as_str())
}

const fn api(kind: ApiKind) -> &'static str {
    match kind {
        ApiKind::Http => "http",
        ApiKind::Rest => "rest",
        ApiKind::WebSocket => "websocket",
    }
}

/// What an authorizer logs is inside of this.
pub(super) struct Span(tracing::Span);

impl Span {
    /// A span holds on to the one that it is in. Work that outlives its request must not hold on to that of the request,
    /// and belongs to others as well, so it only follows from it.
    pub(super) fn begin(gateway: &Gateway, request_id: RequestId, role: Role) -> Self {
        macro_rules! span {
            ($($parent:tt)*) => {
                tracing::info_span!(
                    target: target::AUTHORIZER,
                    $($parent)*
                    "authorize",
                    %request_id,
                    api = api(gateway.stage.kind()),
                    shadow = role == Role::Shadow,
                )
            };
        }
        if role == Role::Alone {
            return Self(span!());
        }
        let span = span!(parent: None,);
        span.follows_from(tracing::Span::current());
        Self(span)
    }

    #[inline]
    pub(super) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.in_scope(work)
    }
}
