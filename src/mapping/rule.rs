//! One change: what is done, to which parameter, from which value.

use http::HeaderName;

use super::error::MappingError;
use super::value::Value;
use super::{header, query};
use crate::request::IdentitySource;

#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// As it was written.
    pub(super) key: Box<str>,
    pub(super) operation: Operation,
    pub(super) target: Target,
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    Append,
    Overwrite,
    Remove,
}

#[derive(Clone, Debug)]
pub(super) enum Target {
    Header(HeaderName),
    QueryString(Box<str>),
}

impl Rule {
    pub(super) fn parse(key: &str, value: &str) -> Result<Self, MappingError> {
        let wrong_key = || MappingError::Key { key: key.into() };
        let (operation, target) = key.split_once(':').ok_or_else(wrong_key)?;
        let operation = match operation {
            "append" => Operation::Append,
            "overwrite" => Operation::Overwrite,
            "remove" => Operation::Remove,
            _ => return Err(wrong_key()),
        };
        let target = Target::parse(key, target)?;
        let value = match (operation, value) {
            (Operation::Remove, "") => Value::default(),
            (Operation::Remove, _) => return Err(MappingError::ValueOfRemoval { key: key.into() }),
            (_, "") => return Err(MappingError::EmptyValue { key: key.into() }),
            _ => Value::parse(value)?,
        };
        if operation == Operation::Append && value.is_of_authorizer() {
            return Err(MappingError::AppendFromAuthorizer { key: key.into() });
        }
        let is_static_text = match &target {
            Target::Header(_) => {
                value.texts().all(|text| text.bytes().all(|byte| matches!(byte, 0x20..=0x7E)))
                    && value.as_static().is_none_or(header::is_value)
            }
            Target::QueryString(_) => value.texts().all(|text| !text.chars().any(char::is_control)),
        };
        if !is_static_text {
            return Err(MappingError::StaticText { key: key.into() });
        }
        Ok(Self { key: key.into(), operation, target, value })
    }

    /// Whether what a client sends there is deleted.
    pub(super) fn takes(&self) -> bool {
        self.operation != Operation::Append
    }

    /// What is changed, as in `header.x-user`.
    pub(super) fn parameter(&self) -> &str {
        self.key.split_once(':').map_or(&*self.key, |(_, parameter)| parameter)
    }

    /// Whether an identity source would no longer be what the authorizer saw. A header may be removed: the service
    /// then sees no credentials at all.
    pub(super) fn endangers(&self, source: &IdentitySource) -> bool {
        match &self.target {
            Target::Header(name) => {
                self.operation != Operation::Remove
                    && source
                        .header_name()
                        .is_some_and(|known| header::is_same(known.as_str(), name.as_str()))
            }
            Target::QueryString(name) => source.query_name().is_some_and(|known| query::is_same(known, name)),
        }
    }
}

impl Target {
    fn parse(key: &str, target: &str) -> Result<Self, MappingError> {
        let wrong_key = || MappingError::Key { key: key.into() };
        if target == "path" || target.starts_with("path.") {
            return Err(MappingError::Path { key: key.into() });
        }
        let (place, name) = target.split_once('.').ok_or_else(wrong_key)?;
        match place {
            "header" => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong_key())?;
                if header::is_reserved(name.as_str()) {
                    return Err(MappingError::ReservedHeader { key: key.into() });
                }
                Ok(Self::Header(name))
            }
            "querystring" if super::value::is_name(name) => Ok(Self::QueryString(name.into())),
            _ => Err(wrong_key()),
        }
    }

    /// Whether two rules would change one parameter.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_taken_by(other) || other.is_taken_by(self)
    }

    /// Whether who deletes the other deletes this, too. Not the same the other way round: `_user` is `user` to some.
    pub(super) fn is_taken_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header(name), Self::Header(other)) => header::is_same(name.as_str(), other.as_str()),
            (Self::QueryString(name), Self::QueryString(other)) => query::is_same(name, other),
            _ => false,
        }
    }
}
