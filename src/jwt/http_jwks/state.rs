//! The set, and the ways in which it is replaced.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::error::JwksError;
use super::fetch::Fetcher;
use super::flight::{Approach, Control, Flight, Landed, Reason, elapsed};
use super::location::Location;
use super::status::JwksStatus;
use crate::clock::{Now, Watch};
use crate::jwt::KeySet;
use crate::telemetry;

/// How many requests may wait because of keys that nobody knows. They take up what requests of known keys need.
const MAX_WAITING: usize = 256;
/// The keeper looks again no sooner than this.
const TICK: Duration = Duration::from_secs(1);
/// What a fetch is given beyond its own time-outs before it is given up.
const GRACE: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    watch: Watch,
    fetcher: Arc<Fetcher>,
    cadence: Cadence,
    snapshot: ArcSwapOption<Snapshot>,
    due: Due,
    waiting: Semaphore,
    control: Mutex<Control>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cadence {
    pub(super) refresh_interval: Duration,
    pub(super) cool_down: Duration,
    pub(super) max_age: Duration,
}

/// When the next fetch is to begin without being asked for, in nanoseconds of both clocks: whichever comes first. The
/// monotonic one may stand still while the machine sleeps, or a function is frozen.
#[derive(Default)]
struct Due {
    monotonic: AtomicU64,
    wall: AtomicU64,
}

/// A set, and since when it is known.
struct Snapshot {
    keys: Arc<KeySet>,
    since: Now,
}

impl Snapshot {
    fn age(&self, now: Now) -> Duration {
        elapsed(self.since, now)
    }
}

/// What became of the wish to have the set fetched.
enum Begun {
    UnderWay(watch::Receiver<Landed>),
    CoolingDown,
}

impl Shared {
    pub(super) fn new(watch: Watch, fetcher: Fetcher, cadence: Cadence, initial: Option<KeySet>) -> Self {
        let since = watch.now();
        let snapshot = initial.map(|keys| Arc::new(Snapshot { keys: Arc::new(keys), since }));
        Self {
            watch,
            fetcher: Arc::new(fetcher),
            cadence,
            snapshot: ArcSwapOption::new(snapshot),
            due: Due::default(),
            waiting: Semaphore::new(MAX_WAITING),
            control: Mutex::default(),
        }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        // Nothing is left half done behind the lock.
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn location(&self) -> &Location {
        &self.fetcher.location
    }

    /// The keys, unless they are too old. If they are due, a fetch begins, and nobody waits for it.
    pub(super) fn current(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        let now = self.watch.now();
        if self.is_due(now) {
            // If there is no runtime, then whoever needs keys that are not there is told.
            let _ = self.begin(Reason::Due);
        }
        self.usable(now)
    }

    fn usable(&self, now: Now) -> Option<Arc<KeySet>> {
        let snapshot = self.snapshot.load();
        let snapshot = snapshot.as_ref()?;
        (snapshot.age(now) < self.cadence.max_age).then(|| Arc::clone(&snapshot.keys))
    }

    fn is_due(&self, now: Now) -> bool {
        nanos(now.monotonic) >= self.due.monotonic.load(Ordering::Relaxed)
            || nanos(now.wall) >= self.due.wall.load(Ordering::Relaxed)
    }

    /// The keys after a fetch, if one may begin. `None` is no keys, or too many that wait for some.
    pub(super) async fn refreshed(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        if self.usable(self.watch.now()).is_none() {
            // Why there are none is in the status and in the log.
            let _ = self.refresh(Reason::NoKeys).await;
        } else if let Ok(Begun::UnderWay(_)) = self.begin(Reason::UnknownKey) {
            let _permit = self.waiting.try_acquire().ok()?;
            let _ = self.refresh(Reason::UnknownKey).await;
        }
        self.usable(self.watch.now())
    }

    /// Has the set fetched, or joins the fetch under way, and waits for it as long as it may take.
    pub(super) async fn refresh(self: &Arc<Self>, reason: Reason) -> Result<(), JwksError> {
        let patience = self.fetcher.patience().saturating_add(GRACE);
        Handle::try_current().map_err(|_| JwksError::NoRuntime)?;
        // A runtime may have been built without a timer, and says so by a panic.
        let deadline = catch_unwind(|| tokio::time::sleep(patience)).map_err(|_| JwksError::NoRuntime)?;
        let mut deadline = std::pin::pin!(deadline);
        // A fetch may end with the runtime of somebody else; then this one is tried.
        for _ in 0..2 {
            let Begun::UnderWay(mut landed) = self.begin(reason)? else { return self.last_result() };
            let mut landing = std::pin::pin!(landed.wait_for(Option::is_some));
            let landed = std::future::poll_fn(|cx| match landing.as_mut().poll(cx) {
                std::task::Poll::Ready(landed) => {
                    std::task::Poll::Ready(Some(landed.map(|landed| landed.clone())))
                }
                std::task::Poll::Pending => deadline.as_mut().poll(cx).map(|()| None),
            })
            .await;
            match landed {
                Some(Ok(Some(result))) => return result,
                Some(_) => {}
                None => return Err(JwksError::Timeout),
            }
        }
        Err(JwksError::Abandoned)
    }

    /// How the last fetch ended, for those who may not begin another.
    fn last_result(&self) -> Result<(), JwksError> {
        match (self.usable(self.watch.now()), &self.control().last_error) {
            (Some(_), _) => Ok(()),
            (None, error) => Err(error.clone().unwrap_or(JwksError::Abandoned)),
        }
    }

    /// Begins a fetch on the current runtime, unless one is under way or may not begin yet.
    fn begin(self: &Arc<Self>, reason: Reason) -> Result<Begun, JwksError> {
        let runtime = Handle::try_current().map_err(|_| JwksError::NoRuntime)?;
        let now = self.watch.now();
        let patience = self.fetcher.patience().saturating_add(GRACE);
        let (approach, landed) = {
            let mut control = self.control();
            control.give_up_overdue();
            if let Some(flight) = &control.flight {
                return Ok(Begun::UnderWay(flight.landed.clone()));
            }
            let is_late = reason == Reason::Due && !self.is_due(now);
            if is_late || !control.may_begin(reason, now, self.cadence.cool_down) {
                return Ok(Begun::CoolingDown);
            }
            control.number += 1;
            let attempt_before = control.last_attempt.replace(now);
            self.set_due(now, self.cadence.cool_down.max(patience));
            let (sender, landed) = watch::channel(None);
            let overdue = Instant::now().checked_add(patience).unwrap_or_else(Instant::now);
            control.flight = Some(Flight { landed: landed.clone(), task: None, overdue });
            let shared = Arc::downgrade(self);
            (Approach { shared, number: control.number, attempt_before, landed: Some(sender) }, landed)
        };
        // Not behind the lock: a runtime that is shutting down drops the task right here, and `Approach` takes the lock.
        let number = approach.number;
        let fetcher = Arc::clone(&self.fetcher);
        let task = runtime.spawn(async move {
            let fetched = fetcher.fetch().await;
            approach.land(fetched);
        });
        let mut control = self.control();
        if control.number == number
            && let Some(flight) = &mut control.flight
        {
            flight.task = Some(task.abort_handle());
        }
        if control.keeper.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            control.keeper = Some(runtime.spawn(keep(Arc::downgrade(self))));
        }
        Ok(Begun::UnderWay(landed))
    }

