//! What a decision costs: `cargo bench --bench policy`.
//!
//! Each line shows the fastest and the median time of one operation, and what it allocates. Of N statements the last
//! one matches, and one (none at N = 1) is a `Deny` that does not. *Head*: the others differ right behind the method;
//! *Tail*: behind wildcards that they share; *Stars*: between wildcards; *Mixed*: each has lengths of its own.
#![allow(missing_docs, reason = "a program")]

mod measure;

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use measure::measure;
use tower_lambda_authorizer::policy::{
    AccessRequest, BoundPolicy, ConditionContext, ConditionKey, ConditionValue, Decision, PolicyDocument,
    StageArn,
};

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/";
const PATH: &str = "/users/42/orders/1001";

fn main() {
    measure::heading();
    decisions();
    conditions();
    explanations();
    reading();
    hostile();
}

fn decisions() {
    for shape in ["Head", "Tail", "Stars", "Mixed"] {
        for count in [1, 10, 100, 1000] {
            let policy = bound(&policy(shape, count));
            assert_eq!(decide(&policy, PATH), Decision::Allow);
            measure(&format!("decide {shape:<5} N={count:<4} last matches"), || {
                decide(&policy, black_box(PATH))
            });
            if shape == "Head" {
                let other = "/nothing/42/orders/1001";
                assert_eq!(decide(&policy, other), Decision::ImplicitDeny);
                measure(&format!("decide {shape:<5} N={count:<4} none matches"), || {
                    decide(&policy, black_box(other))
                });
            }
            if shape == "Head" && count > 1 {
                let first = "/svc-0001/1/items/2";
                assert_eq!(decide(&policy, first), Decision::Allow);
                measure(&format!("decide {shape:<5} N={count:<4} first matches"), || {
                    decide(&policy, black_box(first))
                });
            }
        }
    }
}

