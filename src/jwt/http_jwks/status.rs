//! How a fetched key set is doing.

use std::sync::Arc;
use std::time::Duration;

use super::error::JwksError;
use crate::jwt::KeySet;

/// How an [`HttpJwks`](super::HttpJwks) is doing, at the moment it was asked.
#[derive(Clone, Debug)]
pub struct JwksStatus {
    pub(super) keys: Option<Arc<KeySet>>,
    pub(super) age: Option<Duration>,
    pub(super) is_usable: bool,
    pub(super) is_stale: bool,
    pub(super) failures: u32,
    pub(super) last_error: Option<JwksError>,
    pub(super) next_refresh: Duration,
}

impl JwksStatus {
    /// The last good set, if there ever was one: how many keys it has, their names, and what was skipped. It may be too
    /// old to be [used](Self::is_usable).
    #[must_use]
    pub fn keys(&self) -> Option<&KeySet> {
        self.keys.as_deref()
    }

    /// How long ago the last good set was fetched, or an initial one was given.
    #[must_use]
    pub const fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Whether there are keys that are not too old. If not, every token is a failure (500).
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Whether the set should have been replaced by now: the last fetch failed, or it is older than the refresh
    /// interval, or there is none.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// How many fetches failed since the last good one.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Why the last fetch failed, if it did.
    #[must_use]
    pub const fn last_error(&self) -> Option<&JwksError> {
        self.last_error.as_ref()
    }

    /// In how long the next fetch begins, if nothing asks for one before. Zero before the first: that one waits for
    /// somebody who needs it.
    #[must_use]
    pub const fn next_refresh(&self) -> Duration {
        self.next_refresh
    }
}
