//! What the layer adds to a request: `cargo bench --bench overhead`.
//!
//! An axum router with a path parameter is asked for `GET /users/42` with ten headers and a token of 798 bytes, in one
//! process and without a socket: bare, behind layers that decide nothing, and behind ours. All cases are visited
//! round robin; the columns are the median, what it is over the bare router, and over the bare router's own time.
//! Nothing counts allocations meanwhile, since counting takes time: `cargo bench --bench allocations` does.
//! `cargo bench --bench overhead -- NAME` visits the bare router and the cases whose names hold NAME.
#![allow(missing_docs, reason = "a program")]

mod rounds;
mod scene;

use std::env;

fn main() {
    let rounds = env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(150);
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| name == "bare" || wanted.iter().any(|wanted| name.contains(wanted.as_str()));
    let mut cases = scene::overhead();
    cases.retain(|case| wanted.is_empty() || is_wanted(&case.name));
    let times = rounds::times(&mut cases, rounds);
    let bare = times.first().copied().unwrap_or_default();
    println!("{:<52} {:>9} {:>10} {:>7}", "", "median", "over bare", "ratio");
    for (case, time) in cases.iter().zip(times) {
        println!("{:<52} {time:>6.0} ns {:>+7.0} ns {:>7.2}", case.name, time - bare, time / bare);
    }
}
