use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use crate::policy::truth::Truth;
use crate::policy::{Condition, ConditionContext, ConditionKey, ConditionValue};

/// The same value for the key `k`, and a fixed set of others.
struct Context<'a>(ConditionValue<'a>);

impl ConditionContext for Context<'_> {
    fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
        match key.as_str() {
            "k" => self.0.clone(),
            "x:name" => "a*c".into(),
            "x:flag" => "TRUE".into(),
            "x:arn" => "arn:a:b:c:d:e".into(),
            "x:hidden" => ConditionValue::Unavailable,
            _ => ConditionValue::Absent,
        }
    }
}

/// `T`, `F` or `U`.
fn holds(operator: &str, values: &[&str], value: ConditionValue<'_>) -> char {
    let condition = Condition::new(operator, "k", values.iter().copied()).unwrap();
    let holds = condition.holds(&Context(value));
    match holds {
        Truth::True => 'T',
        Truth::False => 'F',
        Truth::Unknown(_) => 'U',
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn text_is_compared() {
    for (operator, wanted, value, expected) in [
        ("StringEquals", "a", "a", 'T'),
        ("StringEquals", "a", "A", 'F'),
        ("StringEquals", "a*", "ab", 'F'),
        ("StringNotEquals", "a", "b", 'T'),
        ("StringNotEquals", "a", "a", 'F'),
        ("StringEqualsIgnoreCase", "É", "é", 'T'),
        ("StringNotEqualsIgnoreCase", "a", "A", 'F'),
        ("StringLike", "a*c?", "abbcd", 'T'),
        ("StringLike", "a", "ab", 'F'),
        ("StringNotLike", "a*", "b", 'T'),
        ("BinaryEquals", "YWI=", "ab", 'T'),
        ("ArnLike", "arn:aws:*:*:*:a/*", "arn:aws:s3:r:1:a/b:c", 'T'),
        ("ArnEquals", "arn:aws:*", "arn:aws:s3:r:1:a", 'F'),
        ("ArnNotLike", "arn:aws:*:*:*:a", "arn:aws:s3:r:1:b", 'T'),
        ("ArnLike", "arn:aws:*:*:*:a", "no arn", 'U'),
        ("Bool", "True", "tRUE", 'T'),
        ("Bool", "true", "yes", 'U'),
        ("NumericLessThan", "10", "9.5", 'T'),
        ("NumericEquals", "1.0", "1", 'T'),
        ("NumericEquals", "1", "1e0", 'U'),
        ("DateGreaterThan", "2020-01-01", "2020-01-01T00:00:01Z", 'T'),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", 'T'),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", 'F'),
        ("NotIpAddress", "10.0.0.0/8", "nowhere", 'U'),
        ("StringLike", "${x:name}", "a*c", 'T'),
        ("StringLike", "${x:name}", "abc", 'F'),
        ("StringLike", "${*}*", "*x", 'T'),
        ("StringLike", "${*}*", "x*", 'F'),
        ("StringEquals", "${x:none, 'z'}", "z", 'T'),
        ("StringEquals", "${x:none}", "", 'F'),
        ("StringNotEquals", "${x:none}", "", 'T'),
        ("StringNotEquals", "${x:hidden}", "", 'U'),
        ("Bool", "${X:Flag}", "true", 'T'),
        ("ArnEquals", "${x:arn}", "arn:a:b:c:d:e", 'T'),
    ] {
        assert_eq!(holds(operator, &[wanted], value.into()), expected, "{operator} {wanted} {value}");
    }
}

#[test]
fn several_values_are_alternatives() {
    assert_eq!(holds("StringEquals", &["a", "b"], "b".into()), 'T');
    assert_eq!(holds("StringNotEquals", &["a", "b"], "b".into()), 'F');
    assert_eq!(holds("StringNotEquals", &["a", "b"], "c".into()), 'T');
    assert_eq!(holds("StringEquals", &["${x:hidden}", "b"], "b".into()), 'T');
}

#[test]
fn absent_is_not_unknown() {
    for (operator, value, absent) in [
        ("StringEquals", "a", 'F'),
        ("StringNotEquals", "a", 'T'),
        ("StringEqualsIfExists", "a", 'T'),
        ("ForAllValues:StringEquals", "a", 'T'),
        ("ForAllValues:StringNotEquals", "a", 'T'),
        ("ForAnyValue:StringEquals", "a", 'F'),
        ("ForAnyValue:StringNotEquals", "a", 'F'),
        ("NumericEquals", "1", 'F'),
        ("NotIpAddress", "::/0", 'T'),
        ("Null", "true", 'T'),
        ("Null", "false", 'F'),
    ] {
        assert_eq!(holds(operator, &[value], ConditionValue::Absent), absent, "{operator}");
        assert_eq!(holds(operator, &[value], ConditionValue::Unavailable), 'U', "{operator}");
    }
    assert_eq!(holds("Null", &["true", "false"], ConditionValue::Absent), 'T');
}

#[test]
fn empty_text_is_missing_for_sets_only() {
    assert_eq!(holds("Null", &["true"], "".into()), 'F');
    assert_eq!(holds("StringEquals", &[""], "".into()), 'T');
    assert_eq!(holds("ForAllValues:StringEquals", &["a"], "".into()), 'T');
    assert_eq!(holds("ForAnyValue:StringEquals", &[""], "".into()), 'F');
}

#[test]
fn sets_are_compared() {
    let both = texts(&["a", "b"]);
    let both = || ConditionValue::from(both.as_slice());
    for (operator, values, expected) in [
        ("ForAnyValue:StringEquals", &["a"][..], 'T'),
        ("ForAllValues:StringEquals", &["a"], 'F'),
        ("ForAllValues:StringEquals", &["a", "b", "c"], 'T'),
        ("ForAnyValue:StringEquals", &["c"], 'F'),
        ("ForAllValues:StringNotEquals", &["a"], 'F'),
        ("ForAllValues:StringNotEquals", &["c"], 'T'),
        ("ForAnyValue:StringNotEquals", &["a"], 'T'),
        ("ForAnyValue:StringNotEquals", &["a", "b"], 'F'),
        ("StringEquals", &["a"], 'F'),
        ("StringNotEquals", &["c"], 'F'),
    ] {
        assert_eq!(holds(operator, values, both()), expected, "{operator} {values:?}");
    }
    assert_eq!(holds("ForAnyValue:StringEquals", &["a"], "a".into()), 'T');
    assert_eq!(holds("Null", &["false"], both()), 'T');
}

#[test]
fn typed_values_need_no_text() {
    let time = ConditionValue::Time(UNIX_EPOCH + Duration::from_secs(1_585_699_200));
    assert_eq!(holds("DateEquals", &["2020-04-01"], time.clone()), 'T');
    assert_eq!(holds("DateLessThanEquals", &["1585699200"], time.clone()), 'T');
    assert_eq!(holds("StringLike", &["2020-04-01T*"], time.clone()), 'T');
    assert_eq!(holds("NumericEquals", &["1"], time.clone()), 'U');
    assert_eq!(holds("NumericGreaterThan", &["4.5"], 5.into()), 'T');
    assert_eq!(holds("StringEquals", &["5"], 5.into()), 'T');
    assert_eq!(holds("Bool", &["false"], false.into()), 'T');
    let address: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
    assert_eq!(holds("IpAddress", &["10.0.0.0/8"], address.into()), 'T');
    assert_eq!(holds("StringEquals", &["10.0.0.1"], address.into()), 'T');
    let epoch = Condition::new("NumericEquals", "aws:EpochTime", ["1585699200"]).unwrap();
    assert_eq!(epoch.holds_for(&time, &Context(ConditionValue::Absent)), Truth::True);
}
