//! One load for everybody who asks the same at the same time.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, ready};

use tokio::sync::Notify;

use super::load::{Deadline, Loaded};
use super::rejection::{Rejection, RejectionKind};
use crate::cache::CacheKey;
use crate::contract::Authorization;

/// The loads of one layer that others may wait for.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<Flights>);

type Flights = HashMap<CacheKey, Arc<Flight>, foldhash::quality::RandomState>;

/// A load that is under way.
struct Flight {
    /// How many invalidations there had been when it began: it is of no use to whoever comes after a further one.
    epoch: u64,
    result: OnceLock<Loaded>,
    landed: Notify,
    /// Whether somebody has waited for it in vain: its task may stand on a runtime that nobody drives any more.
    is_overdue: AtomicBool,
}

/// What there is to do for a request that found nothing in the cache.
pub(crate) enum Turn {
    /// The answer has come in meanwhile.
    Found(Arc<Authorization>),
    /// Somebody else is asking.
    Join(Passenger),
    /// Ask.
    Lead(Lead),
}

impl InFlight {
    /// Takes part in the load of `key`. `find` looks into the cache once more: whoever lands a load puts the answer
    /// there before the flight is taken off the map, so one of the two is always seen.
    pub(crate) fn take_turn(
        self: &Arc<Self>,
        key: &CacheKey,
        epoch: u64,
        find: impl FnOnce() -> Option<Arc<Authorization>>,
    ) -> Turn {
        let mut flights = self.flights();
        if let Some(found) = find() {
            return Turn::Found(found);
        }
        if let Some(flight) = flights.get(key).filter(|flight| flight.can_be_joined(epoch)) {
            return Turn::Join(Passenger(Arc::clone(flight)));
        }
        let flight = Arc::new(Flight {
            epoch,
            result: OnceLock::new(),
            landed: Notify::new(),
            is_overdue: AtomicBool::new(false),
        });
        flights.insert(key.clone(), Arc::clone(&flight));
        Turn::Lead(Lead { in_flight: Arc::clone(self), key: key.clone(), flight })
    }

    /// The map is whole after every operation on it, so a panic elsewhere in between does no harm.
    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits for a load.
pub(crate) struct Passenger(Arc<Flight>);

impl Passenger {
    /// What the load comes to, or a time-out if it has not by `deadline`.
    pub(crate) async fn landed_by(self, mut deadline: Deadline) -> Loaded {
        let mut landed = pin!(self.0.landed());
        poll_fn(|cx| match landed.as_mut().poll(cx) {
            Poll::Ready(loaded) => Poll::Ready(loaded),
            Poll::Pending => {
                ready!(deadline.poll(cx));
                self.0.is_overdue.store(true, Ordering::Relaxed);
                Poll::Ready(Err(Rejection::new(RejectionKind::AuthorizerTimeout)))
            }
        })
        .await
    }
}

impl Flight {
    fn can_be_joined(&self, epoch: u64) -> bool {
        self.epoch == epoch && !self.is_overdue.load(Ordering::Relaxed)
    }

    async fn landed(&self) -> Loaded {
        loop {
            let mut landed = std::pin::pin!(self.landed.notified());
            // From here on no notification is missed.
            landed.as_mut().enable();
            if let Some(loaded) = self.result.get() {
                return loaded.clone();
            }
            landed.await;
        }
    }
}

/// The duty to land a load. Dropped without that, it lands it as a failure, so that nobody waits for ever.
pub(crate) struct Lead {
    in_flight: Arc<InFlight>,
    key: CacheKey,
    flight: Arc<Flight>,
}

impl Lead {
    /// A place among those who wait for this load.
    pub(crate) fn join(&self) -> Passenger {
        Passenger(Arc::clone(&self.flight))
    }

    /// Tells everybody. The answer is in the cache by now, if it may be kept.
    pub(crate) fn land(self, loaded: &Loaded) {
        // It is empty: nobody else has the right to fill it.
        let _ = self.flight.result.set(loaded.clone());
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.flight.result.get_or_init(|| {
            Err(Rejection::with_detail(RejectionKind::AuthorizerFailure, "the load was abandoned"))
        });
        let mut flights = self.in_flight.flights();
        // After an invalidation another flight may be in its place.
        if flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(&self.key);
        }
        drop(flights);
        self.flight.landed.notify_waiters();
    }
}
