//! A cache that adds up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::contract::Authorization;

/// A cache that sums up what its entries say they take on the heap.
#[derive(Clone)]
pub(crate) struct Weighed(Arc<Inner>);

struct Inner {
    cache: MemoryCache,
    bytes: AtomicUsize,
}

impl Weighed {
    /// With room for so many.
    pub(crate) fn new(entries: usize) -> Self {
        let cache = MemoryCache::builder().with_max_entries(entries).with_max_bytes(usize::MAX / 2).build();
        Self(Arc::new(Inner { cache, bytes: AtomicUsize::new(0) }))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.cache.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

impl AuthorizerCache for Weighed {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.0.cache.get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.0.bytes.fetch_add(key.heap_bytes() + authorization.heap_bytes(), Ordering::Relaxed);
        self.0.cache.insert(key, authorization);
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.0.cache.remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.0.cache.retain(keep);
    }
}
