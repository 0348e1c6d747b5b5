//! Any `identityValidationExpression` is refused when the layer is built, or judges a token in time linear to it.
#![no_main]

#[path = "../checks/ask.rs"]
mod ask;
#[path = "../checks/expression.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
