use std::fmt;

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::condition::Condition;
use super::document::{PolicyDocument, Version};
use super::pattern::{ActionPattern, ResourcePattern};
use super::statement::{OneOrMany, Statement};

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", self.version().as_str())?;
        if let Some(id) = self.id() {
            map.serialize_entry("Id", id)?;
        }
        let written = |statement| Written(statement, self.version());
        map.serialize_entry("Statement", &self.statements().iter().map(written).collect::<Vec<_>>())?;
        map.end()
    }
}

/// The policy as JSON, in one line. Where JSON cannot say it, what is shown is no JSON.
impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(self) {
            Ok(text) => f.write_str(&text),
            Err(error) => write!(f, "not printable: {error}"),
        }
    }
}

/// As it is written in a policy of version 2012-10-17.
impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written(self, Version::V2012).serialize(serializer)
    }
}

/// A part of a policy of this version.
struct Written<T>(T, Version);

impl Serialize for Written<&Statement> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(statement, version) = *self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = statement.sid() {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", statement.effect.as_str())?;
        map.serialize_entry(
            if statement.actions.negated { "NotAction" } else { "Action" },
            &statement.actions.entries,
        )?;
        map.serialize_entry(
            if statement.resources.negated { "NotResource" } else { "Resource" },
            &Written(&statement.resources.entries, version),
        )?;
        if !statement.conditions.is_empty() {
            if let Some(condition) = statement.repeated_condition() {
                let (operator, key) = (condition.operator(), condition.key_name());
                return Err(S::Error::custom(format!(
                    "`{operator}` of `{key}` is there twice, which JSON cannot say"
                )));
            }
            map.serialize_entry("Condition", &Written(Blocks(&statement.conditions), version))?;
        }
        map.end()
    }
}

/// The conditions of a statement by operator; those of one operator stand together.
struct Blocks<'s>(&'s [Condition]);

impl Serialize for Written<Blocks<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for block in self.0.0.chunk_by(|left, right| left.parsed_operator() == right.parsed_operator()) {
            if let Some(first) = block.first() {
                map.serialize_entry(&first.operator(), &Written(Block(block), self.1))?;
            }
        }
        map.end()
    }
}

struct Block<'s>(&'s [Condition]);

impl Serialize for Written<Block<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Block(conditions), version) = self;
        let mut map = serializer.serialize_map(Some(conditions.len()))?;
        for condition in *conditions {
            match &*condition.written(*version) {
                [value] => map.serialize_entry(condition.key_name(), value)?,
                values => map.serialize_entry(condition.key_name(), values)?,
            }
        }
        map.end()
    }
}

impl Serialize for Written<&OneOrMany<ResourcePattern>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let &Self(resources, version) = self;
        match resources {
            OneOrMany::Many(entries) => {
                serializer.collect_seq(entries.iter().map(|entry| entry.written(version)))
            }
            OneOrMany::One(entry) => serializer.serialize_str(&entry.written(version)),
        }
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Many(entries) => entries.serialize(serializer),
            Self::One(entry) => entry.serialize(serializer),
        }
    }
}

impl Serialize for ActionPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for ResourcePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{Condition, PolicyDocument, ResourcePattern, Statement};

    #[test]
    fn what_is_printed_reads_back_equal() {
        let text = concat!(
            r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Allow","#,
            r#""Action":["execute-api:Invoke","*"],"NotResource":"arn:aws:s3:::*"},"#,
            r#"{"Effect":"Deny","NotAction":"s3:*","Resource":[],"Condition":{"#,
            r#""ForAnyValue:StringLike":{"App:Group":["a*","${x:y}"],"b":"c"},"Null":{"k":"true"}}}]}"#
        );
        let policy = PolicyDocument::from_json(text).unwrap();
        assert_eq!(policy.to_string(), text);
        assert_eq!(PolicyDocument::from_json(&policy.to_string()).unwrap(), policy);
    }

    #[test]
    fn conditions_that_json_cannot_say_are_not_printed() {
        let condition = Condition::new("StringEquals", "a", ["x"]).unwrap();
        let again = Condition::new("StringEquals", "A", ["y"]).unwrap();
        let statement = Statement::allow(ResourcePattern::raw("*").unwrap());
        let policy =
            PolicyDocument::new().with_statement(statement.with_condition(condition).with_condition(again));
        assert!(serde_json::to_string(&policy).is_err());
        assert!(PolicyDocument::from_json(&policy.to_string()).is_err());
    }
}
