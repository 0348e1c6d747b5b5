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

/// A key with labels is made in an allocation, and every request would make one.
static DECISIONS: LazyLock<Vec<[Key; CACHE_OUTCOMES.len()]>> = LazyLock::new(|| {
    let outcomes = std::iter::once("allow").chain(RejectionKind::ALL.iter().map(|kind| kind.as_str()));
    outcomes.map(|outcome| CACHE_OUTCOMES.map(|cache| decision(outcome, cache))).collect()
});

fn decision(outcome: &'static str, cache: CacheOutcome) -> Key {
    let labels = [("outcome", outcome), ("cache", cache.as_str())];
    let labels = labels.map(|(name, value)| Label::from_static_parts(name, value));
    Key::from_parts(metric::DECISIONS, Vec::from(labels))
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
    role: &'static str,
    began: Duration,
    has_ended: bool,
}

impl Meter {
    pub(super) fn begin(gateway: &Arc<Gateway>, role: Role) -> Self {
        let role = match role {
            Role::Alone | Role::Shared => "enforcing",
            Role::Shadow => "shadow",
        };
        metrics::counter!(metric::LOADS, "role" => role).increment(1);
        metrics::gauge!(metric::LOADS_RUNNING, "role" => role).increment(1.0);
        Self { gateway: Arc::clone(gateway), role, began: gateway.watch.monotonic(), has_ended: false }
    }

    pub(super) fn end(&mut self, loaded: &Loaded) {
        self.has_ended = true;
        self.record(match loaded {
            Ok(_) => "ok",
            Err(rejection) => rejection.kind().as_str(),
        });
    }

    fn record(&self, outcome: &'static str) {
        let took = self.gateway.watch.monotonic().saturating_sub(self.began);
        metrics::histogram!(metric::LOAD_DURATION, "role" => self.role, "outcome" => outcome).record(took);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if !self.has_ended {
            self.record("abandoned");
        }
        metrics::gauge!(metric::LOADS_RUNNING, "role" => self.role).decrement(1.0);
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
        assert_eq!(DECISIONS.len(), 1 + RejectionKind::ALL.len());
    }
}
