//! How often, and how much, a request and a decision allocate: `cargo bench --bench allocations`.
//!
//! The counts are exact. They are not taken by `overhead`, because counting takes time.
#![allow(missing_docs, reason = "a program")]

mod scene;

use std::alloc::System;

use scene::alone::Nothing;
use scene::weighed::Weighed;
use scene::{Case, ask, head, layers, request};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::Layer;
use tower_lambda_authorizer::cache::CacheKey;
use tower_lambda_authorizer::policy::BoundPolicy;

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
    cached();
}

/// What an answer of two statements takes for as long as it is kept, beside the key and the policy.
fn cached() {
    const ENTRIES: usize = 100_000;
    let cache = Weighed::new(ENTRIES);
    let service = layers::building(cache.clone()).layer(Nothing);
    let region = Region::new(ALLOCATOR);
    for token in 0..ENTRIES {
        assert_eq!(ask(&service, request(&head(token))).status(), 200);
    }
    let stats = region.change();
    let each = |bytes: usize| bytes as f64 / cache.len() as f64;
    let taken = each(stats.bytes_allocated.saturating_sub(stats.bytes_deallocated));
    let texts = each(cache.heap_bytes());
    let structs = (size_of::<CacheKey>() + size_of::<BoundPolicy>()) as f64;
    println!(
        "\na cached answer, one of {}: {taken:.0} bytes, of which {:.0} are its key and its policy, {:.0} all else",
        cache.len(),
        texts + structs,
        taken - texts - structs
    );
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
