//! Any bytes are read as an answer or refused, by the rules of each kind of API; what was read prints as JSON that reads
#![no_main]

#[path = "../checks/answer_parse.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &[u8]| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
