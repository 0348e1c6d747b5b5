//! Times many cases side by side: each is visited for a moment, round after round, so that whatever else the machine
//! does falls on all of them alike.

use std::time::{Duration, Instant};

use crate::scene::Case;

/// How long one visit takes. Its first batch is thrown away: it pays for what the case before left in the caches.
const VISIT: Duration = Duration::from_millis(2);

/// How many times the work is done at most between two readings of the clock.
const BATCH: usize = 64;

/// The median time of each case, in nanoseconds.
pub(crate) fn times(cases: &mut [Case], rounds: usize) -> Vec<f64> {
    let mut means: Vec<Vec<f64>> = cases.iter().map(|_| Vec::new()).collect();
    let batches: Vec<usize> = cases.iter_mut().map(batch_of).collect();
    for _ in 0..rounds {
        for ((case, means), batch) in cases.iter_mut().zip(&mut means).zip(&batches) {
            let visit = Instant::now();
            time(case, *batch);
            loop {
                means.push(time(case, *batch));
                if visit.elapsed() >= VISIT {
                    break;
                }
            }
        }
    }
    means.into_iter().map(median).collect()
}

/// As many as fit into an eighth of a visit.
fn batch_of(case: &mut Case) -> usize {
    let eighth = VISIT.as_secs_f64() * 1e9 / 8.0;
    (eighth / time(case, 2)).clamp(1.0, BATCH as f64) as usize
}

/// The mean time of one.
fn time(case: &mut Case, times: usize) -> f64 {
    case.work.prepare(times);
    let start = Instant::now();
    case.work.run();
    start.elapsed().as_secs_f64() * 1e9 / times as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
