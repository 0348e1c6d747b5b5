//! JSON that means one thing: a member that is there twice is an error, at any depth.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How `serde_json` hands over numbers where some crate in the build asks it to keep their text.
const NUMBER_TEXT: &str = "$serde_json::private::Number";

/// Whether that is so. Where it is, an object that looks like such a number cannot be told from one; elsewhere it is
/// an object.
static NUMBERS_ARE_TEXT: LazyLock<bool> = LazyLock::new(|| {
    let spelt = "0.10";
    serde_json::from_str::<Number>(spelt).is_ok_and(|number| number.to_string() == spelt)
});

/// Reads an object, and nothing behind it.
pub(super) fn object(text: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(text) {
        Ok(Strict(Value::Object(object))) => Some(object),
        _ => None,
    }
}

/// A value without repeated members.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER_TEXT && object.is_empty() && *NUMBERS_ARE_TEXT {
                let text: String = members.next_value()?;
                return text.parse().map(Value::Number).map_err(A::Error::custom);
            }
            let Strict(value) = members.next_value()?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{NUMBERS_ARE_TEXT, object};

    #[test]
    fn a_repeated_member_is_refused_wherever_it_is() {
        assert!(object(br#"{"a":{"b":1},"c":[{"b":1},{"b":-2.5e3}],"d":null,"e":true}"#).is_some());
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
            r#"{"a":1} x"#,
            r#"{"a":1}{}"#,
            r#"{"a":NaN}"#,
            r#"{"a":1e999}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            "[]",
            "1",
            "null",
            "",
            "\u{feff}{}",
        ] {
            assert!(object(bad.as_bytes()).is_none(), "{bad}");
        }
        let disguised = object(br#"{"a":{"$serde_json::private::Number":"1"}}"#).unwrap();
        assert_eq!(disguised["a"].is_number(), *NUMBERS_ARE_TEXT);
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
        assert!(object(format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000)).as_bytes()).is_none());
    }
}
