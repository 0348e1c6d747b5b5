//! Any text is read or refused, never worse; what was read prints as text that reads as the same.
#![no_main]

#[path = "../checks/policy_parse.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
