//! Time as an argument: everything in this crate that asks what time it is asks a [`Clock`].
//!
//! Two readings are kept apart. The *monotonic* one never goes back and decides how long an answer may be
//! reused. The *wall* one is what policies, tokens and logs talk about, and an operator or NTP may move it at
//! any time. A cached answer is only good while both agree that it is.
//!
//! ```
//! use std::time::Duration;
//! use tower_lambda_authorizer::clock::{Clock, ManualClock};
//!
//! let clock = ManualClock::default();
//! let before = clock.monotonic();
//! clock.advance(Duration::from_secs(300));
//! assert_eq!(clock.monotonic() - before, Duration::from_secs(300));
//! ```

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

/// A source of time.
pub trait Clock: Send + Sync + 'static {
    /// Time since some fixed moment; never decreases while the process lives.
    fn monotonic(&self) -> Duration;

    /// Time since the Unix epoch, as the machine believes it to be. May jump in both directions.
    fn wall(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }

    fn wall(&self) -> Duration {
        (**self).wall()
    }
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        ORIGIN.elapsed()
    }

    fn wall(&self) -> Duration {
        // A machine whose clock stands before 1970 is at the epoch: every expiry then lies in the future, and
        // the monotonic clock alone decides.
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that moves only when told to. Clones share the same time.
///
/// It starts at 2026-01-01T00:00:00Z.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    monotonic_nanos: AtomicU64,
    wall_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock whose wall time is `wall` after the Unix epoch.
    #[must_use]
    pub fn new(wall: Duration) -> Self {
        Self(Arc::new(Hands { monotonic_nanos: AtomicU64::new(0), wall_nanos: AtomicU64::new(nanos(wall)) }))
    }

    /// Lets time pass: both readings move forward.
    pub fn advance(&self, by: Duration) {
        self.0.monotonic_nanos.fetch_add(nanos(by), Ordering::SeqCst);
        self.0.wall_nanos.fetch_add(nanos(by), Ordering::SeqCst);
    }

    /// Sets the wall time without letting time pass, as an operator or NTP does.
    pub fn set_wall(&self, wall: Duration) {
        self.0.wall_nanos.store(nanos(wall), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new(Duration::from_secs(1_767_225_600))
    }
}

impl Clock for ManualClock {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.monotonic_nanos.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Duration {
        Duration::from_nanos(self.0.wall_nanos.load(Ordering::SeqCst))
    }
}

/// One reading of both clocks, shared by everything that happens to one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Duration,
}

/// Reads the monotonic clock for each request and the wall clock at most once a second.
///
/// In between, the wall time is the last reading plus the monotonic time since, so that a jump of the wall clock
/// is seen within a second and a request costs one clock reading.
pub(crate) struct Watch {
    clock: Box<dyn Clock>,
    /// When the wall clock is to be read again, in monotonic nanoseconds.
    next_reading: AtomicU64,
    /// Wall time minus monotonic time, in nanoseconds.
    offset: AtomicI64,
}

impl Watch {
    const READING_INTERVAL: u64 = 1_000_000_000;

    pub(crate) fn new(clock: impl Clock) -> Self {
        let watch =
            Self { clock: Box::new(clock), next_reading: AtomicU64::new(0), offset: AtomicI64::new(0) };
        watch.read_wall(nanos(watch.clock.monotonic()));
        watch
    }

    /// The monotonic clock, for how long something takes.
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    #[inline]
    pub(crate) fn now(&self) -> Now {
        let reading = self.clock.monotonic();
        let monotonic = nanos(reading);
        // Acquire pairs with the release below: whoever sees the new deadline sees the offset that goes with it.
        if monotonic >= self.next_reading.load(Ordering::Acquire) {
            self.read_wall(monotonic);
        }
        let wall = monotonic.saturating_add_signed(self.offset.load(Ordering::Relaxed));
        Now { monotonic: reading, wall: Duration::from_nanos(wall) }
    }

    fn read_wall(&self, monotonic: u64) {
        let wall = nanos(self.clock.wall());
        let offset = i64::try_from(i128::from(wall) - i128::from(monotonic)).unwrap_or(i64::MAX);
        self.offset.store(offset, Ordering::Relaxed);
        self.next_reading.store(monotonic.saturating_add(Self::READING_INTERVAL), Ordering::Release);
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Whole nanoseconds; 584 years fit, and more than that is as good as for ever.
#[inline]
fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_read_again_after_a_second() {
        let clock = ManualClock::new(Duration::from_secs(1_000));
        let watch = Watch::new(clock.clone());
        clock.set_wall(Duration::from_secs(9_000));
        assert_eq!(watch.now().wall, Duration::from_secs(1_000));
        clock.advance(Duration::from_millis(999));
        assert_eq!(watch.now().wall, Duration::from_millis(1_000_999));
        clock.advance(Duration::from_millis(1));
        assert_eq!(watch.now().wall, Duration::from_secs(9_001));
    }

    #[test]
    fn the_wall_clock_may_stand_before_the_monotonic_one() {
        let clock = ManualClock::new(Duration::from_secs(5));
        clock.advance(Duration::from_secs(100));
        clock.set_wall(Duration::from_secs(7));
        let watch = Watch::new(clock);
        assert_eq!(watch.now().wall, Duration::from_secs(7));
    }

    #[test]
    fn the_system_clock_moves_forward() {
        let first = SystemClock.monotonic();
        assert!(SystemClock.monotonic() >= first);
        assert!(SystemClock.wall() > Duration::from_secs(1_700_000_000));
    }
}
