//! How many instructions a request and a decision take: run by `.ci/instructions.py` under callgrind.
//!
//! Instructions are nearly the same at every run, unlike times, so they can be held against numbers that were written
//! down. Only what happens inside of `collected` is counted; callgrind writes a file for each call of it, in the order
//! of the names that are printed. `cargo bench --bench instructions -- NAME` runs the cases whose names hold NAME.
#![allow(missing_docs, reason = "a program")]

mod scene;

use std::env;
use std::hint::black_box;

use scene::Work;

/// How many times each case is done.
const TIMES: usize = 500;

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut cases = scene::overhead();
    cases.extend(scene::alone::cases());
    cases.extend(scene::decisions());
    cases.retain(|case| wanted.is_empty() || wanted.iter().any(|wanted| case.name.contains(wanted.as_str())));
    for case in &mut cases {
        // Whatever happens once only is over then.
        case.work.prepare(TIMES);
        case.work.run();
        case.work.prepare(TIMES);
        let times = collected(case.work.as_mut());
        println!("{times}\t{}", case.name);
    }
}

/// Returns something, so that the call is not the end of it: callgrind has to see it being left.
#[inline(never)]
fn collected(work: &mut dyn Work) -> usize {
    work.run();
    black_box(TIMES)
}