    /// A fetch has ended. One that was given up before it ended is not heard.
    pub(super) fn settle(&self, number: u64, fetched: Result<KeySet, JwksError>) {
        let now = self.watch.now();
        let mut control = self.control();
        if control.number != number || control.flight.is_none() {
            return;
        }
        control.flight = None;
        let keys = match fetched {
            Ok(keys) => {
                let keys = Arc::new(keys);
                control.failures = 0;
                control.last_error = None;
                self.snapshot.store(Some(Arc::new(Snapshot { keys: Arc::clone(&keys), since: now })));
                // Many instances that began together do not go on together.
                let interval = nanos(self.cadence.refresh_interval);
                self.set_due(now, Duration::from_nanos(interval - fastrand::u64(0..=interval / 10)));
                Ok(keys)
            }
            Err(error) => {
                control.failures = control.failures.saturating_add(1);
                control.last_error = Some(error.clone());
                self.set_due(now, control.retry_delay(self.cadence.cool_down));
                Err(error)
            }
        };
        // A subscriber may ask for the status.
        drop(control);
        telemetry::fetched(keys.is_ok());
        tell(self.location(), &keys);
    }

    /// A fetch ended with its runtime.
    pub(super) fn abandon(&self, number: u64, attempt_before: Option<Now>) {
        let mut control = self.control();
        if control.number == number && control.flight.is_some() {
            control.flight = None;
            control.last_attempt = attempt_before;
            self.due.monotonic.store(0, Ordering::Relaxed);
        }
    }

    fn set_due(&self, now: Now, after: Duration) {
        self.due.monotonic.store(nanos(now.monotonic.saturating_add(after)), Ordering::Relaxed);
        self.due.wall.store(nanos(now.wall.saturating_add(after)), Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> JwksStatus {
        let now = self.watch.now();
        let control = self.control();
        let snapshot = self.snapshot.load_full();
        let age = snapshot.as_ref().map(|snapshot| snapshot.age(now));
        let until = |due: &AtomicU64, now: Duration| {
            Duration::from_nanos(due.load(Ordering::Relaxed)).saturating_sub(now)
        };
        JwksStatus {
            keys: snapshot.map(|snapshot| Arc::clone(&snapshot.keys)),
            age,
            is_usable: age.is_some_and(|age| age < self.cadence.max_age),
            is_stale: control.failures > 0 || age.is_none_or(|age| age > self.cadence.refresh_interval),
            failures: control.failures,
            last_error: control.last_error.clone(),
            next_refresh: until(&self.due.monotonic, now.monotonic).min(until(&self.due.wall, now.wall)),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let control = self.control.get_mut().unwrap_or_else(PoisonError::into_inner);
        control.end_flight();
        if let Some(keeper) = control.keeper.take() {
            keeper.abort();
        }
    }
}

/// Begins the fetches that are due while no requests come. The clock decides whether one is.
async fn keep(shared: Weak<Shared>) {
    loop {
        let Some(wait) = shared.upgrade().map(|shared| shared.status().next_refresh) else { return };
        tokio::time::sleep(wait.max(TICK)).await;
        let Some(shared) = shared.upgrade() else { return };
        let _ = shared.current();
    }
}

#[cfg(feature = "tracing")]
fn tell(location: &Location, fetched: &Result<Arc<KeySet>, JwksError>) {
    match fetched {
        Ok(keys) => {
            tracing::debug!(target: telemetry::target::JWKS, %location, keys = keys.len(), skipped = keys.skipped().len(), "key set fetched");
        }
        Err(error) => {
            let source = std::error::Error::source(error);
            tracing::warn!(target: telemetry::target::JWKS, %location, %error, source, "key set not fetched");
        }
    }
}

#[cfg(not(feature = "tracing"))]
const fn tell(_: &Location, _: &Result<Arc<KeySet>, JwksError>) {}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
