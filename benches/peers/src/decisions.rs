//! One decision by several engines: of `count` statements, each with one wildcard resource, the last one matches, and
//! one is a denial that does not.

use std::hint::black_box;
use std::str::FromStr;

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use iam_rs::{Arn, EvaluationOptions, IAMPolicy, IAMRequest, PolicyEvaluator};
use serde_json::Value;
use tower_lambda_authorizer::policy::{self, AccessRequest};

use crate::scene::Case;
use crate::scene::policies::{STAGE, bound, text};

const LAST: &str = "GET/users/*/orders/*";
const ASKED: &str = "GET/users/42/orders/1001";
const OTHER: &str = "GET/nothing/42/orders/1001";

pub(crate) fn decisions(count: usize) -> Vec<Case> {
    let text = text("Head", LAST, count);
    vec![ours(&text), iam_rs(&text), cedar(&text), casbin(&text), regorus(&text)]
}

/// From the text of a policy to something that decides: iam-rs parses it, and compiles nothing.
pub(crate) fn readers(count: usize) -> Vec<Case> {
    let text = text("Head", LAST, count);
    let iam = text.clone();
    vec![
        Case::call("parsed by iam-rs", move || serde_json::from_str::<IAMPolicy>(black_box(&iam)).ok()),
        Case::call("parsed and compiled by us", move || bound(black_box(&text))),
    ]
}

/// Says so if an engine does not decide as the others do.
fn checked<T>(name: &str, mut decide: impl FnMut(&str) -> bool + 'static, _: T) -> Case {
    assert!(decide(ASKED), "{name}");
    assert!(!decide(OTHER), "{name}");
    Case::call(name, move || decide(black_box(ASKED)))
}

fn ours(text: &str) -> Case {
    let policy = bound(text);
    let decide = move |asked: &str| {
        let Some((method, _)) = asked.split_once('/') else { return false };
        let Some(path) = asked.get(method.len()..) else { return false };
        policy.evaluate(&AccessRequest::new(method, path)).decision() == policy::Decision::Allow
    };
    checked("ours", decide, ())
}

fn iam_rs(text: &str) -> Case {
    let policy: IAMPolicy = serde_json::from_str(text).expect("a good policy");
    let options = EvaluationOptions { max_statements: usize::MAX, ..EvaluationOptions::default() };
    let evaluator = PolicyEvaluator::with_policies(vec![policy]).with_options(options);
    let request = |asked: &str| {
        let arn = Arn::from_str(&format!("{STAGE}{asked}")).expect("a good ARN");
        IAMRequest::new(crate::layers::principal(), "execute-api:Invoke", arn)
    };
    let (known, other) = (request(ASKED), request(OTHER));
    let decide = move |asked: &str| {
        let request = if asked == ASKED { &known } else { &other };
        evaluator.evaluate(request).is_ok_and(|result| result.decision == iam_rs::Decision::Allow)
    };
    checked("iam-rs, request made before", decide, ())
}

fn cedar(text: &str) -> Case {
    let policies: String = statements(text)
        .map(|(effect, resource)| {
            let effect = if effect == "Allow" { "permit" } else { "forbid" };
            format!(
                "{effect}(principal, action == Action::\"Invoke\", resource) when {{ context.arn like \"{resource}\" }};\n"
            )
        })
        .collect();
    let policies = PolicySet::from_str(&policies).expect("good policies");
    let uid = |text: &str| EntityUid::from_str(text).expect("a good id");
    let request = move |asked: &str| {
        let context = serde_json::json!({ "arn": format!("{STAGE}{asked}") });
        let context = Context::from_json_value(context, None).expect("a good context");
        let ids = (uid(r#"User::"u""#), uid(r#"Action::"Invoke""#), uid(r#"Api::"a""#));
        Request::new(ids.0, ids.1, ids.2, context, None).expect("a good request")
    };
    let (known, other, entities) = (request(ASKED), request(OTHER), Entities::empty());
    let authorizer = Authorizer::new();
    let decide = move |asked: &str| {
        let request = if asked == ASKED { &known } else { &other };
        authorizer.is_authorized(request, &policies, &entities).decision() == Decision::Allow
    };
    checked("cedar-policy, request made before", decide, ())
}

fn casbin(text: &str) -> Case {
    const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && globMatch(r.obj, p.obj)
";
    let rules: Vec<Vec<String>> = statements(text)
        .map(|(effect, resource)| {
            let effect = effect.to_lowercase();
            vec!["user".to_owned(), resource.to_owned(), "Invoke".to_owned(), effect]
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_str(MODEL).await.expect("a good model");
        let mut enforcer = Enforcer::new(model, casbin::MemoryAdapter::default()).await.expect("an enforcer");
        enforcer.add_policies(rules).await.expect("good rules");
        enforcer
    });
    let decide = move |asked: &str| {
        enforcer.enforce(("user", format!("{STAGE}{asked}"), "Invoke")).expect("a decision")
    };
    checked("casbin, globMatch", decide, ())
}

fn regorus(text: &str) -> Case {
    const RULES: &str = "
package authz
import rego.v1
default allow := false
covers(statement) if glob.match(statement.Resource, null, input.arn)
denied if { some statement in data.Statement; statement.Effect == \"Deny\"; covers(statement) }
allow if { some statement in data.Statement; statement.Effect == \"Allow\"; covers(statement); not denied }
";
    let mut engine = regorus::Engine::new();
    engine.add_policy("authz.rego".to_owned(), RULES.to_owned()).expect("good rules");
    let data = if text.contains("\"Statement\":[") { text.to_owned() } else { String::new() };
    engine.add_data_json(&data).expect("good data");
    let input = |asked: &str| {
        regorus::Value::from_json_str(&serde_json::json!({ "arn": format!("{STAGE}{asked}") }).to_string())
            .expect("good input")
    };
    let (known, other) = (input(ASKED), input(OTHER));
    let decide = move |asked: &str| {
        engine.set_input(if asked == ASKED { known.clone() } else { other.clone() });
        engine.eval_rule("data.authz.allow".to_owned()).expect("a decision") == regorus::Value::from(true)
    };
    checked("regorus, glob.match", decide, ())
}

/// Effect and resource of each statement.
fn statements(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    let policy: Value = serde_json::from_str(text).expect("a good policy");
    // Kept for ever: there are few of them, and engines differ in what they borrow.
    let policy: &'static Value = Box::leak(Box::new(policy));
    let member = |statement: &'static Value, name: &str| {
        statement.get(name).and_then(Value::as_str).unwrap_or_default()
    };
    let statements = policy.get("Statement").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    statements.iter().map(move |statement| (member(statement, "Effect"), member(statement, "Resource")))
}
