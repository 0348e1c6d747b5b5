use serde::Serialize;

use super::bind::{BoundPolicy, push_statement};
use super::condition::{Condition, text_of};
use super::context::ConditionValue;
use super::decision::Decision;
use super::evaluate::for_each_alias;
use super::plan::Plan;
use super::request::AccessRequest;
use super::statement::{Effect, Statement};
use super::truth::Truth;

/// Why a policy decided as it did, statement by statement.
///
/// It prints as text for people and serialises to JSON. It shows values of the request: it belongs in tests and in
/// logs, not in answers to clients.
///
/// ```
/// use tower_lambda_authorizer::policy::{AccessRequest, PolicyDocument, StageArn};
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// let policy = PolicyDocument::from_json(
///     r#"{"Version":"2012-10-17","Statement":[
///         {"Sid":"read","Effect":"Allow","Action":"execute-api:Invoke",
///          "Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/users*"},
///         {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"*",
///          "Condition":{"Bool":{"aws:SecureTransport":"false"}}}
///     ]}"#,
/// )?;
/// let explanation = policy.bind(&stage).explain(&AccessRequest::new("GET", "/orders"));
/// assert_eq!(
///     explanation.to_string(),
///     "\
/// implicit deny of GET /orders: no statement allows it
///   statement 0 (`read`) would allow, but does not match
///     Resource: expected `arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/users*`, found \
/// `arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/orders`
///   statement 1 would deny, but does not match
///     Condition.Bool.aws:SecureTransport: expected `false`, the key is absent
/// "
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    pub(super) decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statement: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unavailable_key: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) statements: Vec<StatementExplanation>,
}

impl Explanation {
    /// The answer.
    #[must_use]
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// The index of the statement that settled it.
    #[must_use]
    pub const fn statement(&self) -> Option<usize> {
        self.statement
    }

    /// Every statement of the policy, in order.
    #[must_use]
    pub fn statements(&self) -> &[StatementExplanation] {
        &self.statements
    }
}

/// What became of one statement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementExplanation {
    pub(super) index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) outcome: Outcome,
    pub(super) findings: Vec<Finding>,
}

impl StatementExplanation {
    /// Its place in the policy.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Whether it allows or denies.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it matches.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The elements that do not match, or of which nobody knows.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Whether a statement, or an element of one, matches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_enums, reason = "three-valued logic has three values")]
pub enum Outcome {
    /// It does not.
    DoesNotMatch,
    /// It does.
    Matches,
    /// It depends on something that is not known.
    Unknown,
}

impl From<Truth<'_>> for Outcome {
    fn from(truth: Truth<'_>) -> Self {
        match truth {
            Truth::False => Self::DoesNotMatch,
            Truth::True => Self::Matches,
            Truth::Unknown(_) => Self::Unknown,
        }
    }
}

/// An element that does not match, or of which nobody knows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub(super) element: String,
    pub(super) outcome: Outcome,
    pub(super) expected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unavailable_key: Option<String>,
}

impl Finding {
    /// The element: `Action`, `NotResource`, `Condition.IpAddress.aws:SourceIp`.
    #[must_use]
    pub fn element(&self) -> &str {
        &self.element
    }

    /// That it does not match, or that nobody knows.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What the policy has there.
    #[must_use]
    pub fn expected(&self) -> &[String] {
        &self.expected
    }

    /// What the request has there, if it has anything.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }
}

impl BoundPolicy {
    /// Decides a request and says why. It costs many times what [`evaluate`](Self::evaluate) does.
    #[must_use]
    pub fn explain(&self, request: &AccessRequest<'_>) -> Explanation {
        let evaluation = self.evaluate(request);
        let statements = self.document.statements.iter().enumerate();
        Explanation {
            decision: evaluation.decision(),
            statement: evaluation.statement(),
            unavailable_key: evaluation.unavailable_key().map(str::to_owned),
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            statements: statements
                .map(|(index, statement)| self.explain_one(index, statement, request))
                .collect(),
        }
    }

