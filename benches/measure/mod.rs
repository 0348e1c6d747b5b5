//! Times and counts one operation.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What the columns mean.
pub(crate) fn heading() {
    println!("{:<52} {:>10} {:>10} {:>12}", "", "fastest", "median", "allocations");
}

/// Prints what one call costs.
pub(crate) fn measure<T>(name: &str, mut call: impl FnMut() -> T) {
    const ROUNDS: usize = 31;
    let mut batch = 1_u32;
    while time(batch, &mut call) < Duration::from_millis(2) {
        batch *= 2;
    }
    let mut rounds: Vec<_> =
        (0..ROUNDS).map(|_| time(batch, &mut call).as_secs_f64() / f64::from(batch)).collect();
    rounds.sort_unstable_by(f64::total_cmp);
    let region = Region::new(ALLOCATOR);
    black_box(call());
    let stats = region.change();
    let allocations = stats.allocations + stats.reallocations;
    let nanoseconds = |seconds: Option<&f64>| seconds.map_or(0.0, |seconds| seconds * 1e9);
    println!(
        "{name:<52} {:>7.1} ns {:>7.1} ns {allocations:>12}",
        nanoseconds(rounds.first()),
        nanoseconds(rounds.get(ROUNDS / 2))
    );
}

fn time<T>(batch: u32, call: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..batch {
        black_box(call());
    }
    start.elapsed()
}
