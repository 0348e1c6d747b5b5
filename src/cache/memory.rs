//! Answers in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Lifecycle, Weighter};

use super::{AuthorizerCache, CacheKey, CacheKeyRef};
use crate::contract::Authorization;
use crate::telemetry;

/// A bounded concurrent cache: so many entries, so many bytes, and never more of either.
///
/// ```
/// use tower_lambda_authorizer::cache::MemoryCache;
///
/// let cache = MemoryCache::builder().with_max_entries(50_000).with_max_bytes(128 * 1024 * 1024).build();
/// assert!(cache.is_empty());
/// ```
pub struct MemoryCache {
    entries: Entries,
    evictions: Evictions,
}

type Entries = Cache<CacheKey, Arc<Authorization>, Weight, foldhash::quality::RandomState, Evictions>;

#[derive(Clone, Debug, Default)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<CacheKey, Arc<Authorization>> for Evictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: CacheKey, _: Arc<Authorization>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        telemetry::evicted();
    }
}

/// How large a [`MemoryCache`] may become.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct MemoryCacheBuilder {
    max_entries: usize,
    max_bytes: usize,
}

impl MemoryCacheBuilder {
    /// At most so many entries; 10,000 if not said.
    pub const fn with_max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// At most so many bytes of keys and answers together; 64 MiB if not said. An answer that would take more
    /// than a small part of them is not kept.
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes the cache.
    #[must_use]
    pub fn build(self) -> MemoryCache {
        // No more than there is room for, or the shares would add up to more bytes than there are.
        let entries = self.max_entries.min(self.max_bytes / Weight::FIXED).max(1);
        // Every entry weighs at least its share of the bytes, so that one bound holds for both.
        let share = (self.max_bytes / entries).max(1);
        let capacity = share.saturating_mul(entries);
        let capacity = u64::try_from(capacity).unwrap_or(u64::MAX);
        let hasher = foldhash::quality::RandomState::default();
        let evictions = Evictions::default();
        let counted = evictions.clone();
        MemoryCache { entries: Cache::with(entries, capacity, Weight { share }, hasher, counted), evictions }
    }
}

impl MemoryCache {
    /// A cache of the default size, to be changed.
    pub const fn builder() -> MemoryCacheBuilder {
        MemoryCacheBuilder { max_entries: 10_000, max_bytes: 64 * 1024 * 1024 }
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl AuthorizerCache for MemoryCache {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.entries.get(&Sought(key))
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.entries.insert(key, authorization);
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.entries.remove(&Sought(key));
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.entries.retain(|key, authorization| keep(key, authorization));
    }

    fn evictions(&self) -> u64 {
        self.evictions.0.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A key as it is looked up. A type of its own, so that no trait of the cache below is part of the public one.
#[derive(Hash)]
struct Sought<'a, 'k>(&'a CacheKeyRef<'k>);

impl Equivalent<CacheKey> for Sought<'_, '_> {
    #[inline]
    fn equivalent(&self, key: &CacheKey) -> bool {
        self.0.equals(key)
    }
}

#[derive(Clone, Copy, Debug)]
struct Weight {
    share: usize,
}

impl Weight {
    /// What an entry takes beside the text of its key and answer: the two structs, and the map's own book-keeping.
    const FIXED: usize = size_of::<CacheKey>() + size_of::<Authorization>() + 64;
}

impl Weighter<CacheKey, Arc<Authorization>> for Weight {
    fn weight(&self, key: &CacheKey, authorization: &Arc<Authorization>) -> u64 {
        let bytes = Self::FIXED + key.heap_bytes() + authorization.heap_bytes();
        u64::try_from(bytes.max(self.share)).unwrap_or(u64::MAX)
    }
}
