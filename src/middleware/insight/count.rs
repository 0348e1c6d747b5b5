//! Counts and durations. A label is one of few words, none of which a client or an authorizer can choose.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, with_recorder};

use super::{CacheOutcome, Role};
use crate::middleware::gateway::Gateway;
use crate::middleware::load::Loaded;
use crate::middleware::rejection::{Rejection, RejectionKind};
use crate::middleware::shadow::Difference;
use crate::telemetry::metric;

const METADATA: Metadata<'static> = Metadata::new("tower_lambda_authorizer", Level::INFO, None);

const CACHE_OUTCOMES: [CacheOutcome; 4] =
    [CacheOutcome::Coalesced, CacheOutcome::Hit, CacheOutcome::Miss, CacheOutcome::None];

/// Keys with labels are made in allocations, and every request would make some.
static DECISIONS: LazyLock<Vec<[Key; CACHE_OUTCOMES.len()]>> = LazyLock::new(|| {
    let outcomes = std::iter::once("allow").chain(RejectionKind::ALL.iter().map(|kind| kind.as_str()));
    outcomes.map(|outcome| CACHE_OUTCOMES.map(|cache| decision(outcome, cache))).collect()
});

static ENFORCING: LazyLock<LoadKeys> = LazyLock::new(|| LoadKeys::of("enforcing"));
static SHADOW: LazyLock<LoadKeys> = LazyLock::new(|| LoadKeys::of("shadow"));

fn decision(outcome: &'static str, cache: CacheOutcome) -> Key {
    key(metric::DECISIONS, &[("outcome", outcome), ("cache", cache.as_str())])
}

fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
    let labels = labels.iter().map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}

/// The keys of authorizers at work, in one role.
struct LoadKeys {
    loads: Key,
    running: Key,
    abandoned: Key,
    /// Of those that were accepted first, then of each kind of refusal.
    ended: Vec<Key>,
}

impl LoadKeys {
    fn of(role: &'static str) -> Self {
        let took = |outcome| key(metric::LOAD_DURATION, &[("role", role), ("outcome", outcome)]);
        let outcomes = std::iter::once("ok").chain(RejectionKind::ALL.iter().map(|kind| kind.as_str()));
        Self {
            loads: key(metric::LOADS, &[("role", role)]),
            running: key(metric::LOADS_RUNNING, &[("role", role)]),
            abandoned: took("abandoned"),
            ended: outcomes.map(took).collect(),
        }
    }
}

pub(super) fn decided(refused: Option<&Rejection>, cache: CacheOutcome) {
    let row = refused.map_or(0, |rejection| 1 + rejection.kind() as usize);
    if let Some(key) = DECISIONS.get(row).and_then(|row| row.get(cache as usize)) {
        with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
    }
}

pub(super) fn compared(difference: Option<Difference>) {
    comparison(difference.map_or("agreed", Difference::word));
}

pub(super) fn skipped() {
    comparison("skipped");
}

fn comparison(outcome: &'static str) {
    metrics::counter!(metric::SHADOW_COMPARISONS, "outcome" => outcome).increment(1);
}

/// The time an authorizer takes.
pub(super) struct Meter {
    gateway: Arc<Gateway>,
    keys: &'static LoadKeys,
    began: Duration,
    has_ended: bool,
}

impl Meter {
    pub(super) fn begin(gateway: &Arc<Gateway>, role: Role) -> Self {
        let keys: &LoadKeys = match role {
            Role::Alone | Role::Shared => &ENFORCING,
            Role::Shadow => &SHADOW,
        };
        with_recorder(|recorder| {
            recorder.register_counter(&keys.loads, &METADATA).increment(1);
            recorder.register_gauge(&keys.running, &METADATA).increment(1.0);
        });
        Self { gateway: Arc::clone(gateway), keys, began: gateway.watch.monotonic(), has_ended: false }
    }

    pub(super) fn end(&mut self, loaded: &Loaded) {
        self.has_ended = true;
        let row = loaded.as_ref().map_or_else(|rejection| 1 + rejection.kind() as usize, |_| 0);
        if let Some(key) = self.keys.ended.get(row) {
            self.record(key);
        }
    }

    fn record(&self, key: &Key) {
        let took = self.gateway.watch.monotonic().saturating_sub(self.began);
        with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(took));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if !self.has_ended {
            self.record(&self.keys.abandoned);
        }
        with_recorder(|recorder| recorder.register_gauge(&self.keys.running, &METADATA).decrement(1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_row_and_its_place_in_it() {
        for kind in RejectionKind::ALL {
            for cache in CACHE_OUTCOMES {
                let key = &DECISIONS[1 + kind as usize][cache as usize];
                assert_eq!(*key, decision(kind.as_str(), cache));
            }
        }
        assert_eq!(DECISIONS[0][CacheOutcome::Hit as usize], decision("allow", CacheOutcome::Hit));
        for kind in RejectionKind::ALL {
            let labels = [("role", "shadow"), ("outcome", kind.as_str())];
            assert_eq!(SHADOW.ended[1 + kind as usize], key(metric::LOAD_DURATION, &labels));
        }
        assert_eq!(DECISIONS.len(), 1 + RejectionKind::ALL.len());
    }
}
