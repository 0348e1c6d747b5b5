//! What the policy tests and the fuzz targets share: condition keys written as JSON, and one question put to both
//! evaluators.
//!
//! Includers have a module `naive` beside this one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tower_lambda_authorizer::policy::{
    AccessRequest, ConditionContext, ConditionKey, ConditionValue, Decision, PolicyDocument, StageArn,
};

use crate::naive::{Ask, Known, Verdict};

/// One key's value as a test gives it.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Text(String),
    Texts(Vec<String>),
    Bool(bool),
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
    pub(crate) fn known(&self) -> BTreeMap<String, Known> {
        let known = |given: &Given| match given {
            Given::Text(text) => Known::One(text.clone()),
            Given::Texts(texts) => Known::Many(texts.clone()),
            Given::Bool(value) => Known::One(value.to_string()),
            Given::Number(number) => Known::One(number.to_string()),
            Given::Ip(address) => Known::One(address.to_string()),
            Given::Epoch(seconds) => Known::One(seconds.to_string()),
            Given::Unavailable => Known::Unavailable,
        };
        self.0.iter().map(|(key, given)| (key.clone(), known(given))).collect()
    }
}

fn given(value: &Value) -> Option<Given> {
    Some(match value {
        Value::String(text) => Given::Text(text.clone()),
        Value::Array(items) => {
            Given::Texts(items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        Value::Bool(value) => Given::Bool(*value),
        Value::Number(number) => Given::Number(number.as_i64()?),
        Value::Object(members) if members.len() == 1 => match members.iter().next()? {
            (name, Value::String(address)) if name == "ip" => Given::Ip(address.parse().ok()?),
            (name, Value::Number(seconds)) if name == "epoch" => Given::Epoch(seconds.as_u64()?),
            (name, Value::Bool(true)) if name == "unavailable" => Given::Unavailable,
            _ => return None,
        },
        _ => return None,
    })
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
    pub(crate) context: Context,
}

impl Question {
    /// Puts the question to the library. Asking for an explanation must not change the answer.
    pub(crate) fn ask(&self, policy: &PolicyDocument) -> Verdict {
        let request = AccessRequest::new(&self.method, &self.path).with_context(&self.context);
        let request = match &self.canonical_path {
            Some(path) => request.with_canonical_path(path),
            None => request,
        };
        let bound = policy.bind(&self.stage);
        let decision = bound.evaluate(&request).decision();
        verdict(decision)
    }

    /// The question for the naive evaluator.
    pub(crate) fn plain(&self) -> Ask {
        Ask {
            stage: self.stage.as_str().to_owned(),
            method: self.method.clone(),
            path: self.path.clone(),
            canonical_path: self.canonical_path.clone(),
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
