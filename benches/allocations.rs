//! How often, and how much, a request and a decision allocate: `cargo bench --bench allocations`.
//!
//! The counts are exact. They are not taken by `overhead`, because counting takes time.
#![allow(missing_docs, reason = "a program")]

mod scene;

use std::alloc::System;

use scene::Case;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many times each case is done.
const TIMES: usize = 500;

fn main() {
    println!("{:<52} {:>11} {:>9} {:>10} {:>9}", "", "allocations", "over bare", "bytes", "over bare");
    let mut bare = None;
    for mut case in scene::overhead() {
        let (count, bytes) = allocated(&mut case);
        let (bare_count, bare_bytes) = *bare.get_or_insert((count, bytes));
        let (more, more_bytes) = (count - bare_count, bytes - bare_bytes);
        println!("{:<52} {count:>11.1} {more:>+9.1} {bytes:>10.0} {more_bytes:>+9.0}", case.name);
    }
    println!("\n{:<52} {:>11} {:>20}", "", "allocations", "bytes");
    for mut case in scene::alone::cases().into_iter().chain(scene::decisions()) {
        let (count, bytes) = allocated(&mut case);
        println!("{:<52} {count:>11.1} {bytes:>20.0}", case.name);
    }
}

/// Calls of the allocator for one, reallocations included, and the bytes they asked for.
fn allocated(case: &mut Case) -> (f64, f64) {
    case.work.prepare(TIMES);
    case.work.run();
    case.work.prepare(TIMES);
    let region = Region::new(ALLOCATOR);
    case.work.run();
    let stats = region.change();
    let times = TIMES as f64;
    ((stats.allocations + stats.reallocations) as f64 / times, stats.bytes_allocated as f64 / times)
}
