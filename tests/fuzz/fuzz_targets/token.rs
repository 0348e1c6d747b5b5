//! No text is taken for a token but those that were really signed, and a signature makes no good claims of bad ones.
#![no_main]

#[path = "../checks/token.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
