use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::trace::{Segment, Trace};
use crate::policy::condition::{Condition, Operator};
use crate::policy::context::ConditionKey;
use crate::policy::error::{PolicyError, PolicyErrorKind, quoted};

/// `Condition`: operators, under each its keys, under each its values.
pub(super) struct ConditionsSeed<'t> {
    pub(super) trace: &'t Trace,
}

impl<'de> DeserializeSeed<'de> for ConditionsSeed<'_> {
    type Value = Vec<Condition>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ConditionsSeed<'_> {
    type Value = Vec<Condition>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with condition operators such as `IpAddress`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let trace = self.trace;
        let mut conditions: Vec<Condition> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let operator = Operator::parse(&name).map_err(|problem| trace.refuse(problem))?;
            if conditions.iter().any(|known| known.parsed_operator() == operator) {
                let message = format!("operator `{operator}` is there twice");
                return Err(trace.refuse_as(PolicyErrorKind::Duplicate, message));
            }
            map.next_value_seed(BlockSeed { trace, operator, conditions: &mut conditions })
                .map_err(|error| trace.passed(error, Segment::Key(name)))?;
        }
        Ok(conditions)
    }
}

/// What stands under one operator.
struct BlockSeed<'t> {
    trace: &'t Trace,
    operator: Operator,
    conditions: &'t mut Vec<Condition>,
}

impl<'de> DeserializeSeed<'de> for BlockSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BlockSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with condition keys such as `aws:SourceIp`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let trace = self.trace;
        let first = self.conditions.len();
        let mut seen = Seen::default();
        while let Some(name) = map.next_key::<String>()? {
            let condition = map
                .next_value::<&RawValue>()
                .and_then(|raw| {
                    texts(raw.get())
                        .and_then(|texts| Condition::unchecked(self.operator, &name, texts))
                        .map_err(|problem| trace.refuse(problem))
                })
                .map_err(|error| trace.passed(error, Segment::Key(name)))?;
            if seen.is_repeated(self.conditions.get(first..).unwrap_or_default(), condition.key()) {
                let message =
                    format!("key {} is there twice, case does not count", quoted(condition.key_name()));
                return Err(trace.refuse_as(PolicyErrorKind::Duplicate, message));
            }
            self.conditions.push(condition);
        }
        if self.conditions.len() == first {
            let message = "no key under the operator, expected at least one";
            return Err(trace.refuse_as(PolicyErrorKind::BadValue, message));
        }
        Ok(())
    }
}

/// The keys under an operator, so that very many of them do not take very long.
#[derive(Default)]
struct Seen(HashSet<ConditionKey>);

impl Seen {
    fn is_repeated(&mut self, before: &[Condition], key: &ConditionKey) -> bool {
        if before.len() < 16 {
            return before.iter().any(|known| known.key() == key);
        }
        if self.0.is_empty() {
            self.0.extend(before.iter().map(|known| known.key().clone()));
        }
        !self.0.insert(key.clone())
    }
}

/// One value or a list of values. Numbers and truth values may stand without quotes and keep their text.
fn texts(raw: &str) -> Result<Vec<Box<str>>, PolicyError> {
    if raw.starts_with('[') {
        let entries: Vec<&RawValue> = serde_json::from_str(raw).map_err(|error| syntax(&error))?;
        return entries.into_iter().map(|entry| text(entry.get())).collect();
    }
    Ok(vec![text(raw)?])
}

fn text(raw: &str) -> Result<Box<str>, PolicyError> {
    match raw.bytes().next() {
        Some(b'"') => serde_json::from_str(raw).map_err(|error| syntax(&error)),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Ok(raw.into()),
        _ => {
            let message = format!("bad value {}, expected a string, a number or a truth value", quoted(raw));
            Err(PolicyError::new(PolicyErrorKind::BadValue, message))
        }
    }
}

fn syntax(error: &serde_json::Error) -> PolicyError {
    PolicyError::new(PolicyErrorKind::Syntax, error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::policy::PolicyDocument;

    fn read(condition: &str) -> Result<PolicyDocument, String> {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}],
                "Version":"2012-10-17"}}"#
        );
        PolicyDocument::from_json(&text)
            .map_err(|error| error.to_string().replace("malformed policy at Statement[0].", ""))
    }

    #[test]
    fn values_keep_their_text() {
        let policy =
            read(r#"{"NumericEquals":{"a":[1.50,"2",-0]},"Bool":{"b":true},"StringEquals":{"c":1e3}}"#)
                .unwrap();
        let values: Vec<Vec<_>> = policy.statements()[0]
            .conditions()
            .iter()
            .map(|condition| condition.values().collect())
            .collect();
        assert_eq!(values, [vec!["1.50", "2", "-0"], vec!["true"], vec!["1e3"]]);
        assert!(read("{}").unwrap().statements()[0].conditions().is_empty());
    }

    #[test]
    fn mistakes_are_located() {
        for (condition, expected) in [
            (
                r#"{"Foo":{"a":"b"}}"#,
                "Condition: unknown condition operator `Foo`, expected one of the operators of IAM, such as \
                 `StringEquals` or `IpAddress`",
            ),
            (r#"{"Bool":{}}"#, "Condition.Bool: no key under the operator, expected at least one"),
            (r#"{"Bool":{"a":[]}}"#, "Condition.Bool.a: empty list of values, expected at least one"),
            (r#"{"Bool":{"a":"yes"}}"#, "Condition.Bool.a: bad value `yes`, expected `true` or `false`"),
            (
                r#"{"Bool":{"a":null}}"#,
                "Condition.Bool.a: bad value `null`, expected a string, a number or a truth value",
            ),
            (
                r#"{"Bool":{"a:B":true,"A:b":true}}"#,
                "Condition.Bool: key `A:b` is there twice, case does not count",
            ),
            (r#"{"Bool":{"a":true},"Bool":{"b":true}}"#, "Condition: operator `Bool` is there twice"),
            (
                r#"{"StringEquals":{"a":"${x"}}"#,
                "Condition.StringEquals.a: bad policy variable `${x`, expected `${key}` or `${key, 'default'}`",
            ),
        ] {
            assert_eq!(read(condition).unwrap_err(), expected);
        }
        for bad in [
            "null",
            "[]",
            r#"{"Bool":null}"#,
            r#"{"Bool":{"a":{}}}"#,
            r#"{"Bool":{"a":[["true"]]}}"#,
            r#"{"NumericEquals":{"a":1e3}}"#,
            r#"{"NumericEquals":{"a":"${x:y}"}}"#,
            r#"{"DateLessThan":{"a":"2020"}}"#,
            r#"{"IpAddress":{"a":"10.0.0.0/33"}}"#,
            r#"{"BinaryEquals":{"a":"YWI"}}"#,
            r#"{"Null":{"a":"maybe"}}"#,
            r#"{"StringEquals":{"":"b"}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
