//! Any request target is refused or has the ARN that the slow reader gives it, and just that one is allowed.
#![no_main]

#[path = "../checks/ask.rs"]
mod ask;
#[path = "../checks/target.rs"]
mod check;
#[path = "../../hostile/reader.rs"]
mod reader;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