    fn explain_one(
        &self,
        index: usize,
        statement: &Statement,
        request: &AccessRequest<'_>,
    ) -> StatementExplanation {
        let mut findings = Vec::new();
        let action = Truth::from_bool(statement.covers_invoke());
        if action == Truth::False {
            findings.push(Finding {
                element: if statement.is_not_action() { "NotAction" } else { "Action" }.to_owned(),
                outcome: action.into(),
                expected: statement.actions().iter().map(ToString::to_string).collect(),
                found: Some("execute-api:Invoke".to_owned()),
                unavailable_key: None,
            });
        }
        let mut plan = Plan::default();
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        push_statement(&mut plan, number, statement, &self.stage);
        let resource = self.resource_covers(&plan, statement, request);
        if resource != Truth::True {
            findings.push(Finding {
                element: if statement.is_not_resource() { "NotResource" } else { "Resource" }.to_owned(),
                outcome: resource.into(),
                expected: statement.resources().iter().map(ToString::to_string).collect(),
                found: Some(format!("{}{}{}", self.stage, request.method, request.path)),
                unavailable_key: key_of(resource),
            });
        }
        let mut all = vec![action, resource];
        for condition in statement.conditions() {
            let holds = condition.holds(request.context);
            all.push(holds);
            if holds != Truth::True {
                findings.push(explain_condition(condition, holds, request));
            }
        }
        StatementExplanation {
            index,
            sid: statement.sid().map(str::to_owned),
            effect: statement.effect(),
            outcome: Truth::all(all).into(),
            findings,
        }
    }

    fn resource_covers<'p>(
        &'p self,
        plan: &'p Plan,
        statement: &Statement,
        request: &AccessRequest<'_>,
    ) -> Truth<'p> {
        let mut covers = false;
        let exact = self.exact(request);
        if statement.effect == Effect::Deny {
            for_each_alias(&exact, request, |target| covers = covers || plan.covers_any(target));
        } else {
            covers = plan.covers_any(&exact);
        }
        let simple = Truth::from_bool(covers);
        Truth::any(
            std::iter::once(simple)
                .chain(plan.complex().iter().map(|complex| self.complex_covers(complex, request))),
        )
    }
}

fn explain_condition(condition: &Condition, holds: Truth<'_>, request: &AccessRequest<'_>) -> Finding {
    let value = request.context.value(condition.key());
    let found = match &value {
        ConditionValue::Texts(texts) => Some(texts.join(", ")),
        value => text_of(condition.key(), value).map(std::borrow::Cow::into_owned),
    };
    Finding {
        element: format!("Condition.{}.{}", condition.operator(), condition.key_name()),
        outcome: holds.into(),
        expected: condition.values().map(str::to_owned).collect(),
        found,
        unavailable_key: key_of(holds),
    }
}

fn key_of(truth: Truth<'_>) -> Option<String> {
    match truth {
        Truth::Unknown(key) => Some(key.to_owned()),
        Truth::False | Truth::True => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use crate::policy::{
        AccessRequest, ConditionContext, ConditionKey, ConditionValue, PolicyDocument, StageArn,
    };

    struct Context;

    impl ConditionContext for Context {
        fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
            match key {
                ConditionKey::SourceIp => ConditionValue::Unavailable,
                ConditionKey::UserAgent => "curl".into(),
                _ => ConditionValue::Absent,
            }
        }
    }

    #[test]
    fn every_element_that_failed_is_shown() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"s","Effect":"Deny","Action":"*","Resource":"*","Condition":{
                "IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
            {"Effect":"Deny","NotAction":"execute-api:*","NotResource":"*","Condition":{
                "StringEquals":{"aws:UserAgent":["a","b"]}}}]}"#;
        let stage = StageArn::new("aws", "r", "123456789012", "a", "s").unwrap();
        let policy = PolicyDocument::from_json(text).unwrap().bind(&stage);
        let explanation = policy.explain(&AccessRequest::new("GET", "/x").with_context(&Context));
        let outcomes: Vec<_> =
            explanation.statements().iter().map(super::StatementExplanation::outcome).collect();
        assert_eq!(outcomes, [Outcome::Matches, Outcome::Unknown, Outcome::DoesNotMatch]);
        assert_eq!(
            explanation.to_string(),
            "\
indeterminate of GET /x: statement 1 may deny it, `aws:SourceIp` is not known
  statement 0 allows
  statement 1 (`s`) may deny
    Condition.IpAddress.aws:SourceIp: expected `10.0.0.0/8`, `aws:SourceIp` is not known
  statement 2 would deny, but does not match
    NotAction: expected anything but `execute-api:*`, found `execute-api:Invoke`
    NotResource: expected anything but `*`, found `arn:aws:execute-api:r:123456789012:a/s/GET/x`
    Condition.StringEquals.aws:UserAgent: expected `a` or `b`, found `curl`
"
        );
        let json = serde_json::to_value(&explanation).unwrap();
        assert_eq!(json["decision"], "Indeterminate");
        assert_eq!(json["statements"][2]["findings"][2]["found"], "curl");
    }
}
