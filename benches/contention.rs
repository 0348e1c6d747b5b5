//! A layer and its cache under load: `cargo bench --bench contention`.
//!
//! Hits from several threads, hits among misses, and what cached answers take in memory: a million of them, or as many
//! as the environment variable `ENTRIES` says. The service behind the layer does nothing.
#![allow(missing_docs, reason = "a program")]

mod scene;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, fs, thread};

use axum::body::Body;
use http::Request;
use scene::alone::Nothing;
use scene::weighed::Weighed;
use scene::{Head, TOKEN, ask, head, layers, request};
use tower::Layer;
use tower_lambda_authorizer::AuthorizerLayer;

/// How many requests all threads together make in one measurement.
const REQUESTS: usize = 32_000;
const REPETITIONS: usize = 9;

fn main() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores; the time of one core for one request, the median of {REPETITIONS}\n");
    let heads: Vec<Head> = (0..1000).map(head).collect();
    let known = |number: usize| heads.get(number % heads.len()).map(request).unwrap_or_default();
    let hot = layers::cached(layers::ALLOW);
    let one = time(&hot, 1, cores, |_| known(TOKEN));
    let print = |what: &str, time: f64| println!("{what:<48} {time:>8.0} ns {:>7.2}", time / one);
    for threads in [1, 2, 4, 16] {
        print(
            &format!("one token, hits from {threads} threads"),
            time(&hot, threads, cores, |_| known(TOKEN)),
        );
    }
    for threads in [1, 2] {
        print(
            &format!("1,000 tokens in turn, hits from {threads} threads"),
            time(&hot, threads, cores, known),
        );
    }
    for percent in [99, 50, 0] {
        let layer = layers::cached(layers::ALLOW);
        let fresh = AtomicUsize::new(heads.len());
        let time = time(&layer, 2, cores, |number| match number % 100 < percent {
            true => known(number),
            false => request(&head(fresh.fetch_add(1, Ordering::Relaxed))),
        });
        print(&format!("{percent} % hits, from 2 threads"), time);
    }
    memory();
}

/// The median time of one core for one request.
fn time(
    layer: &AuthorizerLayer,
    threads: usize,
    cores: usize,
    make: impl Fn(usize) -> Request<Body> + Sync,
) -> f64 {
    let each = REQUESTS / threads;
    let mut times: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            // All requests are made before the first is asked.
            let barrier = Barrier::new(threads + 1);
            let service = layer.layer(Nothing);
            thread::scope(|scope| {
                let running: Vec<_> = (0..threads)
                    .map(|thread| {
                        let (service, make, barrier) = (service.clone(), &make, &barrier);
                        scope.spawn(move || {
                            let requests: Vec<_> =
                                (0..each).map(|number| make(thread * each + number)).collect();
                            barrier.wait();
                            for request in requests {
                                assert_eq!(ask(&service, request).status(), 200);
                            }
                        })
                    })
                    .collect();
                barrier.wait();
                let start = Instant::now();
                for thread in running {
                    thread.join().expect("no thread panics");
                }
                start.elapsed().as_secs_f64() * 1e9 * threads.min(cores) as f64 / (each * threads) as f64
            })
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times.get(REPETITIONS / 2).copied().unwrap_or_default()
}

/// What so many answers take, beside the text of their keys and what their policies say they take.
fn memory() {
    let entries: usize =
        env::var("ENTRIES").ok().and_then(|entries| entries.parse().ok()).unwrap_or(1_000_000);
    let cache = Weighed::new(entries);
    let service = layers::building(cache.clone()).layer(Nothing);
    let before = resident();
    let start = Instant::now();
    for token in 0..entries {
        assert_eq!(ask(&service, request(&head(token))).status(), 200);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let kept = cache.len();
    let each = |bytes: usize| bytes as f64 / kept as f64;
    let (taken, counted) = (each(resident().saturating_sub(before)), each(cache.heap_bytes()));
    println!("\n{entries} answers asked for in {elapsed:.1} s, {kept} kept");
    println!(
        "{taken:.0} bytes each, as the system says: {counted:.0} of key and answer on the heap, {:.0} beside them",
        taken - counted
    );
    let start = Instant::now();
    for token in (0..entries).step_by(entries.div_ceil(100_000)) {
        assert_eq!(ask(&service, request(&head(token))).status(), 200);
    }
    println!(
        "{:.0} ns for a request, most of them hits\n",
        start.elapsed().as_secs_f64() * 1e9 / entries.min(100_000) as f64
    );
}

/// The memory of this process, as Linux says; nothing elsewhere.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}
