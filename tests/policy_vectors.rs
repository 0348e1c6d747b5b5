//! Runs the policy vectors of `tests/vectors`. The README there describes their format.

#[path = "naive/mod.rs"]
mod naive;
#[path = "support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use tower_lambda_authorizer::policy::PolicyDocument;

use crate::naive::Verdict;
use crate::support::{Context, Question, stage};

/// Fewer than this means that files were lost.
const AT_LEAST: usize = 400;

/// One vector, as far as it could be read.
struct Vector {
    file: String,
    name: String,
    policy: String,
    question: Question,
    expect: Expect,
    location: Option<String>,
}

enum Expect {
    Verdict(Verdict),
    Malformed,
}

/// Takes `name` out of `members`, so that what stays behind is unknown.
fn text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name)? {
        Value::String(text) => Some(text),
        other => panic!("member `{name}` is a string, not {other}"),
    }
}

fn vector(file: &str, json: Value) -> Vector {
    let Value::Object(mut members) = json else { panic!("{file}: a vector is an object") };
    let name = text(&mut members, "name").unwrap_or_else(|| panic!("{file}: a vector without a name"));
    let at = format!("{file}: {name}");
    let policy = match (members.remove("policy"), text(&mut members, "policy_text")) {
        (Some(policy), None) => policy.to_string(),
        (None, Some(policy)) => policy,
        _ => panic!("{at}: expected one of `policy` and `policy_text`"),
    };
    let Some(Value::Object(mut request)) = members.remove("request") else { panic!("{at}: no request") };
    let question = Question {
        stage: text(&mut request, "stage")
            .and_then(|text| stage(&text))
            .unwrap_or_else(|| panic!("{at}: stage")),
        method: text(&mut request, "method").unwrap_or_else(|| panic!("{at}: method")),
        path: text(&mut request, "path").unwrap_or_else(|| panic!("{at}: path")),
        canonical_path: text(&mut request, "canonical_path"),
        sent_path: text(&mut request, "sent_path"),
        context: members.remove("context").map_or_else(Context::default, |context| {
            Context::from_json(&context).unwrap_or_else(|problem| panic!("{at}: {problem}"))
        }),
    };
    let expect = match text(&mut members, "expect").as_deref() {
        Some("allow") => Expect::Verdict(Verdict::Allow),
        Some("explicit_deny") => Expect::Verdict(Verdict::ExplicitDeny),
        Some("implicit_deny") => Expect::Verdict(Verdict::ImplicitDeny),
        Some("indeterminate") => Expect::Verdict(Verdict::Indeterminate),
        Some("malformed") => Expect::Malformed,
        other => panic!("{at}: expectation {other:?}"),
    };
    let location = text(&mut members, "location");
    assert!(
        location.is_none() || matches!(expect, Expect::Malformed),
        "{at}: only what is malformed has a location"
    );
    assert!(text(&mut members, "source").is_some_and(|source| !source.is_empty()), "{at}: no source");
    assert!(members.is_empty() && request.is_empty(), "{at}: unknown members {members:?} {request:?}");
    Vector { file: file.to_owned(), name, policy, question, expect, location }
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let Value::Object(mut members) = json else { panic!("{file}: a file is an object") };
        assert!(text(&mut members, "about").is_some(), "{file}: no `about`");
        let Some(Value::Array(list)) = members.remove("vectors") else { panic!("{file}: no `vectors`") };
        assert!(members.is_empty(), "{file}: unknown members {members:?}");
        all.extend(list.into_iter().map(|json| vector(&file, json)));
    }
    all
}

/// Runs `check` on every vector and reports all that fail.
fn each(check: impl Fn(&Vector) -> Result<(), String>) {
    let failures: Vec<String> = vectors()
        .iter()
        .filter_map(|v| check(v).err().map(|why| format!("{}: {}: {why}\n    {}", v.file, v.name, v.policy)))
        .collect();
    assert!(failures.is_empty(), "{} vectors failed\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn there_are_enough_vectors_and_each_has_a_name_of_its_own() {
    let vectors = vectors();
    assert!(vectors.len() >= AT_LEAST, "only {} vectors", vectors.len());
    let mut names = HashSet::new();
    for v in &vectors {
        assert!(names.insert(&v.name), "{}: the name `{}` is taken", v.file, v.name);
    }
}

/// One condition of a vector: its operator with set form and suffix apart, and what the request has of its key.
struct Tried {
    operator: String,
    set: String,
    if_exists: bool,
    has: &'static str,
    expect: String,
}

fn tried() -> Vec<Tried> {
    let mut all = Vec::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let statements = &vector["policy"]["Statement"];
            let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
            let conditions = statements.iter().filter_map(|statement| statement["Condition"].as_object());
            for (operator, keys) in conditions.flatten() {
                let (set, plain) = operator.split_once(':').unwrap_or(("", operator));
                let (plain, if_exists) =
                    plain.strip_suffix("IfExists").map_or((plain, false), |op| (op, true));
                for key in keys.as_object().into_iter().flatten().map(|(key, _)| key) {
                    let value = vector["context"].as_object().into_iter().flatten();
                    let value = value.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
                    all.push(Tried {
                        operator: plain.to_owned(),
                        set: set.to_owned(),
                        if_exists,
                        has: match value {
                            None => "absent",
                            Some((_, value)) if value["unavailable"] == true => "unavailable",
                            Some(_) => "there",
                        },
                        expect: vector["expect"].as_str().unwrap().to_owned(),
                    });
                }
            }
        }
    }
    all
}

