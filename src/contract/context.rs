//! The map an authorizer sends along with its verdict.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::distinct::number_bytes;

/// One value of an authorizer's context.
///
/// REST and WebSocket APIs, and events of format 1.0, let scalars through and nothing else; an answer with a list or
/// an object is refused there. HTTP APIs with format 2.0 take any of these.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ContextValue {
    /// A list.
    Array(Vec<Self>),
    /// `true` or `false`.
    Bool(bool),
    /// Present, but without a value.
    Null,
    /// A JSON number.
    Number(Number),
    /// An object.
    Object(Context),
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

    /// The number, if this is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
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

    /// Whether this is neither a list nor an object.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The text of a scalar, as a REST API writes it: `123` is `"123"`, `true` is `"true"`. `None` for null, lists and
    /// objects.
    pub(crate) fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The number that this is, or that it spells.
    pub(crate) fn to_number(&self) -> Option<Cow<'_, Number>> {
        match self {
            Self::Number(number) => Some(Cow::Borrowed(number)),
            Self::String(text) => text.parse().ok().map(Cow::Owned),
            _ => None,
        }
    }

    /// The truth value that this is, or that it spells.
    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether lists and objects are nested at most so deep.
    pub(crate) fn is_within(&self, depth: usize) -> bool {
        match (self, depth.checked_sub(1)) {
            (Self::Array(values), Some(depth)) => values.iter().all(|value| value.is_within(depth)),
            (Self::Object(context), Some(depth)) => context.iter().all(|(_, value)| value.is_within(depth)),
            (_, depth) => depth.is_some() || self.is_scalar(),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.capacity(),
            Self::Array(values) => {
                let inner: usize = values.iter().map(Self::heap_bytes).sum();
                inner + values.capacity() * size_of::<Self>()
            }
            Self::Object(context) => context.heap_bytes(),
            Self::Number(number) => number_bytes(number),
            Self::Bool(_) | Self::Null => 0,
        }
    }
}

impl From<&ContextValue> for Value {
    fn from(value: &ContextValue) -> Self {
        match value {
            ContextValue::Array(values) => Self::Array(values.iter().map(Into::into).collect()),
            ContextValue::Bool(value) => Self::Bool(*value),
            ContextValue::Null => Self::Null,
            ContextValue::Number(number) => Self::Number(number.clone()),
            ContextValue::Object(context) => Self::Object(context.into()),
            ContextValue::String(text) => Self::String(text.clone()),
        }
    }
}

impl From<Value> for ContextValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(values) => Self::Array(values.into_iter().map(Into::into).collect()),
            Value::Bool(value) => Self::Bool(value),
            Value::Null => Self::Null,
            Value::Number(number) => Self::Number(number),
            Value::Object(object) => Self::Object(Context::from_distinct(
                object.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            )),
            Value::String(text) => Self::String(text),
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

impl From<&String> for ContextValue {
    fn from(value: &String) -> Self {
        Self::String(value.clone())
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

impl From<Context> for ContextValue {
    fn from(value: Context) -> Self {
        Self::Object(value)
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

impl<T: Into<Self>> From<Vec<T>> for ContextValue {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

/// The context of one answer: names and values, in the order in which they were given.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Context {
    entries: Vec<(Box<str>, ContextValue)>,
}

impl Context {
    /// Adds a value, or replaces the one of the same name. Names are case-sensitive.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<ContextValue>) {
        let (name, value) = (name.into().into_boxed_str(), value.into());
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

    /// From entries whose names are known to differ.
    pub(crate) fn from_distinct(entries: Vec<(Box<str>, ContextValue)>) -> Self {
        Self { entries }
    }
}

impl<N: Into<String>, V: Into<ContextValue>> FromIterator<(N, V)> for Context {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let mut context = Self::default();
        for (name, value) in entries {
            context.insert(name, value);
        }
        context
    }
}

impl From<&Context> for serde_json::Map<String, Value> {
    fn from(context: &Context) -> Self {
        context.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

/// Prints the names only: the values may be anything an authorizer knows about a person.
impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.iter().map(|(name, _)| name)).finish()
    }
}
