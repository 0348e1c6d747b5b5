//! Any gateway response is refused when it is built, or repeats a request as values: a JSON template stays JSON, and no
#![no_main]

#[path = "../checks/ask.rs"]
mod ask;
#[path = "../checks/gateway_response.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