/// Set form, `IfExists`, what the request has of the key; and an expectation, if only one will do.
const KINDS: [(&str, bool, &str, &str); 11] = [
    ("", false, "there", "allow"),
    ("", false, "there", "implicit_deny"),
    ("", false, "there", "malformed"),
    ("", false, "absent", ""),
    ("", false, "unavailable", "indeterminate"),
    ("", true, "there", ""),
    ("", true, "absent", ""),
    ("ForAnyValue", false, "there", ""),
    ("ForAnyValue", false, "absent", ""),
    ("ForAllValues", false, "there", ""),
    ("ForAllValues", false, "absent", ""),
];

#[rustfmt::skip]
const OPERATORS: [&str; 27] = [
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
    "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
    "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
    "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnNotEquals", "ArnLike",
    "ArnNotLike", "Null",
];

#[test]
fn every_operator_has_a_vector_of_each_kind() {
    let tried = tried();
    let mut missing = Vec::new();
    for operator in OPERATORS {
        // `Null` has no other forms.
        for (set, if_exists, has, expect) in &KINDS[..if operator == "Null" { 5 } else { KINDS.len() }] {
            let found = tried.iter().filter(|tried| tried.operator == operator).any(|tried| {
                let expected = match *expect {
                    // What is malformed is so whatever the request has.
                    "malformed" => return tried.expect == "malformed",
                    "" => tried.expect != "malformed",
                    expect => tried.expect == expect,
                };
                expected && tried.set == *set && tried.if_exists == *if_exists && tried.has == *has
            });
            if !found {
                missing.push(format!("{set}:{operator}, IfExists: {if_exists}, {has}, {expect}"));
            }
        }
    }
    assert!(missing.is_empty(), "no vector for\n{}", missing.join("\n"));
}

#[test]
fn every_vector_holds() {
    each(|v| {
        let policy = PolicyDocument::from_json(&v.policy);
        match (&v.expect, policy) {
            (Expect::Malformed, Ok(_)) => Err("malformed, and was accepted".to_owned()),
            (Expect::Malformed, Err(error)) => match &v.location {
                Some(location) if location != error.location() => {
                    Err(format!("expected a mistake at {location}, found `{error}`"))
                }
                _ => Ok(()),
            },
            (Expect::Verdict(_), Err(error)) => Err(format!("refused: {error}")),
            (Expect::Verdict(expected), Ok(policy)) => {
                let found = v.question.ask(&policy);
                if found == *expected {
                    Ok(())
                } else {
                    Err(format!("expected {expected:?}, found {found:?}"))
                }
            }
        }
    });
}

#[test]
fn printing_and_reading_again_changes_nothing() {
    each(|v| {
        let Expect::Verdict(expected) = &v.expect else { return Ok(()) };
        let policy = PolicyDocument::from_json(&v.policy).map_err(|error| error.to_string())?;
        let printed = serde_json::to_string(&policy).map_err(|error| error.to_string())?;
        let again = PolicyDocument::from_json(&printed).map_err(|error| format!("{error} in {printed}"))?;
        if again != policy {
            return Err(format!("printed as another document: {printed}"));
        }
        let found = v.question.ask(&again);
        if found == *expected { Ok(()) } else { Err(format!("printed, it says {found:?}: {printed}")) }
    });
}

/// The decision, the statement that settled it, and the explanation.
#[test]
fn the_naive_evaluator_agrees_with_every_vector() {
    each(|v| {
        let Expect::Verdict(expected) = &v.expect else { return Ok(()) };
        let policy = PolicyDocument::from_json(&v.policy).map_err(|error| error.to_string())?;
        let found = v.question.ask_both(&v.policy, &policy)?;
        if found == *expected { Ok(()) } else { Err(format!("expected {expected:?}, both found {found:?}")) }
    });
}
