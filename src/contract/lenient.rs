//! Reading a context whose numbers and truth values may be text.

use serde::de::value::SeqDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number};

use super::{Context, ContextValue};

pub(super) fn read<T: DeserializeOwned>(context: &Context) -> Result<T, Error> {
    T::deserialize(Object(context))
}

/// A context as an object.
#[derive(Clone, Copy)]
struct Object<'de>(&'de Context);

impl<'de> Deserializer<'de> for Object<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries { entries: self.0.iter(), pending: None })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'de, I> {
    entries: I,
    pending: Option<(&'de str, &'de ContextValue)>,
}

impl<'de, I: Iterator<Item = (&'de str, &'de ContextValue)>> MapAccess<'de> for Entries<'de, I> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.pending = self.entries.next();
        let Some((name, _)) = self.pending else { return Ok(None) };
        seed.deserialize(IntoDeserializer::<Error>::into_deserializer(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.pending.take().ok_or_else(|| Error::custom("a value without a name"))?;
        seed.deserialize(Lenient(value)).map_err(|error| Error::custom(format_args!("`{name}`: {error}")))
    }
}

/// One value.
#[derive(Clone, Copy)]
struct Lenient<'de>(&'de ContextValue);

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Lenient<'de> {
    /// As the number that this is or spells; else as what it is.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.to_number() {
            Some(number) => visit_number(&number, visitor),
            None => self.deserialize_any(visitor),
        }
    }

    /// As the text that this is, or that a REST API makes of it; else as what it is.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            ContextValue::String(text) => visitor.visit_borrowed_str(text),
            value => match value.to_text() {
                Some(text) => visitor.visit_str(&text),
                None => self.deserialize_any(visitor),
            },
        }
    }
}

macro_rules! leniently {
    ($($deserialize:ident => $as:ident,)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$as(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            ContextValue::Array(values) => {
                visitor.visit_seq(SeqDeserializer::new(values.iter().map(Lenient)))
            }
            ContextValue::Bool(value) => visitor.visit_bool(*value),
            ContextValue::Null => visitor.visit_unit(),
            ContextValue::Number(number) => visit_number(number, visitor),
            ContextValue::Object(context) => Object(context).deserialize_any(visitor),
            ContextValue::String(text) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.to_bool() {
            Some(value) => visitor.visit_bool(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            ContextValue::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            ContextValue::String(text) => {
                visitor.visit_enum(IntoDeserializer::<Error>::into_deserializer(text.as_str()))
            }
            ContextValue::Object(context) => {
                visitor.visit_enum(serde::de::value::MapAccessDeserializer::new(Entries {
                    entries: context.iter(),
                    pending: None,
                }))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    leniently! {
        deserialize_i8 => number,
        deserialize_i16 => number,
        deserialize_i32 => number,
        deserialize_i64 => number,
        deserialize_i128 => number,
        deserialize_u8 => number,
        deserialize_u16 => number,
        deserialize_u32 => number,
        deserialize_u64 => number,
        deserialize_u128 => number,
        deserialize_f32 => number,
        deserialize_f64 => number,
        deserialize_char => text,
        deserialize_str => text,
        deserialize_string => text,
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Error> {
    if let Some(value) = number.as_u64() {
        visitor.visit_u64(value)
    } else if let Some(value) = number.as_i64() {
        visitor.visit_i64(value)
    } else if let Some(value) = number.as_f64() {
        visitor.visit_f64(value)
    } else {
        Err(Error::custom("the number is too large"))
    }
}
