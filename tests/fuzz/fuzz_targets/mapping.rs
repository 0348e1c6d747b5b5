//! Any rule is refused when it is given, or does nothing to a request but what it says.
#![no_main]

#[path = "../checks/ask.rs"]
mod ask;
#[path = "../checks/mapping.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
