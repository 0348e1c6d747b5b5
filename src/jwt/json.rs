//! JSON that means one thing: a member that is there twice is an error, at any depth.

use serde_json::{Map, Value};

use crate::contract::Distinct;

/// Reads an object, and nothing behind it.
pub(super) fn object(text: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(text) {
        Ok(Distinct(Value::Object(object))) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::object;

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
        let numbers_are_text =
            serde_json::from_str::<serde_json::Number>("0.10").unwrap().to_string() == "0.10";
        assert_eq!(disguised["a"].is_number(), numbers_are_text);
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
        assert!(object(format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000)).as_bytes()).is_none());
    }
}
