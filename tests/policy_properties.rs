//! Properties of the policy evaluator, on generated policies and requests; above all, that it says the same as the
//! naive evaluator.

#[path = "naive/mod.rs"]
mod naive;
#[path = "support/mod.rs"]
mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use tower_lambda_authorizer::policy::PolicyDocument;

use crate::naive::Verdict;
use crate::support::{Context, Question, stage};

/// For the comparison with the naive evaluator. The other properties run a tenth of it.
const CASES: u32 = 10_000;

/// Every verdict has to be given in at least this share of the cases, or the generator tests nothing.
const LEAST_SHARE: f64 = 0.03;

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/";

const METHODS: [&str; 4] = ["GET", "GET", "HEAD", "POST"];

/// A path in the ARN's spelling, and the same with every reserved escape decoded where that differs.
type Path = (&'static str, Option<&'static str>);

const PATHS: [Path; 19] = [
    ("/", None),
    ("/a", None),
    ("/a/", None),
    ("/a/b", None),
    ("/a/b/", None),
    ("/b/a", None),
    ("/ab", None),
    ("/aab", None),
    ("/users/ada", None),
    ("/users/bob", None),
    ("/users/ada/", None),
    ("/users/ada/a", None),
    ("/a@b", None),
    ("/a%40b", Some("/a@b")),
    ("/a%40b/", Some("/a@b/")),
    ("/a:b%2Fc%3A", Some("/a:b%2Fc:")),
    ("/%C3%A9%20%2A", None),
    ("/a%2Ab", None),
    ("/x:y/one", None),
];

/// What clients may send. It need not be about the path above: both evaluators take it as it is.
const SENT: [&str; 10] = [
    "/a%40b",
    "/%C3%A9%20*",
    "/a*b",
    "/users/*",
    "/users/{",
    "/x%3ay/one",
    "/users/alice%2a",
    "/users/a b/",
    "/a%2ab/",
    "/?",
];

#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    path: Path,
    sent: Option<&'static str>,
    context: Value,
}

impl Request {
    fn question(&self, stage_arn: &str) -> Question {
        Question {
            stage: stage(stage_arn).unwrap(),
            method: self.method.to_owned(),
            path: self.path.0.to_owned(),
            canonical_path: self.path.1.map(str::to_owned),
            sent_path: self.sent.map(str::to_owned),
            context: Context::from_json(&self.context).unwrap(),
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![19 => select(&METHODS[..]), 1 => Just("CONNECT")];
    let sent = proptest::option::weighted(0.3, select(&SENT[..]));
    (method, select(&PATHS[..]), sent, context()).prop_map(|(method, path, sent, context)| Request {
        method,
        path,
        sent,
        context,
    })
}

// ---------------------------------------------------------------- context

/// The kinds of values that operators compare.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Number,
    Date,
    Bool,
    Address,
    Arn,
}

const KINDS: [Kind; 6] = [Kind::Text, Kind::Number, Kind::Date, Kind::Bool, Kind::Address, Kind::Arn];

impl Kind {
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["app:text", "aws:UserAgent", "aws:username"],
            Self::Number => &["app:number"],
            Self::Date => &["app:date", "aws:CurrentTime"],
            Self::Bool => &["aws:SecureTransport", "app:flag"],
            Self::Address => &["aws:SourceIp"],
            Self::Arn => &["aws:SourceArn"],
        }
    }

    const fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
                "BinaryEquals",
            ],
            Self::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Self::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Self::Bool => &["Bool"],
            Self::Address => &["IpAddress", "NotIpAddress"],
            Self::Arn => &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        }
    }

    /// What a request may say.
    const fn values(self) -> &'static [&'static str] {
        match self {
            Self::Text => {
                &["ada", "bob", "ADA", "a*", "", "a/b", "a@b", "é *", "${app:text}", "%61", "a%40b"]
            }
            Self::Number => &["1", "1.0", "-0", "0", "-1.5", "10", "9.99", "007", "ten", "1e1", ""],
            Self::Date => &[
                "2024-05-01",
                "2024-05-01T00:00:00Z",
                "2024-05-01T02:00:00.0+02:00",
                "1714521600",
                "1999-12-31T23:59Z",
                "2024-05-01T00:00:00.000000001Z",
                "2024",
                "soon",
            ],
            Self::Bool => &["true", "false", "TRUE", "yes", ""],
            Self::Address => {
                &["10.0.0.1", "::ffff:10.0.0.1", "192.0.2.7", "2001:db8::1", "::1", "here", "10.0.0.1:80"]
            }
            Self::Arn => &[
                "arn:aws:sns:us-east-1:1:topic",
                "arn:aws:sns:us-east-1:1:topic:sub",
                "arn:aws:s3:::ada/x",
                "arn:aws:s3",
                "topic",
                "x:a:b:c:d:e",
            ],
        }
    }

    /// What a policy may compare with.
    const fn literals(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "ada",
                "b?b",
                "a*",
                "*",
                "",
                "Ada",
                "${aws:username}",
                "${app:text}*",
                "${nobody:home}",
                "${nobody:home, 'ada'}",
                "${aws:UserAgent}${aws:username}",
                "${*}",
                "a${*}",
                "é *",
            ],
            Self::Number => &["0", "1", "1.000", "10", "-1.50", "9.990", "00", "10000.0"],
            Self::Date => &[
                "2024-05-01",
                "2024-05-01T00:00Z",
                "1714521600",
                "2024-05-01T00:00:00.5-00:30",
                "1999-12",
                "9999-12-31T23:59:59Z",
            ],
            Self::Bool => &["true", "false", "False", "${app:flag}"],
            Self::Address => {
                &["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "2001:db8::/32", "::/0", "::ffff:10.0.0.0/104"]
            }
            Self::Arn => &[
                "arn:aws:sns:*:*:*",
                "arn:aws:s?s:us-*:1:topic",
                "arn:aws:s3:::${aws:username}/*",
                "arn:*",
                "*:*:*:*:*:*",
                "arn:aws:sns:us-east-1:1:topic",
            ],
        }
    }

    const fn typed(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Arn => &["10000"],
            Self::Number => &["10000", "1714521600"],
            Self::Date => &[r#"{"epoch": 1714521600}"#, r#"{"epoch": 1800000000}"#],
            Self::Bool => &["true", "false"],
            Self::Address => {
                &[r#"{"ip": "10.0.0.1"}"#, r#"{"ip": "::ffff:10.0.0.1"}"#, r#"{"ip": "2001:db8::1"}"#]
            }
        }
    }
}

