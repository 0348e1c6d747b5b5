//! Any text is a list of identity sources or not; what is one prints as the same.
#![no_main]

#[path = "../checks/identity_source.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
