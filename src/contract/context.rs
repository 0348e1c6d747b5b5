//! The flat map an authorizer sends along with its policy.

use serde_json::Number;

/// One value of an authorizer's context: the scalars that a REST API lets through.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ContextValue {
    /// `true` or `false`.
    Bool(bool),
    /// Present, but without a value.
    Null,
    /// A JSON number.
    Number(Number),
    /// Text.
    String(String),
}

impl ContextValue {
    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a whole number that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            _ => 0,
        }
    }
}

impl From<&ContextValue> for serde_json::Value {
    fn from(value: &ContextValue) -> Self {
        match value {
            ContextValue::Bool(value) => Self::Bool(*value),
            ContextValue::Null => Self::Null,
            ContextValue::Number(number) => Self::Number(number.clone()),
            ContextValue::String(text) => Self::String(text.clone()),
        }
    }
}

impl From<bool> for ContextValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for ContextValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for ContextValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Number> for ContextValue {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for ContextValue {
            fn from(value: $integer) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}

from_integer!(i8, i16, i32, i64, u8, u16, u32, u64);

impl<T: Into<Self>> From<Option<T>> for ContextValue {
    /// `None` is sent as `null`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The context of one answer: names and values, in the order in which they were given.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Context {
    entries: Vec<(Box<str>, ContextValue)>,
}

impl Context {
    /// Adds a value, or replaces the one of the same name. Names are case-sensitive.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: impl Into<ContextValue>) {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.entries.push((name, value)),
        }
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ContextValue> {
        self.entries.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.iter().map(|(name, value)| (&**name, value))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|(name, value)| name.len() + value.heap_bytes()).sum();
        texts + self.entries.capacity() * size_of::<(Box<str>, ContextValue)>()
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<ContextValue> {
        let at = self.entries.iter().position(|(known, _)| **known == *name)?;
        Some(self.entries.remove(at).1)
    }
}

/// Prints the names only: the values may be anything an authorizer knows about a person.
impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.iter().map(|(name, _)| name)).finish()
    }
}
