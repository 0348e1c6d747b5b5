//! The one fetch that may be under way, and when the next may begin.

use std::sync::Weak;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::error::JwksError;
use super::state::Shared;
use crate::clock::Now;
use crate::jwt::KeySet;

/// The first pause after a failure; each further failure doubles it.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why somebody wants the set fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// An operator says so.
    Asked,
    /// The set is old enough.
    Due,
    /// There are no keys that may be used.
    NoKeys,
    /// A token names a key that is not there.
    UnknownKey,
}

/// How a fetch ended; nothing while it is under way.
pub(super) type Landed = Option<Result<(), JwksError>>;

/// What is behind the lock. No request whose key is known ever takes it, but for the one that finds the set due.
#[derive(Default)]
pub(super) struct Control {
    pub(super) flight: Option<Flight>,
    /// Counts fetches, so that one that was given up cannot be taken for its successor.
    pub(super) number: u64,
    /// When the last fetch began.
    pub(super) last_attempt: Option<Now>,
    /// How many fetches failed since the last good one.
    pub(super) failures: u32,
    pub(super) last_error: Option<JwksError>,
    /// Begins the fetches that are due while no requests come.
    pub(super) keeper: Option<JoinHandle<()>>,
}

/// A fetch under way.
pub(super) struct Flight {
    pub(super) landed: watch::Receiver<Landed>,
    pub(super) task: Option<AbortHandle>,
    /// When it must have ended, if anybody still drives its runtime.
    pub(super) overdue: Instant,
}

impl Control {
    /// Whether a fetch may begin: a cool-down begins with an attempt, and not with its end. It passes on either clock:
    /// one of them stands still while the machine sleeps, the other may be set back.
    pub(super) fn may_begin(&self, reason: Reason, now: Now, cool_down: Duration) -> bool {
        let pause = match reason {
            Reason::Asked => return true,
            Reason::Due | Reason::NoKeys => self.retry_delay(cool_down),
            Reason::UnknownKey => cool_down,
        };
        self.last_attempt.is_none_or(|attempt| elapsed(attempt, now) >= pause)
    }

    /// How long to wait after an attempt that failed like those before it.
    pub(super) fn retry_delay(&self, cool_down: Duration) -> Duration {
        match self.failures {
            0 => cool_down,
            failures => {
                RETRY_DELAY.saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX)).min(cool_down)
            }
        }
    }

    /// Forgets a fetch that somebody else's runtime will never finish.
    pub(super) fn give_up_overdue(&mut self) {
        if self.flight.as_ref().is_some_and(|flight| flight.overdue <= Instant::now()) {
            self.last_attempt = None;
            self.end_flight();
        }
    }

    pub(super) fn end_flight(&mut self) {
        if let Some(task) = self.flight.take().and_then(|flight| flight.task) {
            task.abort();
        }
    }
}

/// The larger of what the two clocks say.
pub(super) fn elapsed(since: Now, now: Now) -> Duration {
    now.monotonic.saturating_sub(since.monotonic).max(now.wall.saturating_sub(since.wall))
}

/// The duty to say how a fetch ended. It is with the task that fetches, and ends with it, whatever becomes of it.
pub(super) struct Approach {
    pub(super) shared: Weak<Shared>,
    pub(super) number: u64,
    /// When the fetch before this one began.
    pub(super) attempt_before: Option<Now>,
    pub(super) landed: Option<watch::Sender<Landed>>,
}

impl Approach {
    pub(super) fn land(mut self, fetched: Result<KeySet, JwksError>) {
        let result = fetched.as_ref().map(|_| ()).map_err(Clone::clone);
        let landed = self.landed.take();
        if let Some(shared) = self.shared.upgrade() {
            shared.settle(self.number, fetched);
        }
        // Whoever is told finds the new set.
        if let Some(landed) = landed {
            landed.send_replace(Some(result));
        }
    }
}

impl Drop for Approach {
    fn drop(&mut self) {
        let Some(landed) = self.landed.take() else { return };
        if let Some(shared) = self.shared.upgrade() {
            if std::thread::panicking() {
                shared.settle(self.number, Err(JwksError::Abandoned));
            } else {
                // The runtime ended, which says nothing about the issuer: the next runtime may begin at once.
                shared.abandon(self.number, self.attempt_before);
            }
        }
        drop(landed);
    }
}
