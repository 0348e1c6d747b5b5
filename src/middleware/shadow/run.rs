//! One comparison.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Request;
use tokio::runtime::Handle;

use super::report::{Disagreement, ShadowVerdict};
use super::{Settings, Shadow};
use crate::authorizer::discard;
use crate::middleware::gateway::{Admission, Gateway, Verdict};
use crate::middleware::insight;
use crate::middleware::load::ask_unshared;
use crate::middleware::rejection::RejectionKind;

impl Shadow {
    /// Begins a comparison, if there is room for one. Nothing that happens in it reaches the request.
    pub(in crate::middleware) fn compare<B>(&self, verdict: &Verdict, request: &Request<B>) {
        // Extensions are cloned by code that is not ours.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.begin(verdict, request))) {
            discard(payload);
        }
    }

    fn begin<B>(&self, verdict: &Verdict, request: &Request<B>) {
        let settings = &self.0;
        if is_about_target(verdict) || (settings.percent < 100 && fastrand::u8(..100) >= settings.percent) {
            return;
        }
        let (Ok(handle), Some(running)) = (Handle::try_current(), Running::begin(settings)) else {
            settings.state.tally.skipped.fetch_add(1, Ordering::Relaxed);
            insight::not_compared(false);
            return;
        };
        let enforced = ShadowVerdict::of(verdict);
        let head = head_of(request);
        // Not on a thread of the runtime: who knows what a candidate does there.
        settings.state.threads.run(move || {
            // The room is given back when all else is gone.
            let mut running = running;
            let head = head;
            let settings = Arc::clone(&running.settings);
            let (candidate, gateway) = handle.block_on(settings.ask(&head));
            running.settle(enforced, ShadowVerdict::of(&candidate), gateway, &head);
        });
    }
}

impl Settings {
    /// What the candidate would do, and which of its layers.
    async fn ask(&self, head: &Request<()>) -> (Verdict, &Gateway) {
        let gateway = match &self.beside {
            None => &self.gateway,
            Some(beside) => beside.choose(&self.gateway, head).0,
        };
        let load = match gateway.admit(head) {
            Admission::Decided(verdict, _) => return (verdict, gateway),
            Admission::Load(load) => load,
        };
        let request_id = load.request_id;
        let loaded = ask_unshared(gateway, load).await;
        (gateway.judge(loaded, request_id, head), gateway)
    }
}

/// Whether it is the target that is refused, before anybody is asked.
fn is_about_target(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Forward(_) => false,
        Verdict::Refuse(rejection) => matches!(
            rejection.kind(),
            RejectionKind::InvalidTarget
                | RejectionKind::OutsideBasePath
                | RejectionKind::TargetMoved
                | RejectionKind::TargetTooLong
        ),
    }
}

/// All of a request but its body.
fn head_of<B>(request: &Request<B>) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    *head.extensions_mut() = request.extensions().clone();
    head
}

/// The right to run one comparison. One that ends in any other way than by settling has failed.
struct Running {
    settings: Arc<Settings>,
    is_settled: bool,
}

impl Running {
    fn begin(settings: &Arc<Settings>) -> Option<Self> {
        let before = settings.state.running.fetch_add(1, Ordering::Relaxed);
        if before >= settings.max_running {
            settings.state.running.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self { settings: Arc::clone(settings), is_settled: false })
    }

    fn settle(
        &mut self,
        enforced: ShadowVerdict,
        candidate: ShadowVerdict,
        gateway: &Gateway,
        head: &Request<()>,
    ) {
        self.is_settled = true;
        let difference = enforced.difference(&candidate);
        // Counted last: who sees the count finds the rest told.
        insight::compared(gateway, head, difference, &enforced, &candidate);
        self.settings.state.tally.count(difference);
        if let (Some(difference), Some(report)) = (difference, &self.settings.report) {
            let path = gateway.locate(head).map_or(head.uri().path(), |located| located.path);
            report(&Disagreement::new(difference, head.method().clone(), path, enforced, candidate));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_settled {
            insight::not_compared(true);
            self.settings.state.tally.candidate_failed.fetch_add(1, Ordering::Relaxed);
        }
        self.settings.state.running.fetch_sub(1, Ordering::Relaxed);
    }
}
