//! JSON in which no member is there twice. Whoever reads such a member takes the first or the last, and two readers
//! need not agree.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value without repeated members, at whatever depth.
pub(crate) struct Distinct(pub(crate) Value);

/// As what serde_json hands out fractions and long numbers, where any crate of the program has switched on its
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Whether that is so. Where it is, an object that looks like such a number cannot be told from one; elsewhere it is
/// an object.
static NUMBERS_ARE_TEXT: LazyLock<bool> = LazyLock::new(|| {
    let spelt = "0.10";
    serde_json::from_str::<Number>(spelt).is_ok_and(|number| number.to_string() == spelt)
});

/// What a number takes on the heap.
pub(super) fn number_bytes(number: &Number) -> usize {
    if *NUMBERS_ARE_TEXT { number.to_string().len() } else { 0 }
}

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctVisitor)
    }
}

struct DistinctVisitor;

impl<'de> Visitor<'de> for DistinctVisitor {
    type Value = Distinct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Distinct, E> {
        Ok(Distinct(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Distinct, E> {
        Ok(Distinct(text.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Distinct, E> {
        Ok(Distinct(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Distinct, E> {
        Ok(Distinct(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Distinct, D::Error> {
        Distinct::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distinct, A::Error> {
        let mut values = Vec::new();
        while let Some(Distinct(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Distinct(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Distinct, A::Error> {
        let mut members = Map::new();
        while let Some((name, Distinct(value))) = object.next_entry::<String, Distinct>()? {
            // The name may be that of a query parameter, which a client chooses: it is not repeated.
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        let number = members.get(NUMBER).and_then(Value::as_str).and_then(|text| text.parse::<Number>().ok());
        Ok(Distinct(match number.filter(|_| members.len() == 1 && *NUMBERS_ARE_TEXT) {
            Some(number) => number.into(),
            None => members.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_there_once_at_every_depth() {
        for good in [r#"{"a":1,"b":{"a":[{"a":null}],"c":-2.5}}"#, "[]", "1", r#""x""#, "true"] {
            let expected: Value = serde_json::from_str(good).unwrap();
            assert_eq!(serde_json::from_str::<Distinct>(good).unwrap().0, expected);
            assert_eq!(serde_json::from_value::<Distinct>(expected.clone()).unwrap().0, expected);
        }
        for bad in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"b":[{"c":{"a":1,"x":2,"a":3}}]}"#] {
            let error = serde_json::from_str::<Distinct>(bad).map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with("a member is there twice at line 1"), "{error}");
        }
    }
}
