//! What the policy tests and the fuzz targets share: condition keys written as JSON, and one question put to both
//! evaluators.
//!
//! Includers have a module `naive` beside this one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tower_lambda_authorizer::policy::{
    AccessRequest, ConditionContext, ConditionKey, ConditionValue, Decision, Effect, Outcome, PolicyDocument,
    StageArn, StatementExplanation,
};

use crate::naive::{self, Ask, Known, Verdict};

/// One key's value as a test gives it.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Text(String),
    Texts(Vec<String>),
    Bool(bool),
    /// Of five to eleven digits, so that read as a date it can only be seconds.
    Number(i64),
    Ip(IpAddr),
    /// Seconds since 1970.
    Epoch(u64),
    Unavailable,
}

/// The keys of one request, by their names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context(BTreeMap<String, Given>);

impl Context {
    /// Reads `{"key": "text" | ["text", …] | true | 7 | {"ip": …} | {"epoch": …} | {"unavailable": true}}`.
    pub(crate) fn from_json(json: &Value) -> Result<Self, String> {
        let members = json.as_object().ok_or("a context is an object")?;
        let mut keys = BTreeMap::new();
        for (key, value) in members {
            let given = given(value).ok_or_else(|| format!("key {key}: no such value as {value}"))?;
            if keys.insert(key.to_lowercase(), given).is_some() {
                return Err(format!("key {key} is there twice"));
            }
        }
        Ok(Self(keys))
    }

    /// The same for the naive evaluator, which knows texts only.
    fn known(&self) -> BTreeMap<String, Known> {
        let known = |given: &Given| match given {
            Given::Text(text) => Known::One(text.clone()),
            Given::Texts(texts) => Known::Many(texts.clone()),
            Given::Bool(value) => Known::One(value.to_string()),
            Given::Number(number) => Known::One(number.to_string()),
            Given::Ip(address) => Known::One(address.to_string()),
            Given::Epoch(seconds) => Known::One(date(*seconds)),
            Given::Unavailable => Known::Unavailable,
        };
        let as_number = |key: &str, given: &Given| match given {
            Given::Epoch(seconds) if key == "aws:epochtime" => Given::Text(seconds.to_string()),
            given => given.clone(),
        };
        self.0.iter().map(|(key, given)| (key.clone(), known(&as_number(key, given)))).collect()
    }
}

fn given(value: &Value) -> Option<Given> {
    Some(match value {
        Value::String(text) => Given::Text(text.clone()),
        Value::Array(items) => {
            Given::Texts(items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        Value::Bool(value) => Given::Bool(*value),
        Value::Number(number) => {
            Given::Number(number.as_i64().filter(|number| (10_000..100_000_000_000).contains(number))?)
        }
        Value::Object(members) if members.len() == 1 => match members.iter().next()? {
            (name, Value::String(address)) if name == "ip" => Given::Ip(address.parse().ok()?),
            (name, Value::Number(seconds)) if name == "epoch" => {
                Given::Epoch(seconds.as_u64().filter(|seconds| *seconds < 100_000_000_000)?)
            }
            (name, Value::Bool(true)) if name == "unavailable" => Given::Unavailable,
            _ => return None,
        },
        _ => return None,
    })
}

/// The text of a moment: `2024-05-01T12:00:00Z`.
fn date(seconds: u64) -> String {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970_u64;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut month = 0;
    loop {
        let february = if leap(year) { 29 } else { 28 };
        let length = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
        if days < length {
            break;
        }
        days -= length;
        month += 1;
        if month == 12 {
            (month, year) = (0, year + 1);
        }
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1, days + 1)
}

impl ConditionContext for Context {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        match self.0.get(&key.as_str().to_lowercase()) {
            None => ConditionValue::Absent,
            Some(Given::Text(text)) => ConditionValue::from(text.as_str()),
            Some(Given::Texts(texts)) => ConditionValue::Texts(Cow::Borrowed(texts)),
            Some(Given::Bool(value)) => ConditionValue::Bool(*value),
            Some(Given::Number(number)) => ConditionValue::Number(*number),
            Some(Given::Ip(address)) => ConditionValue::Ip(*address),
            Some(Given::Epoch(seconds)) => {
                ConditionValue::Time(SystemTime::UNIX_EPOCH + Duration::from_secs(*seconds))
            }
            Some(Given::Unavailable) => ConditionValue::Unavailable,
        }
    }
}

/// One question, for either evaluator.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) stage: StageArn,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) canonical_path: Option<String>,
    pub(crate) sent_path: Option<String>,
    pub(crate) context: Context,
}

