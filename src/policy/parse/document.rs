use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::list::{Name, NameSeed, StringSeed, as_text};
use super::statement::StatementSeed;
use super::trace::{Segment, Trace};
use crate::policy::document::{Inner, PolicyDocument, Version};
use crate::policy::error::{PolicyError, PolicyErrorKind, quoted};
use crate::policy::pattern::ResourcePattern;
use crate::policy::statement::Statement;

#[derive(Clone, Copy)]
enum Element {
    Id,
    Statement,
    Version,
}

impl Element {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "Id" => Some(Self::Id),
            "Statement" => Some(Self::Statement),
            "Version" => Some(Self::Version),
            _ => None,
        }
    }
}

/// Reads a whole text as a policy.
pub(in crate::policy) fn document(text: &str) -> Result<PolicyDocument, PolicyError> {
    let trace = Trace::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = DocumentSeed { trace: &trace }
        .deserialize(&mut deserializer)
        .and_then(|document| deserializer.end().map(|()| document));
    match read {
        Ok(mut inner) => {
            finish(&mut inner)?;
            Ok(PolicyDocument::from_inner(inner))
        }
        Err(error) => Err(trace.into_error(&error)),
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    /// Works with the deserializers of `serde_json`, because a policy is checked down to the text of its numbers.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        document(text.get()).map_err(de::Error::custom)
    }
}

/// What can be checked only when the version is known, which may stand behind the statements: policy variables and
/// the values of conditions.
fn finish(inner: &mut Inner) -> Result<(), PolicyError> {
    let version = inner.version;
    for (index, statement) in inner.statements.iter_mut().enumerate() {
        if version == Version::V2012 {
            let name = if statement.resources.negated { "NotResource" } else { "Resource" };
            for (entry, resource) in statement.resources().iter().enumerate() {
                resource.check_variables().map_err(|error| {
                    let entry =
                        if statement.resources().len() == 1 { String::new() } else { format!("[{entry}]") };
                    error.with_location(format!("Statement[{index}].{name}{entry}"))
                })?;
            }
        } else {
            statement
                .resources
                .entries
                .as_mut_slice()
                .iter_mut()
                .for_each(ResourcePattern::take_marks_as_text);
        }
        for condition in &mut statement.conditions {
            condition.compile(version).map_err(|error| {
                let (operator, key) = (condition.operator(), condition.key_name());
                error.with_location(format!("Statement[{index}].Condition.{operator}.{key}"))
            })?;
        }
    }
    Ok(())
}

struct DocumentSeed<'t> {
    trace: &'t Trace,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = Inner;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Inner, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = Inner;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy, which is an object with `Version` and `Statement`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inner, A::Error> {
        let trace = self.trace;
        let (mut version, mut id, mut statements) = (None, None, None);
        while let Some(name) = map.next_key_seed(NameSeed(Element::parse))? {
            let (element, again) = match name {
                Name::Known(Element::Version) => ("Version", version.is_some()),
                Name::Known(Element::Id) => ("Id", id.is_some()),
                Name::Known(Element::Statement) => ("Statement", statements.is_some()),
                Name::Unknown(name) => {
                    let message =
                        format!("unknown element {}, expected `Version`, `Id` or `Statement`", quoted(&name));
                    return Err(trace.refuse_as(PolicyErrorKind::Unknown, message));
                }
            };
            if again {
                let message = format!("element `{element}` is there twice");
                return Err(trace.refuse_as(PolicyErrorKind::Duplicate, message));
            }
            let read = match element {
                "Version" => {
                    map.next_value_seed(StringSeed { trace, parse: parse_version }).map(|v| version = Some(v))
                }
                "Id" => map.next_value_seed(StringSeed { trace, parse: as_text }).map(|v| id = Some(v)),
                _ => map.next_value_seed(StatementsSeed { trace }).map(|v| statements = Some(v)),
            };
            read.map_err(|error| trace.passed(error, Segment::Element(element)))?;
        }
        let Some(statements) = statements else {
            let message = "element `Statement` is missing, expected a statement or a list of statements";
            return Err(trace.refuse_as(PolicyErrorKind::Missing, message));
        };
        Ok(Inner { version: version.unwrap_or(Version::V2008), id, statements })
    }
}

fn parse_version(text: &str) -> Result<Version, PolicyError> {
    match text {
        "2008-10-17" => Ok(Version::V2008),
        "2012-10-17" => Ok(Version::V2012),
        _ => Err(PolicyError::new(
            PolicyErrorKind::Unknown,
            format!("unknown version {}, expected `2012-10-17` or `2008-10-17`", quoted(text)),
        )),
    }
}

struct StatementsSeed<'t> {
    trace: &'t Trace,
}

impl<'de> DeserializeSeed<'de> for StatementsSeed<'_> {
    type Value = Vec<Statement>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StatementsSeed<'_> {
    type Value = Vec<Statement>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement or a list of statements")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(vec![StatementSeed { trace: self.trace }.visit_map(map)?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        // Most policies have one statement, and what is kept is what a cache weighs.
        let mut statements = Vec::with_capacity(1);
        loop {
            match list.next_element_seed(StatementSeed { trace: self.trace }) {
                Ok(Some(statement)) => statements.push(statement),
                Ok(None) => return Ok(statements),
                Err(error) => return Err(self.trace.passed(error, Segment::Index(statements.len()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{PolicyDocument, Version};

    fn error(text: &str) -> String {
        PolicyDocument::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn a_missing_version_is_the_old_one() {
        let policy = PolicyDocument::from_json(r#"{"Statement":[]}"#).unwrap();
        assert_eq!(policy.version(), Version::V2008);
        assert!(policy.statements().is_empty());
    }

    #[test]
    fn the_top_level_is_strict() {
        for (text, expected) in [
            ("{}", "element `Statement` is missing, expected a statement or a list of statements"),
            (r#"{"Statement":[],"Statement":[]}"#, "element `Statement` is there twice"),
            (r#"{"statement":[]}"#, "unknown element `statement`, expected `Version`, `Id` or `Statement`"),
        ] {
            assert_eq!(error(text), format!("malformed policy: {expected}"));
        }
        assert_eq!(
            error(r#"{"Version":"2012-10-18","Statement":[]}"#),
            "malformed policy at Version: unknown version `2012-10-18`, expected `2012-10-17` or `2008-10-17`"
        );
        for text in [
            "",
            "null",
            "[]",
            r#"{"Statement":null}"#,
            r#"{"Statement":[]} x"#,
            r#"{"Version":null,"Statement":[]}"#,
        ] {
            assert!(PolicyDocument::from_json(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_checked_when_the_version_is_known() {
        let text = |version: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":["*","arn:a:b:c:d:e/${{x"]}}{version}}}"#
            )
        };
        assert!(PolicyDocument::from_json(&text("")).is_ok());
        let error = PolicyDocument::from_json(&text(r#","Version":"2012-10-17""#)).unwrap_err();
        assert_eq!(error.location(), "Statement[0].Resource[1]");
    }

    #[test]
    fn a_policy_can_be_a_part_of_other_json() {
        let value = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let policy: PolicyDocument = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(policy, serde_json::from_str(&value.to_string()).unwrap());
        assert_eq!(policy.statements().len(), 1);
    }
}
