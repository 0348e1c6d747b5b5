//! What the layer and its policies cost beside what else there is: `cargo run --release` in this folder, and with
//! `--features allocations` how often everything allocates. The scene is that of the library's own benchmarks.

mod decisions;
mod layers;
#[cfg(not(feature = "allocations"))]
#[path = "../../rounds/mod.rs"]
mod rounds;
#[path = "../../scene/mod.rs"]
mod scene;

use scene::Case;

fn main() {
    let mut requests = vec![scene::others::bare()];
    requests.extend(scene::others::layers());
    requests.extend(layers::cases());
    requests.extend(scene::layers::hits());
    print("requests", &mut requests);
    for count in [1, 10, 100, 1000] {
        print(&format!("a decision among {count}"), &mut decisions::decisions(count));
        print(&format!("{count} statements read"), &mut decisions::readers(count));
    }
}

#[cfg(not(feature = "allocations"))]
fn print(heading: &str, cases: &mut [Case]) {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50);
    let times = rounds::times(cases, rounds);
    let first = times.first().copied().unwrap_or_default();
    println!("\n{heading:<52} {:>13} {:>15} {:>9}", "median", "over the first", "ratio");
    for (case, time) in cases.iter().zip(times) {
        println!("{:<52} {time:>10.1} ns {:>+12.1} ns {:>9.2}", case.name, time - first, time / first);
    }
}

#[cfg(feature = "allocations")]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

#[cfg(feature = "allocations")]
fn print(heading: &str, cases: &mut [Case]) {
    const TIMES: usize = 100;
    println!("\n{heading:<52} {:>13} {:>15}", "allocations", "bytes");
    for case in cases {
        case.work.prepare(TIMES);
        case.work.run();
        case.work.prepare(TIMES);
        let region = stats_alloc::Region::new(ALLOCATOR);
        case.work.run();
        let stats = region.change();
        let one = |count: usize| count as f64 / TIMES as f64;
        let count = one(stats.allocations + stats.reallocations);
        println!("{:<52} {count:>13.1} {:>15.0}", case.name, one(stats.bytes_allocated));
    }
}
