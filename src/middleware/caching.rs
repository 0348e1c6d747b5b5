//! A cache at work: what is found, kept, shared while it is loaded, and forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::flight::{InFlight, Turn};
use crate::cache::{AuthorizerCache, CacheKey, CacheKeyRef, CacheStatistics, Tally};
use crate::clock::{Now, Watch};
use crate::contract::Authorization;

pub(crate) struct Caching {
    cache: Arc<dyn AuthorizerCache>,
    pub(crate) ttl: Duration,
    /// Counts invalidations: what was loaded across one is not kept.
    epoch: AtomicU64,
    in_flight: Arc<InFlight>,
    tally: Tally,
}

/// Under what an answer is to be kept, and since when it has been awaited.
pub(crate) struct Ticket {
    key: CacheKey,
    epoch: u64,
}

impl Caching {
    pub(crate) fn new(cache: Arc<dyn AuthorizerCache>, ttl: Duration) -> Self {
        Self { cache, ttl, epoch: AtomicU64::new(0), in_flight: Arc::default(), tally: Tally::default() }
    }

    /// Looks for an answer that is still good, for the first time on behalf of a request. What is not found is not
    /// counted yet: the request may turn out to be nobody's.
    #[inline(always)]
    pub(crate) fn find(&self, key: &CacheKeyRef<'_>, watch: &Watch) -> Option<(Arc<Authorization>, Now)> {
        let found = self.fresh(key, watch)?;
        self.tally.hits.add_one();
        Some(found)
    }

    /// What was not found is to be asked for.
    pub(crate) fn miss(&self, key: &CacheKeyRef<'_>) -> Ticket {
        self.tally.misses.add_one();
        Ticket { key: key.to_key(), epoch: self.epoch.load(Ordering::SeqCst) }
    }

    /// An entry that has expired is forgotten at once: it may hold a token. One that is just being stored is not there
    /// yet.
    #[inline(always)]
    fn fresh(&self, key: &CacheKeyRef<'_>, watch: &Watch) -> Option<(Arc<Authorization>, Now)> {
        let authorization = self.cache.get(key)?;
        let now = watch.now();
        if authorization.expiry().is_some_and(|expiry| expiry.is_after(now)) {
            return authorization.is_confirmed().then_some((authorization, now));
        }
        self.cache.remove(key);
        None
    }

    /// Takes part in a load: begins it, or joins those who wait for it.
    pub(crate) fn take_turn(&self, ticket: &Ticket, watch: &Watch) -> Turn {
        let find = || self.fresh(&ticket.key.as_ref(), watch).map(|(found, _)| found);
        let turn = self.in_flight.take_turn(&ticket.key, ticket.epoch, find);
        if let Turn::Join(_) = &turn {
            self.tally.coalesced.add_one();
        }
        turn
    }

    pub(crate) fn count_load(&self) {
        self.tally.loads.add_one();
    }

    pub(crate) fn store(&self, ticket: &Ticket, authorization: &Arc<Authorization>) {
        let is_current = || self.epoch.load(Ordering::SeqCst) == ticket.epoch;
        if !is_current() {
            return;
        }
        self.cache.insert(ticket.key.clone(), Arc::clone(authorization));
        // An invalidation that came in between has swept the cache before or after the line above. If before, it is
        // seen here, and what was just stored goes too; until then nobody could use it. If after, it is gone.
        if is_current() {
            authorization.confirm();
        } else {
            self.cache.remove(&ticket.key.as_ref());
        }
    }

    pub(crate) fn invalidate(&self, forget: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.cache.retain(&|key, authorization| !forget(key, authorization));
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        self.tally.statistics(self.cache.evictions())
    }
}
