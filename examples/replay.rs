//! Replays recorded requests against two policies, and prints which verdicts change and why.
//!
//! ```console
//! $ cd examples/policies && cargo run -q --features testing --example replay before.json after.json < access.log
//! 1x newly allowed: DELETE /users/1
//!   before: implicit deny of DELETE /users/1: no statement allows it
//!   after:  allow of DELETE /users/1: settled by statement 0
//! 1x newly allowed: DELETE /users/2
//!   before: implicit deny of DELETE /users/2: no statement allows it
//!   after:  allow of DELETE /users/2: settled by statement 0
//! 2x newly denied: GET /users/root
//!   before: allow of GET /users/root: settled by statement 0
//!   after:  explicit deny of GET /users/root: settled by statement 1
//! 6 requests, of which 4 change; 2 lines are no requests
//! $ cd examples/policies && cargo run -q --features testing --example replay after.json < access.log | tail -4
//! 2x newly denied: GET /users/root
//!   before: logged with 200
//!   after:  explicit deny of GET /users/root: settled by statement 1
//! 6 requests, of which 3 change; 2 lines are no requests
//! ```
//!
//! A line is one of an access log in the common or the combined format, or the JSON of an authorizer's event. What is
//! refused before any authorizer is asked, such as `/a/../b`, counts as no request. With one policy, what changes is what
//! was logged, where something was. Conditions see the log's address, agent and referrer, and the present time.

use std::{collections::BTreeMap, net::IpAddr, time::SystemTime};

use tower_lambda_authorizer::contract::EventKind;
use tower_lambda_authorizer::policy::{
    AccessRequest, ConditionContext, ConditionKey, ConditionValue, Decision, ExecuteApiArn, PolicyDocument,
};
use tower_lambda_authorizer::testing::TestRequest;
use tower_lambda_authorizer::{ApiStage, AuthorizerEvent};

type Failure = Box<dyn std::error::Error>;

/// What a log knows of the condition keys. Of what it does not know, nobody can say that it is absent.
struct Recorded<'a>(&'a AuthorizerEvent);

impl ConditionContext for Recorded<'_> {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        let text = |text: Option<&'_ str>| text.map_or(ConditionValue::Absent, |text| text.to_owned().into());
        match key {
            ConditionKey::SourceIp => {
                self.0.source_ip().map_or(ConditionValue::Unavailable, ConditionValue::Ip)
            }
            ConditionKey::CurrentTime | ConditionKey::EpochTime => ConditionValue::Time(SystemTime::now()),
            ConditionKey::UserAgent => text(self.0.user_agent()),
            ConditionKey::Referer => text(self.0.header("referer")),
            _ => ConditionValue::Unavailable,
        }
    }
}

/// Whether a request would be let in, and why.
fn judge(policy: &PolicyDocument, event: &AuthorizerEvent) -> (Option<bool>, String) {
    let asked = AccessRequest::new(event.method().unwrap_or(""), event.path().unwrap_or("$connect"));
    let explanation = policy.bind(event.arn().stage_arn()).explain(&asked.with_context(&Recorded(event)));
    let why = explanation.to_string().lines().next().unwrap_or_default().to_owned();
    (Some(explanation.decision() == Decision::Allow), why)
}

/// The event of a line, and what was logged of it. A target that is refused before anybody is asked has no event.
fn read(line: &str, stage: &ApiStage) -> Option<(AuthorizerEvent, (Option<bool>, String))> {
    if line.starts_with('{') {
        return Some((AuthorizerEvent::from_json(line).ok()?, (None, "not logged".to_owned())));
    }
    let parts: Vec<&str> = line.split('"').collect();
    let [client, request, outcome, rest @ ..] = &parts[..] else { return None };
    let address: IpAddr = client.split(' ').next()?.parse().ok()?;
    let (method, target) = request.rsplit_once(' ')?.0.split_once(' ')?;
    let status: u16 = outcome.split_whitespace().next()?.parse().ok()?;
    let mut request = TestRequest::new(method, target).in_stage(stage.clone()).with_source_ip(address);
    for (name, value) in ["referer", "user-agent"].into_iter().zip(rest.iter().step_by(2)) {
        request = if *value == "-" { request } else { request.with_header(name, value) };
    }
    let event = request.event(EventKind::RestRequest).ok()?;
    Some((event, (Some(!matches!(status, 401 | 403)), format!("logged with {status}"))))
}

/// The stage that a policy is about: the first that a resource of it names.
fn stage_of(policy: &PolicyDocument) -> Result<ApiStage, Failure> {
    let resources = policy.statements().iter().flat_map(|statement| statement.resources());
    let mut arns = resources.filter_map(|resource| {
        let stage: Vec<&str> = resource.as_str().splitn(3, '/').take(2).collect();
        format!("{}/GET/", stage.join("/")).parse::<ExecuteApiArn>().ok()
    });
    let arn = arns.next().ok_or("no resource of the policy names its stage")?;
    let stage = arn.stage_arn();
    let rest = ApiStage::rest(stage.region(), stage.account_id(), stage.api_id(), stage.stage())?;
    Ok(rest.with_partition(stage.partition())?)
}

fn main() -> Result<(), Failure> {
    let read_policy = |path| Ok::<_, Failure>(PolicyDocument::from_json(&std::fs::read_to_string(path)?)?);
    let mut policies = std::env::args().skip(1).map(read_policy).collect::<Result<Vec<_>, _>>()?;
    let after = policies.pop().ok_or("name one policy or two: the present one, and the next")?;
    let stage = stage_of(&after)?;
    let (mut changes, mut requests, mut others) = (BTreeMap::<String, usize>::new(), 0, 0);
    for line in std::io::stdin().lines() {
        let Some((event, logged)) = read(&line?, &stage) else {
            others += 1;
            continue;
        };
        requests += 1;
        let (was, before) = policies.first().map_or(logged, |policy| judge(policy, &event));
        let (is, why) = judge(&after, &event);
        if was.is_some_and(|was| Some(was) != is) {
            let word = if is == Some(true) { "allowed" } else { "denied" };
            let (method, path) = (event.method().unwrap_or(""), event.path().unwrap_or("$connect"));
            let change = format!("newly {word}: {method} {path}\n  before: {before}\n  after:  {why}");
            *changes.entry(change).or_default() += 1;
        }
    }
    changes.iter().for_each(|(change, times)| println!("{times}x {change}"));
    let changed: usize = changes.values().sum();
    println!("{requests} requests, of which {changed} change; {others} lines are no requests");
    Ok(())
}