fn context() -> impl Strategy<Value = Value> {
    let keys: Vec<(&str, Kind)> =
        KINDS.iter().flat_map(|kind| kind.keys().iter().map(move |key| (*key, *kind))).collect();
    let members: Vec<_> = keys.into_iter().map(|(key, kind)| (Just(key), key_value(kind))).collect();
    members.prop_map(|members| {
        let present = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(present.collect())
    })
}

/// What the request says about a key; `None` is nothing.
fn key_value(kind: Kind) -> impl Strategy<Value = Option<Value>> {
    let typed: Vec<Value> = kind.typed().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    prop_oneof![
        2 => Just(None),
        9 => Just(Some(json!({"unavailable": true}))),
        6 => select(kind.values()).prop_map(|text| Some(json!(text))),
        1 => vec(select(kind.values()), 0..3).prop_map(|texts| Some(json!(texts))),
        2 => select(typed).prop_map(Some),
    ]
}

// ---------------------------------------------------------------- conditions

fn conditions() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        3 => vec(condition(), 0..3).prop_map(|list| {
            let mut operators = Map::new();
            for (operator, key, values) in list {
                let keys = operators.entry(operator).or_insert_with(|| json!({}));
                keys[key] = values;
            }
            Some(Value::Object(operators))
        }),
    ]
}

fn condition() -> impl Strategy<Value = (String, &'static str, Value)> {
    let kinds = prop_oneof![3 => Just(Kind::Text), 5 => select(&KINDS[..])];
    prop_oneof![
        9 => kinds.prop_flat_map(|kind| {
            // Now and then an operator reads a key of another kind.
            let key = prop_oneof![9 => Just(kind), 1 => select(&KINDS[..])];
            let key = key.prop_flat_map(|kind| select(kind.keys()));
            (set(), select(kind.operators()), any::<bool>(), key, values(kind))
        })
        .prop_map(|(set, operator, if_exists, key, values)| {
            let values = if operator == "BinaryEquals" { json!(["YWRh", "", "w6kgKg=="]) } else { values };
            (format!("{set}{operator}{}", if if_exists { "IfExists" } else { "" }), key, values)
        }),
        1 => (select(&KINDS[..]).prop_flat_map(|kind| select(kind.keys())), values(Kind::Bool))
            .prop_filter("Null takes no variables", |(_, values)| !values.to_string().contains('$'))
            .prop_map(|(key, values)| ("Null".to_owned(), key, values)),
    ]
}

