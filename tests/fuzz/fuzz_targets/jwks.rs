//! Any bytes are refused as a key set, or are one of which only such keys are taken as the rules allow.
#![no_main]

#[path = "../checks/jwks.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus { if check::check(bytes) { Corpus::Keep } else { Corpus::Reject } });
