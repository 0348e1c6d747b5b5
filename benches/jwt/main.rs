//! What tokens cost: `cargo bench --bench jwt --features jwt,testing`.
//!
//! For each algorithm the same token, of about 900 bytes with RS256, goes three ways: through a bare `decode` of
//! `jsonwebtoken`, which checks the signature, issuer, audience and expiry; through our authorizer, as an event; and
//! in a request through the whole layer, which also makes the event, checks the answer, compiles the policy and decides.
//! Then a request whose answer is cached, beside one of an authorizer that does nothing.
//!
//! All are visited round robin in one process, and the last column is the ratio of the median to that of the first
//! line of the group. Nothing counts allocations meanwhile, since counting takes time: `cargo bench --bench
//! jwt_allocations` does.
#![allow(missing_docs, reason = "a program")]

mod cases;

use std::time::{Duration, Instant};

use cases::{Case, Group};

/// How long one visit takes. What it does first is not counted: it pays for what the case before left in the caches.
const VISIT: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(200);
    println!("{:<44} {:>10} {:>10} {:>7}", "", "fastest", "median", "ratio");
    for Group { name, mut cases } in cases::groups()? {
        let times = times(&mut cases, rounds);
        let (_, first) = times.first().copied().unwrap_or_default();
        println!("{name}");
        for (case, (fastest, median)) in cases.iter().zip(times) {
            println!("  {:<42} {fastest:>7.0} ns {median:>7.0} ns {:>7.3}", case.name, median / first);
        }
    }
    Ok(())
}

/// The fastest and the median time of each case, in nanoseconds.
fn times(cases: &mut [Case], rounds: usize) -> Vec<(f64, f64)> {
    let mut means: Vec<Vec<f64>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (case, means) in cases.iter_mut().zip(&mut means) {
            let visit = Instant::now();
            batch(case);
            means.push(batch(case));
            while visit.elapsed() < VISIT {
                means.push(batch(case));
            }
        }
    }
    means.into_iter().map(fastest_and_median).collect()
}

/// How long each of a few takes, in nanoseconds.
fn batch(case: &mut Case) -> f64 {
    const SIZE: usize = 8;
    case.work.prepare(SIZE);
    let start = Instant::now();
    case.work.run();
    start.elapsed().as_secs_f64() * 1e9 / SIZE as f64
}

fn fastest_and_median(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    (at(0), at(values.len() / 2))
}