fn set() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just("ForAnyValue:"), 1 => Just("ForAllValues:")]
}

/// Without variables `Bool` takes no `${…}`; [`statement`] sees to the version.
fn values(kind: Kind) -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => select(kind.literals()).prop_map(|text| json!(text)),
        1 => vec(select(kind.literals()), 1..3).prop_map(|texts| json!(texts)),
    ]
}

// ---------------------------------------------------------------- resources

/// A path pattern that is often about `near` or another name of it.
fn path_pattern(near: Path) -> impl Strategy<Value = String> {
    let (sent, canonical) = near;
    let with_slash = format!("{sent}/");
    let names = vec![
        sent.to_owned(),
        sent.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&with_slash).to_owned(),
        canonical.unwrap_or(sent).to_owned(),
        sent.replace('@', "%40").replace(':', "%3a"),
    ];
    let path = prop_oneof![
        3 => Just(sent.to_owned()),
        2 => select(names),
        3 => select(&PATHS[..]).prop_map(|(path, _)| path.to_owned()),
    ];
    let cut = (path.clone(), any::<Index>(), any::<Index>(), select(&["*", "?", "**", "*?"][..]));
    let cut = cut.prop_map(|(path, from, to, wildcard)| {
        let (from, to) = (from.index(path.len()), to.index(path.len() + 1));
        format!("{}{wildcard}{}", &path[..from], &path[to.max(from)..])
    });
    let respelled = (path.clone(), any::<Index>()).prop_map(|(path, at)| {
        let at = at.index(path.len());
        let byte = path.as_bytes()[at];
        if byte == b'/' || byte == b'%' {
            path.to_lowercase().replace("%c3%a9", "é")
        } else {
            format!("{}%{byte:02x}{}", &path[..at], &path[at + 1..])
        }
    });
    prop_oneof![
        4 => path,
        4 => cut,
        2 => respelled,
        1 => select(&[
            "/users/${aws:username}",
            "/users/${aws:username}/*",
            "/${app:text}/",
            "/a${*}b",
            "/${nobody:home}",
            "/${app:text, '*'}",
            "/${app:text}${aws:username}",
            "/users/${nobody:home, 'ada'}",
            "/*${app:text}",
            "/x:y/${nobody:home, 'one'}",
            "/x:y/${app:text}",
        ][..]).prop_map(str::to_owned),
    ]
}

/// A resource of this stage.
fn own_resource(near: Path) -> impl Strategy<Value = String> {
    let method = select(&["GET", "GET", "HEAD", "*", "POST", "?ET", "CONNECT"][..]);
    (method, path_pattern(near)).prop_map(|(method, path)| format!("{STAGE}{method}{path}"))
}

/// The same with a `*` that has to run past so many colons, as far as a variable in it allows.
fn running_past_colons(resource: &str, colons: usize) -> String {
    let fields = ["us-east-1", "us-east-1:123456789012", "us-east-1:123456789012:abcdef"];
    let star = |colons: usize| resource.replacen(fields[colons], "*", 1);
    let is_accepted =
        |text: &String| text.split_once("${").is_none_or(|(before, _)| before.matches(':').count() >= 5);
    (0..=colons).rev().map(star).find(is_accepted).expect("the last one has all of its colons")
}

fn resource(near: Path) -> BoxedStrategy<String> {
    prop_oneof![
        12 => own_resource(near),
        3 => select(&[
            "*",
            "arn:aws:execute-api",
            "arn:aws:execute-api:*",
            "arn:aws:*:us-*:*:abcdef/*",
            "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/*",
            "arn:aws:execute-api:*:*:*/GET/*",
            "*:*:*:*:*:*/?rod/GET/a*",
        ][..]).prop_map(str::to_owned),
        2 => (own_resource(near), 0_usize..3).prop_map(|(text, fields)| running_past_colons(&text, fields)),
        1 => own_resource(near).prop_map(|text| text.replace("/prod/", "/dev/")),
        1 => own_resource(near).prop_map(|text| text.replace("us-east-1", "eu-west-1")),
        1 => own_resource(near).prop_map(|text| text.replace("abcdef/prod/", "*/")),
    ]
    .boxed()
}

// ---------------------------------------------------------------- policies

