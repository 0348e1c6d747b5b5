use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::document::{OneOrMany, PolicyDocument, Statement};
use super::pattern::{ActionPattern, ResourcePattern};

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", self.version().as_str())?;
        if let Some(id) = self.id() {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", self.statements())?;
        map.end()
    }
}

/// The policy as JSON, in one line.
impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = self.sid() {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", self.effect.as_str())?;
        map.serialize_entry(
            if self.actions.negated { "NotAction" } else { "Action" },
            &self.actions.entries,
        )?;
        map.serialize_entry(
            if self.resources.negated { "NotResource" } else { "Resource" },
            &self.resources.entries,
        )?;
        map.end()
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
    use crate::policy::PolicyDocument;

    #[test]
    fn what_is_printed_reads_back_equal() {
        let text = concat!(
            r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Allow","#,
            r#""Action":["execute-api:Invoke","*"],"NotResource":"arn:aws:s3:::*"},"#,
            r#"{"Effect":"Deny","NotAction":"s3:*","Resource":[]}]}"#
        );
        let policy = PolicyDocument::from_json(text).unwrap();
        assert_eq!(policy.to_string(), text);
        assert_eq!(PolicyDocument::from_json(&policy.to_string()).unwrap(), policy);
    }
}
