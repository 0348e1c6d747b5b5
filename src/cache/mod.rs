//! What the gateway remembers.
//!
//! A cache stores [`Authorization`]s: what an authorizer said about an identity, never a verdict. Each request
//! that finds one is judged anew, by its own ARN.
//!
//! # The 403 that everybody hits once
//!
//! An authorizer that allows just the ARN it was asked about, and whose answer is then reused, refuses the same
//! caller's next request to another path. That is how API Gateway behaves too. With a cache, let the policy name
//! everything the caller may do: `event.policy().allow(…)` for each route, not the ARN of the event.

mod key;
mod memory;
mod statistics;

use std::sync::Arc;

pub(crate) use key::KeySpace;
pub use key::{CacheKey, CacheKeyRef};
pub use memory::{MemoryCache, MemoryCacheBuilder};
pub use statistics::CacheStatistics;
pub(crate) use statistics::Tally;

use crate::contract::Authorization;

/// Where answers are kept. Synchronous, because it stands in the way of every request.
///
/// An implementation may forget whatever it likes whenever it likes, and must not invent: what it returns for a
/// key is what was inserted last under an equal key. Whether an entry is still good is not its business; expired
/// ones are removed by whoever finds them.
pub trait AuthorizerCache: Send + Sync + 'static {
    /// The entry under `key`.
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>>;

    /// Stores an entry, in the place of one with an equal key.
    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>);

    /// Forgets the entry under `key`.
    fn remove(&self, key: &CacheKeyRef<'_>);

    /// Forgets every entry for which `keep` says no. When this returns, no such entry is left that was there when
    /// it was called.
    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool);

    /// How many entries were given up for lack of room; zero for a cache that does not count.
    fn evictions(&self) -> u64 {
        0
    }
}

impl<C: AuthorizerCache + ?Sized> AuthorizerCache for Arc<C> {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        (**self).get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        (**self).insert(key, authorization);
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        (**self).remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        (**self).retain(keep);
    }

    fn evictions(&self) -> u64 {
        (**self).evictions()
    }
}