fn one_or_many(list: Vec<String>) -> Value {
    match <[String; 1]>::try_from(list) {
        Ok([one]) => json!(one),
        Err(list) => json!(list),
    }
}

fn action() -> impl Strategy<Value = (&'static str, Value)> {
    const ACTIONS: &[&str] = &["execute-api:Invoke", "execute-api:*", "*", "EXECUTE-api:inv?ke"];
    prop_oneof![
        10 => select(ACTIONS).prop_map(|text| ("Action", json!(text))),
        1 => select(&["s3:*", "execute-api:ManageConnections"][..]).prop_map(|text| ("Action", json!(text))),
        1 => Just(("Action", json!(["s3:*", "execute-api:Invoke"]))),
        1 => Just(("Action", json!([]))),
        1 => Just(("NotAction", json!("s3:*"))),
        1 => Just(("NotAction", json!(["s3:*", "*:Invoke"]))),
    ]
}

/// The resource element, from entries of the given kind.
fn resources(entry: BoxedStrategy<String>, negated: bool) -> BoxedStrategy<(&'static str, Value)> {
    let list = vec(entry.clone(), 1..4).prop_map(|list| ("Resource", one_or_many(list)));
    if !negated {
        return list.boxed();
    }
    prop_oneof![
        12 => list,
        1 => Just(("Resource", json!([]))),
        3 => vec(entry, 1..3).prop_map(|list| ("NotResource", one_or_many(list))),
    ]
    .boxed()
}

fn statement(
    effect: impl Strategy<Value = &'static str>,
    resources: impl Strategy<Value = (&'static str, Value)>,
) -> impl Strategy<Value = Value> {
    (effect, action(), resources, conditions()).prop_map(|(effect, action, resource, conditions)| {
        let mut statement = json!({"Effect": effect, action.0: action.1, resource.0: resource.1});
        if let Some(conditions) = conditions {
            statement["Condition"] = conditions;
        }
        statement
    })
}

fn any_statement(near: Path) -> impl Strategy<Value = Value> {
    statement(select(&["Allow", "Deny"][..]), resources(resource(near), true))
}

fn document(statements: impl Strategy<Value = Vec<Value>>) -> impl Strategy<Value = Value> {
    let version = prop_oneof![6 => Just(Some("2012-10-17")), 1 => Just(Some("2008-10-17")), 1 => Just(None)];
    (version, statements).prop_map(|(version, statements)| {
        let mut document = json!({"Statement": statements});
        if let Some(version) = version {
            document["Version"] = json!(version);
        }
        if version != Some("2012-10-17") {
            // There a variable is literal text, which `Bool` cannot read.
            let text = document.to_string().replace("${app:flag}", "true");
            document = serde_json::from_str(&text).unwrap();
        }
        document
    })
}

fn statements(near: Path) -> impl Strategy<Value = Vec<Value>> {
    let everything = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"});
    let first = prop_oneof![Just(None), Just(Some(everything))];
    (first, vec(any_statement(near), 0..5)).prop_map(|(first, rest)| first.into_iter().chain(rest).collect())
}

fn policy(near: Path) -> impl Strategy<Value = Value> {
    document(statements(near))
}

/// A policy and a request that have to do with each other.
fn case() -> impl Strategy<Value = (Value, Request)> {
    request().prop_flat_map(|request| (policy(request.path), Just(request)))
}

fn parsed(policy: &Value) -> PolicyDocument {
    PolicyDocument::from_json(&policy.to_string()).unwrap_or_else(|error| panic!("{error}\n{policy}"))
}

fn with_statement(policy: &Value, statement: &Value) -> Value {
    let mut policy = policy.clone();
    policy["Statement"].as_array_mut().unwrap().push(statement.clone());
    policy
}

// ---------------------------------------------------------------- the properties

fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, test) {
        panic!("{failure}");
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    found: &T,
    expected: &T,
    policy: &Value,
) -> Result<(), TestCaseError> {
    if found == expected {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("found {found:?}, expected {expected:?} for\n{policy}")))
}

#[test]
fn the_naive_evaluator_says_the_same() {
    let verdicts = RefCell::new(BTreeMap::<Verdict, u32>::new());
    check(CASES, &case(), |(policy, request)| {
        let question = request.question(STAGE);
        let verdict = question
            .ask_both(&policy.to_string(), &parsed(&policy))
            .map_err(|difference| TestCaseError::fail(format!("{difference}\n{policy}")))?;
        *verdicts.borrow_mut().entry(verdict).or_default() += 1;
        Ok(())
    });
    let verdicts = verdicts.into_inner();
    for verdict in [Verdict::Allow, Verdict::ExplicitDeny, Verdict::ImplicitDeny, Verdict::Indeterminate] {
        let share = f64::from(verdicts.get(&verdict).copied().unwrap_or_default()) / f64::from(CASES);
        assert!(share >= LEAST_SHARE, "only {share} of the cases are {verdict:?}: {verdicts:?}");
    }
}

