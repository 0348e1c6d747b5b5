//! Any text is read as an event or refused; what was read prints as JSON that reads as the same event.
#![no_main]

#[path = "../checks/event_parse.rs"]
mod check;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|text: &str| -> Corpus { if check::check(text) { Corpus::Keep } else { Corpus::Reject } });
