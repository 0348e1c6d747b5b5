//! What a cache was good for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How often a layer's cache was of use, since the layer was built.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Requests that found an answer.
    pub hits: u64,
    /// Requests that found none, or one that had expired.
    pub misses: u64,
    /// Times the authorizer was asked.
    pub loads: u64,
    /// Requests that waited for an answer another request had asked for.
    pub coalesced: u64,
    /// Entries the cache gave up for lack of room, if it counts them. A cache that layers share counts for all.
    pub evictions: u64,
}

/// The counters behind [`CacheStatistics`].
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) loads: Counter,
    pub(crate) coalesced: Counter,
}

impl Tally {
    pub(crate) fn statistics(&self, evictions: u64) -> CacheStatistics {
        CacheStatistics {
            hits: self.hits.sum(),
            misses: self.misses.sum(),
            loads: self.loads.sum(),
            coalesced: self.coalesced.sum(),
            evictions,
        }
    }
}

/// A counter for many threads: each adds to a cell that it shares with few others, and none of them waits.
#[derive(Debug, Default)]
pub(crate) struct Counter([Stripe; STRIPES]);

const STRIPES: usize = 8;

/// Alone on its cache line, or the threads would wait for one another after all.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        thread_local! {
            static STRIPE: Cell<Option<usize>> = const { Cell::new(None) };
        }
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let mine = STRIPE.try_with(|stripe| {
            stripe.get().unwrap_or_else(|| {
                let mine = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
                stripe.set(Some(mine));
                mine
            })
        });
        if let Some(Stripe(count)) = self.0.get(mine.unwrap_or_default()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|Stripe(count)| count.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add_one()));
            }
        });
        assert_eq!(counter.sum(), 20_000);
    }
}
