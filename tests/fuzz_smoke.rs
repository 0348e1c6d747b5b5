//! The checks of the fuzz targets, on their seeds and on damaged copies of them: quick, the same in every run, and
//! without a fuzzer. `tests/fuzz` goes on from there.

#[path = "fuzz/checks/ask.rs"]
mod ask;
mod naive;
#[path = "hostile/reader.rs"]
mod reader;
mod support;

#[path = "fuzz/checks"]
mod checks {
    pub(crate) mod answer_parse;
    pub(crate) mod event_parse;
    pub(crate) mod expression;
    pub(crate) mod gateway_response;
    pub(crate) mod identity_source;
    #[cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    pub(crate) mod jwks;
    pub(crate) mod mapping;
    pub(crate) mod policy_evaluate;
    pub(crate) mod policy_parse;
    pub(crate) mod target;
    #[cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
    pub(crate) mod token;
}

use std::path::Path;

use serde_json::Value;

fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
}

fn read_json(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&std::fs::read_to_string(tests().join(path)).unwrap()).unwrap()
}

fn seeds(target: &str) -> Vec<String> {
    let seeds = read_json("fuzz/seeds.json");
    let seeds = seeds[target].as_array().unwrap_or_else(|| panic!("no seeds for {target}"));
    seeds.iter().map(|seed| seed.as_str().unwrap().to_owned()).collect()
}

/// One text in some, so that all topics are met.
fn policies() -> Vec<String> {
    let mut found = vec![];
    for entry in std::fs::read_dir(tests().join("vectors")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let file = read_json(&path);
            found.extend(file["vectors"].as_array().unwrap().iter().step_by(7).map(|vector| {
                vector["policy_text"].as_str().map_or_else(|| vector["policy"].to_string(), str::to_owned)
            }));
        }
    }
    found.sort();
    found
}

/// A copy with a few bytes changed, removed, repeated or taken from another seed.
fn damaged(random: &mut fastrand::Rng, seeds: &[String]) -> Vec<u8> {
    const WORDS: [&str; 22] = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "0",
        "-1e9",
        "%2F",
        "%00",
        "%zz",
        "..",
        "*",
        "${",
        "\n",
        "\u{e9}",
        "\0",
        "$context.",
    ];
    let mut bytes = seeds[random.usize(..seeds.len())].clone().into_bytes();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let until = (at + random.usize(..8)).min(bytes.len());
        match random.u8(..5) {
            0 => drop(bytes.drain(at..until)),
            1 => drop(bytes.splice(at..at, WORDS[random.usize(..WORDS.len())].bytes())),
            2 => {
                let copy = bytes[at..until].repeat(random.usize(1..20));
                drop(bytes.splice(at..at, copy));
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            _ => {
                let other = seeds[random.usize(..seeds.len())].as_bytes();
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
        }
    }
    bytes
}

fn run(seeds: &[String], count: usize, check: impl Fn(&[u8]) -> bool) {
    assert!(!seeds.is_empty());
    for seed in seeds {
        assert!(check(seed.as_bytes()), "a seed is not of the right form: {seed}");
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..count {
        check(&damaged(&mut random, seeds));
    }
}

fn text(check: impl Fn(&str) -> bool) -> impl Fn(&[u8]) -> bool {
    move |bytes| std::str::from_utf8(bytes).is_ok_and(&check)
}

#[test]
fn policies_are_read_or_refused() {
    run(&policies(), 5_000, text(checks::policy_parse::check));
}

#[test]
fn policies_are_evaluated_alike_by_both_evaluators() {
    let seeds: Vec<_> = policies()
        .into_iter()
        .filter(|policy| tower_lambda_authorizer::policy::PolicyDocument::from_json(policy).is_ok())
        .map(|policy| format!("GET /users/a%40b /users/a@b\n{{\"aws:username\":\"ada\"}}\n{policy}"))
        .collect();
    run(&seeds, 5_000, text(checks::policy_evaluate::check));
}

#[test]
fn events_are_read_or_refused() {
    let folder = std::fs::read_dir(tests().join("fixtures/events")).unwrap();
    let mut seeds: Vec<_> =
        folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    seeds.sort();
    run(&seeds, 5_000, text(checks::event_parse::check));
}

#[test]
fn answers_are_read_or_refused() {
    let table = read_json("fixtures/answers/answers.json");
    let rows = table.as_object().unwrap().values();
    let seeds: Vec<_> = rows.map(|row| row["answer"].as_str().unwrap().to_owned()).collect();
    run(&seeds, 5_000, checks::answer_parse::check);
}

#[test]
fn targets_have_the_arn_of_the_slow_reader() {
    run(&seeds("target"), 5_000, |bytes| {
        // Not every seed is a target that the `http` crate reads.
        text(checks::target::check)(bytes);
        true
    });
}

#[test]
fn identity_sources_are_read_or_refused() {
    run(&seeds("identity_source"), 20_000, text(checks::identity_source::check));
}

#[test]
fn mappings_are_read_or_refused() {
    run(&seeds("mapping"), 5_000, text(checks::mapping::check));
}

#[test]
fn expressions_are_linear_or_refused() {
    run(&seeds("expression"), 1_000, text(checks::expression::check));
}

#[test]
fn gateway_responses_repeat_values_or_are_refused() {
    run(&seeds("gateway_response"), 5_000, text(checks::gateway_response::check));
}

#[cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[test]
fn tokens_are_genuine_or_refused() {
    run(&seeds("token"), 5_000, text(checks::token::check));
}

#[cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#[test]
fn key_sets_are_read_or_refused() {
    run(&seeds("jwks"), 5_000, checks::jwks::check);
}
