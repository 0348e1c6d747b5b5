//! Times many cases side by side: each is visited for a moment, round after round, so that whatever else the machine
//! does falls on all of them alike.

use std::time::{Duration, Instant};

use crate::scene::Case;

/// How long one visit takes. Its first batch is thrown away: it pays for what the case before left in the caches.
const VISIT: Duration = Duration::from_millis(2);

/// How many times the work is done between two readings of the clock.
const BATCH: usize = 64;

/// The median time of each case, in nanoseconds.
pub(crate) fn times(cases: &mut [Case], rounds: usize) -> Vec<f64> {
    let mut means: Vec<Vec<f64>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (case, means) in cases.iter_mut().zip(&mut means) {
            let visit = Instant::now();
            let batch = |case: &mut Case| {
                case.work.prepare(BATCH);
                let start = Instant::now();
                case.work.run();
                start.elapsed().as_secs_f64() * 1e9 / BATCH as f64
            };
            batch(case);
            while visit.elapsed() < VISIT {
                means.push(batch(case));
            }
        }
    }
    means.into_iter().map(median).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