fn conditions() {
    let allow = |condition: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"execute-api:Invoke",
                "Resource":"{STAGE}GET/*"{condition}}}}}"#
        );
        bound(&text)
    };
    for (name, condition) in [
        ("none", ""),
        ("IpAddress", r#","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#),
        ("StringEquals", r#","Condition":{"StringEquals":{"aws:UserAgent":"curl/8.0"}}"#),
        ("StringLike", r#","Condition":{"StringLike":{"aws:UserAgent":"curl/*"}}"#),
        ("Bool", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#),
        ("DateLessThan", r#","Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}"#),
        ("NumericLessThan", r#","Condition":{"NumericLessThan":{"app:level":"10"}}"#),
        ("Null", r#","Condition":{"Null":{"app:none":"true"}}"#),
        ("a variable", r#","Condition":{"StringEquals":{"aws:UserAgent":"${aws:UserAgent}"}}"#),
    ] {
        let policy = allow(condition);
        let decide = || {
            let request = AccessRequest::new("GET", black_box(PATH)).with_context(&Context);
            policy.evaluate(&request).decision()
        };
        assert_eq!(decide(), Decision::Allow, "{name}");
        measure(&format!("decide with a condition: {name}"), decide);
    }
}

fn explanations() {
    for count in [1, 10, 100, 1000] {
        let policy = bound(&policy("Head", count));
        let explain = || policy.explain(&AccessRequest::new("GET", black_box(PATH)));
        measure(&format!("explain N={count}"), explain);
        measure(&format!("explain N={count}, printed"), || explain().to_string());
    }
}

fn reading() {
    let stage = &*BOUND_TO;
    for count in [1, 10, 100, 1000] {
        let text = policy("Head", count);
        let size = text.len();
        measure(&format!("parse and bind N={count} ({size} bytes)"), || {
            PolicyDocument::from_json(black_box(&text)).map(|document| document.bind(stage)).ok()
        });
        let document = PolicyDocument::from_json(&text).expect("a good policy");
        measure(&format!("  yardstick: serde_json to a borrowed struct N={count}"), || {
            serde_json::from_str::<Plain<'_>>(black_box(&text)).ok()
        });
        measure(&format!("parse alone N={count}"), || PolicyDocument::from_json(black_box(&text)).ok());
        measure(&format!("bind alone N={count}"), || black_box(&document).bind(stage));
        measure(&format!("print N={count}"), || serde_json::to_string(black_box(&document)).ok());
    }
}

fn hostile() {
    let allow = |pattern: &str| {
        bound(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"{STAGE}GET/{pattern}"}}}}"#
        ))
    };
    let twelve = allow(&("*a".repeat(12) + "b"));
    let path = format!("/{}", "a".repeat(30));
    measure("12 stars against 30 characters", || decide(&twelve, black_box(&path)));
    let path = format!("/{}", "a".repeat(1539));
    let stars = allow(&("*a".repeat(224) + "b"));
    measure("512 bytes of stars against 1,600", || decide(&stars, black_box(&path)));
    let needle = allow(&("*".to_owned() + &"a".repeat(440) + "b*"));
    measure("one long needle against 1,600", || decide(&needle, black_box(&path)));
    let questions = allow(&("*?".to_owned() + &"a".repeat(440) + "b*"));
    measure("one long needle with `?` against 1,600", || decide(&questions, black_box(&path)));
    large();
}

/// Policies of 256 KiB, each the worst of its kind, asked for `HEAD` on a long path: every alias is compared.
fn large() {
    const SIZE: usize = 256 * 1024;
    let statement = |resource: &str, more: &str| {
        format!(r#"{{"Effect":"Deny","Action":"*","Resource":"{STAGE}{resource}"{more}}}"#)
    };
    let stuffed = |next: &dyn Fn(usize) -> String| {
        let mut text = String::from(r#"{"Version":"2012-10-17","Statement":["#);
        for number in 0.. {
            let next = next(number);
            if text.len() + next.len() > SIZE {
                break;
            }
            text.push_str(if number == 0 { "" } else { "," });
            text.push_str(&next);
        }
        text + "]}"
    };
    let keys: Vec<_> = (0..20_000).map(|number| format!(r#""k{number}":"v""#)).collect();
    let values = vec![r#""10.0.0.0/8""#; 18_000].join(",");
    let many_keys = format!(r#","Condition":{{"StringNotEquals":{{{}}}}}"#, keys.join(","));
    let many_values = format!(r#","Condition":{{"IpAddress":{{"aws:SourceIp":[{values}]}}}}"#);
    for (name, text) in [
        ("needles", stuffed(&|_| statement(&format!("GET/*{}b*", "a".repeat(400)), ""))),
        ("needles with `?`", stuffed(&|_| statement(&format!("GET/*?{}b*", "a".repeat(400)), ""))),
        (
            "lengths",
            stuffed(&|number| {
                let (front, back) = ("a".repeat(number % 211), "a".repeat(number % 199));
                statement(&format!("GET/{front}*{back}b"), "")
            }),
        ),
        ("stars", stuffed(&|_| statement(&format!("*{}aab*", "*a".repeat(200)), ""))),
        ("small", stuffed(&|_| r#"{"Effect":"Deny","Action":"*","Resource":"*:"}"#.to_owned())),
        ("condition keys", format!(r#"{{"Statement":[{}]}}"#, statement("*", &many_keys))),
        ("condition values", format!(r#"{{"Statement":[{}]}}"#, statement("*", &many_values))),
    ] {
        measure(&format!("256 KiB of {name}: parse"), || PolicyDocument::from_json(black_box(&text)).ok());
        let policy = bound(&text);
        let path = format!("/{}/", format!("{}b", "a".repeat(399)).repeat(4));
        let other = format!("{path}%40/");
        measure(&format!("256 KiB of {name}: decide"), || {
            let request = AccessRequest::new("HEAD", black_box(&other)).with_canonical_path(&path);
            policy.evaluate(&request.with_context(&Context)).decision()
        });
    }
    let nested = format!(r#"{{"Statement":{}"#, "[".repeat(SIZE));
    measure("256 KiB of brackets: refuse", || PolicyDocument::from_json(black_box(&nested)).is_err());
    let nested = format!(r#"{{"Statement":{{"Condition":{{"Bool":{{"k":{}"#, "[".repeat(SIZE));
    measure("256 KiB of brackets in a condition: refuse", || {
        PolicyDocument::from_json(black_box(&nested)).is_err()
    });
}

/// `count` statements of one shape.
fn policy(shape: &str, count: usize) -> String {
    let statements: Vec<_> = (1..=count)
        .map(|number| {
            let resource = match shape {
                _ if number == count => "GET/users/*/orders/*".to_owned(),
                "Head" => format!("GET/svc-{number:04}/*/items/*"),
                "Tail" => format!("GET/users/*/orders/*/item-{number:04}"),
                "Stars" => format!("GET/*/users/*/item-{number:04}/*/orders/*"),
                _ => {
                    let (front, back) = ("f".repeat(number % 61), "b".repeat(number % 53));
                    format!("GET/{front}{number:04}/*/{back}{number:04}")
                }
            };
            let effect = if number == 1 && count > 2 && shape != "Head" || number == 2 && number < count {
                "Deny"
            } else {
                "Allow"
            };
            format!(r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","Resource":"{STAGE}{resource}"}}"#)
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// A layer's stage is made once.
static BOUND_TO: LazyLock<StageArn> = LazyLock::new(|| {
    StageArn::new("aws", "us-east-1", "123456789012", "abcdef123", "prod").expect("a good stage")
});

fn bound(text: &str) -> BoundPolicy {
    PolicyDocument::from_json(text).expect("a good policy").bind(&BOUND_TO)
}

fn decide(policy: &BoundPolicy, path: &str) -> Decision {
    policy.evaluate(&AccessRequest::new("GET", path)).decision()
}

/// The least that can be read: no check, no copy.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only read")]
struct Plain<'a> {
    version: &'a str,
    #[serde(borrow)]
    statement: Vec<PlainStatement<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only read")]
struct PlainStatement<'a> {
    effect: &'a str,
    action: &'a str,
    resource: &'a str,
}

struct Context;

impl ConditionContext for Context {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        match key {
            ConditionKey::CurrentTime => (UNIX_EPOCH + Duration::from_secs(1_800_000_000)).into(),
            ConditionKey::SecureTransport => true.into(),
            ConditionKey::SourceIp => IpAddr::from([203, 0, 113, 9]).into(),
            ConditionKey::UserAgent => "curl/8.0".into(),
            ConditionKey::Other(name) if &**name == "app:level" => 7.into(),
            _ => ConditionValue::Absent,
        }
    }
}
