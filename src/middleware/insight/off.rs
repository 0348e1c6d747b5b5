//! What stands in the place of a feature that is not there.

/// Without `metrics`.
#[cfg(not(feature = "metrics"))]
pub(super) mod count {
    use std::sync::Arc;

    use super::super::{CacheOutcome, Role};
    use crate::middleware::gateway::Gateway;
    use crate::middleware::load::Loaded;
    use crate::middleware::rejection::Rejection;
    use crate::middleware::shadow::Difference;

    pub(in super::super) struct Meter;

    impl Meter {
        #[inline]
        pub(in super::super) const fn begin(_: &Arc<Gateway>, _: Role) -> Self {
            Self
        }

        #[inline]
        pub(in super::super) const fn end(&self, _: &Loaded) {}
    }

    #[inline]
    pub(in super::super) const fn decided(_: Option<&Rejection>, _: CacheOutcome) {}

    pub(in super::super) const fn compared(_: Option<Difference>) {}

    pub(in super::super) const fn skipped() {}
}

/// Without `tracing`.
#[cfg(not(feature = "tracing"))]
pub(super) mod event {
    use http::Request;

    use super::super::{CacheOutcome, Role};
    use crate::middleware::gateway::{Gateway, Pass};
    use crate::middleware::rejection::Rejection;
    use crate::middleware::shadow::{Difference, ShadowVerdict};
    use crate::request::RequestId;

    #[derive(Clone, Copy, Default)]
    pub(in crate::middleware) struct Stopwatch(());

    impl Stopwatch {
        #[inline]
        pub(in crate::middleware) const fn start(_: &Gateway) -> Self {
            Self(())
        }

        #[inline]
        pub(in crate::middleware) const fn go_on(self, _: &Gateway) -> Self {
            self
        }
    }

    pub(in super::super) struct Span;

    impl Span {
        #[inline]
        pub(in super::super) const fn begin(_: &Gateway, _: RequestId, _: Role) -> Self {
            Self
        }

        #[inline]
        pub(in super::super) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }
    }

    #[inline]
    pub(in super::super) const fn decided<B>(
        _: &Gateway,
        _: &Request<B>,
        _: Result<&Pass, &Rejection>,
        _: CacheOutcome,
        _: Option<RequestId>,
        _: Stopwatch,
    ) {
    }

    #[cfg(feature = "lambda-http")]
    pub(in super::super) const fn received(
        _: crate::contract::ApiKind,
        _: Result<&crate::contract::Principal, &Rejection>,
    ) {
    }

    pub(in super::super) const fn disagreed(
        _: &Gateway,
        _: &Request<()>,
        _: Difference,
        _: &ShadowVerdict,
        _: &ShadowVerdict,
    ) {
    }
}

/// Without `debug-header`.
#[cfg(not(feature = "debug-header"))]
pub(super) mod header {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::{Request, Response};

    use super::super::CacheOutcome;
    use crate::middleware::gateway::{Gateway, Pass};
    use crate::middleware::rejection::Rejection;

    /// Nobody is shown a decision.
    #[derive(Clone, Copy, Default)]
    pub(in crate::middleware) struct DebugHeader;

    pub(in crate::middleware) struct Mark;

    impl Mark {
        #[inline]
        pub(in super::super) const fn of<B>(
            gateway: &Gateway,
            _: &Request<B>,
            _: Result<&Pass, &Rejection>,
            _: CacheOutcome,
        ) -> Self {
            let DebugHeader = gateway.debug_header;
            Self
        }

        #[inline]
        pub(in crate::middleware) const fn put_on<B>(self, _: &mut Response<B>) {}

        /// Polls the inner service.
        #[inline]
        pub(in crate::middleware) fn poll<F: Future>(
            &self,
            service: Pin<&mut F>,
            cx: &mut Context<'_>,
        ) -> Poll<F::Output> {
            service.poll(cx)
        }
    }
}
