use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::trace::{Segment, Trace};
use crate::policy::error::PolicyError;
use crate::policy::statement::OneOrMany;

/// One string or a list of strings, each read by the same function.
pub(super) struct ListSeed<'t, T> {
    pub(super) trace: &'t Trace,
    pub(super) parse: fn(&str) -> Result<T, PolicyError>,
}

impl<'de, T> DeserializeSeed<'de> for ListSeed<'_, T> {
    type Value = OneOrMany<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T> Visitor<'de> for ListSeed<'_, T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        (self.parse)(text).map(OneOrMany::One).map_err(|problem| self.trace.refuse(problem))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        loop {
            let seed = StringSeed { trace: self.trace, parse: self.parse };
            match list.next_element_seed(seed) {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => return Ok(OneOrMany::from_vec(entries)),
                Err(error) => return Err(self.trace.passed(error, Segment::Index(entries.len()))),
            }
        }
    }
}

/// One string, read by a function.
pub(super) struct StringSeed<'t, T> {
    pub(super) trace: &'t Trace,
    pub(super) parse: fn(&str) -> Result<T, PolicyError>,
}

impl<'de, T> DeserializeSeed<'de> for StringSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T> Visitor<'_> for StringSeed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(|problem| self.trace.refuse(problem))
    }
}

/// The name of an element, if it is one that is known.
pub(super) enum Name<E> {
    Known(E),
    Unknown(String),
}

/// Reads the name of an element.
pub(super) struct NameSeed<E>(pub(super) fn(&str) -> Option<E>);

impl<'de, E> DeserializeSeed<'de> for NameSeed<E> {
    type Value = Name<E>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<E> Visitor<'_> for NameSeed<E> {
    type Value = Name<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an element")
    }

    fn visit_str<X: de::Error>(self, text: &str) -> Result<Self::Value, X> {
        Ok((self.0)(text).map_or_else(|| Name::Unknown(text.to_owned()), Name::Known))
    }
}

/// Accepts what it is given as text.
pub(super) fn as_text(text: &str) -> Result<Box<str>, PolicyError> {
    Ok(text.into())
}
