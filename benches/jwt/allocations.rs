//! What tokens allocate: `cargo bench --bench jwt_allocations --features jwt,testing`. The cases are those of the bench
//! `jwt`.
#![allow(missing_docs, reason = "a program")]

mod cases;

use std::alloc::System;

use cases::{Case, Group};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TIMES: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<44} {:>12} {:>14} {:>10}", "", "allocations", "reallocations", "bytes");
    for Group { name, cases } in cases::groups()? {
        println!("{name}");
        for Case { name, mut work } in cases {
            work.prepare(TIMES);
            work.run();
            work.prepare(TIMES);
            let region = Region::new(ALLOCATOR);
            work.run();
            let stats = region.change();
            let each = |total: usize| total as f64 / TIMES as f64;
            println!(
                "  {name:<42} {:>12.1} {:>14.1} {:>10.0}",
                each(stats.allocations),
                each(stats.reallocations),
                each(stats.bytes_allocated)
            );
        }
    }
    Ok(())
}
