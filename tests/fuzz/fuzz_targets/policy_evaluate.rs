//! The library and the naive evaluator say the same.
#![no_main]

#[path = "../checks/policy_evaluate.rs"]
mod check;
#[path = "../../naive/mod.rs"]
mod naive;
#[path = "../../support/mod.rs"]
mod support;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