impl Question {
    /// Puts the question to the library.
    pub(crate) fn ask(&self, policy: &PolicyDocument) -> Verdict {
        verdict(policy.bind(&self.stage).evaluate(&self.request()).decision())
    }

    fn request(&self) -> AccessRequest<'_> {
        let mut request = AccessRequest::new(&self.method, &self.path).with_context(&self.context);
        if let Some(path) = &self.canonical_path {
            request = request.with_canonical_path(path);
        }
        if let Some(path) = &self.sent_path {
            request = request.with_sent_path(path);
        }
        request
    }

    /// Puts the question to both evaluators and compares all they say: the decision, the statement that settled it,
    /// and in the explanation what became of each statement.
    pub(crate) fn ask_both(&self, text: &str, policy: &PolicyDocument) -> Result<Verdict, String> {
        let outcomes = naive::outcomes(text, &self.plain());
        let (expected, settling) = naive::combine(&outcomes);
        let same = |what: &str, found: &dyn Debug, expected: &dyn Debug| {
            let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
            if found == expected {
                Ok(())
            } else {
                Err(format!("{what}: found {found}, expected {expected}"))
            }
        };
        let bound = policy.bind(&self.stage);
        let (request, evaluation) = (self.request(), bound.evaluate(&self.request()));
        same("decision", &verdict(evaluation.decision()), &expected)?;
        same("statement", &evaluation.statement(), &settling)?;
        let names_a_key = match expected {
            Verdict::Indeterminate => true,
            Verdict::ImplicitDeny => {
                outcomes.iter().any(|outcome| !outcome.deny && outcome.matches.is_none())
            }
            _ => false,
        };
        same("a key is named", &evaluation.unavailable_key().is_some(), &names_a_key)?;
        let explanation = bound.explain(&request);
        same("explained decision", &verdict(explanation.decision()), &expected)?;
        same("explained statement", &explanation.statement(), &settling)?;
        let explained = |statement: &StatementExplanation| naive::Outcome {
            deny: statement.effect() == Effect::Deny,
            matches: match statement.outcome() {
                Outcome::Matches => Some(true),
                Outcome::DoesNotMatch => Some(false),
                Outcome::Unknown => None,
            },
        };
        same("outcomes", &explanation.statements().iter().map(explained).collect::<Vec<_>>(), &outcomes)?;
        for statement in explanation.statements() {
            let matches = statement.outcome() == Outcome::Matches;
            same("nothing to find in a match", &statement.findings().is_empty(), &matches)?;
        }
        Ok(expected)
    }

    /// The question for the naive evaluator.
    fn plain(&self) -> Ask {
        Ask {
            stage: self.stage.as_str().to_owned(),
            method: self.method.clone(),
            path: self.path.clone(),
            canonical_path: self.canonical_path.clone(),
            sent_path: self.sent_path.clone(),
            context: self.context.known(),
        }
    }
}

fn verdict(decision: Decision) -> Verdict {
    match decision {
        Decision::Allow => Verdict::Allow,
        Decision::ExplicitDeny => Verdict::ExplicitDeny,
        Decision::ImplicitDeny => Verdict::ImplicitDeny,
        Decision::Indeterminate => Verdict::Indeterminate,
    }
}

/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/`, taken apart.
pub(crate) fn stage(text: &str) -> Option<StageArn> {
    let fields: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "execute-api", region, account, rest] = fields[..] else { return None };
    let (api, stage) = rest.strip_suffix('/')?.split_once('/')?;
    StageArn::new(partition, region, account, api, stage).ok()
}