#[test]
fn a_deny_of_everything_dominates() {
    check(CASES / 10, &case(), |(policy, request)| {
        let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        let policy = with_statement(&policy, &deny);
        same(&request.question(STAGE).ask(&parsed(&policy)), &Verdict::ExplicitDeny, &policy)
    });
}

#[test]
fn no_statement_lifts_an_explicit_deny() {
    let case = request().prop_flat_map(|request| {
        let near = request.path;
        (policy(near), any_statement(near), Just(request))
    });
    check(CASES / 10, &case, |(policy, statement, request)| {
        let question = request.question(STAGE);
        let more = with_statement(&policy, &statement);
        if parse_together(&more).is_none() || question.ask(&parsed(&policy)) != Verdict::ExplicitDeny {
            return Ok(());
        }
        same(&question.ask(&parsed(&more)), &Verdict::ExplicitDeny, &more)
    });
}

/// A statement made for one version may be malformed in a document of another.
fn parse_together(policy: &Value) -> Option<PolicyDocument> {
    PolicyDocument::from_json(&policy.to_string()).ok()
}

#[test]
fn one_more_deny_never_turns_a_refusal_into_an_allow() {
    let case = request().prop_flat_map(|request| {
        let near = request.path;
        let deny = statement(Just("Deny"), resources(resource(near), true));
        (policy(near), deny, Just(request))
    });
    check(CASES / 10, &case, |(policy, deny, request)| {
        let question = request.question(STAGE);
        let more = with_statement(&policy, &deny);
        let Some(denied) = parse_together(&more) else { return Ok(()) };
        let (before, after) = (question.ask(&parsed(&policy)), question.ask(&denied));
        same(&(after == Verdict::Allow && before != Verdict::Allow), &false, &more)
    });
}

#[test]
fn the_order_of_statements_is_irrelevant() {
    let case = request().prop_flat_map(|request| {
        let both =
            statements(request.path).prop_flat_map(|one| (Just(one.clone()), Just(one).prop_shuffle()));
        (both, Just(request))
    });
    check(CASES / 10, &case, |((one, other), request)| {
        let question = request.question(STAGE);
        let one = json!({"Version": "2012-10-17", "Statement": one});
        let other = json!({"Version": "2012-10-17", "Statement": other});
        same(&question.ask(&parsed(&one)), &question.ask(&parsed(&other)), &one)
    });
}

#[test]
fn printing_and_reading_again_changes_nothing() {
    check(CASES / 10, &case(), |(policy, request)| {
        let question = request.question(STAGE);
        let document = parsed(&policy);
        let printed = serde_json::to_string(&document).unwrap();
        let again =
            PolicyDocument::from_json(&printed).map_err(|error| TestCaseError::fail(error.to_string()))?;
        same(&again, &document, &policy)?;
        same(&serde_json::to_string(&again).unwrap(), &printed, &policy)?;
        same(&question.ask(&again), &question.ask(&document), &policy)
    });
}

#[test]
fn a_policy_that_names_its_stage_allows_nothing_in_another() {
    const OTHERS: &[&str] = &[
        "arn:aws:execute-api:us-east-1:123456789012:abcdef/dev/",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod2/",
        "arn:aws:execute-api:us-east-1:123456789012:abcdeg/prod/",
        "arn:aws:execute-api:us-east-1:123456789013:abcdef/prod/",
        "arn:aws:execute-api:us-east-2:123456789012:abcdef/prod/",
        "arn:aws-cn:execute-api:us-east-1:123456789012:abcdef/prod/",
    ];
    let case = request().prop_flat_map(|request| {
        let own = resources(own_resource(request.path).boxed(), false);
        let own = statement(select(&["Allow", "Allow", "Deny"][..]), own);
        (document(vec(own, 0..5)), select(OTHERS), Just(request))
    });
    check(CASES / 10, &case, |(policy, other, request)| {
        same(&(request.question(other).ask(&parsed(&policy)) == Verdict::Allow), &false, &policy)
    });
}
