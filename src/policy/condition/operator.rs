use std::fmt;

use super::super::error::{PolicyError, PolicyErrorKind, quoted};

/// A condition operator with everything around its name: `ForAllValues:StringNotEqualsIfExists`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::policy) struct Operator {
    pub(super) set: Option<Set>,
    pub(super) test: Test,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
    name: &'static str,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Set {
    All,
    Any,
}

/// What an operator compares, with its negation taken off.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Test {
    Arn,
    Binary,
    Bool,
    Date(Comparison),
    Ip,
    Null,
    Number(Comparison),
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    pub(super) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

const OPERATORS: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::StringEqualsIgnoreCase, true),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Number(Comparison::Equal), false),
    ("NumericNotEquals", Test::Number(Comparison::Equal), true),
    ("NumericLessThan", Test::Number(Comparison::Less), false),
    ("NumericLessThanEquals", Test::Number(Comparison::LessOrEqual), false),
    ("NumericGreaterThan", Test::Number(Comparison::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Comparison::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Comparison::Equal), false),
    ("DateNotEquals", Test::Date(Comparison::Equal), true),
    ("DateLessThan", Test::Date(Comparison::Less), false),
    ("DateLessThanEquals", Test::Date(Comparison::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Comparison::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Comparison::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::Ip, false),
    ("NotIpAddress", Test::Ip, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    pub(in crate::policy) fn parse(text: &str) -> Result<Self, PolicyError> {
        let (set, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (Some(Set::All), rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (Some(Set::Any), rest)
        } else {
            (None, text)
        };
        let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
        let known = OPERATORS.iter().find(|(name, ..)| *name == base);
        match known {
            Some((_, Test::Null, _)) if if_exists || set.is_some() => {}
            Some(&(name, test, negated)) => return Ok(Self { set, test, negated, if_exists, name }),
            None => {}
        }
        let near = OPERATORS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(base)).map_or_else(
            || "one of the operators of IAM, such as `StringEquals` or `IpAddress`".to_owned(),
            |(name, ..)| format!("`{name}`"),
        );
        Err(PolicyError::new(
            PolicyErrorKind::Unknown,
            format!("unknown condition operator {}, expected {near}", quoted(text)),
        ))
    }

    /// Whether `${…}` means something in its values.
    pub(super) const fn takes_variables(self) -> bool {
        matches!(
            self.test,
            Test::Arn | Test::Bool | Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
        )
    }
}

impl Operator {
    pub(in crate::policy) const fn is_null(self) -> bool {
        matches!(self.test, Test::Null)
    }

    /// Whether a condition holds when its key is absent; not for `Null`.
    pub(in crate::policy) const fn holds_when_absent(self) -> bool {
        match self.set {
            _ if self.if_exists => true,
            Some(Set::All) => true,
            Some(Set::Any) => false,
            None => self.negated,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.set {
            Some(Set::All) => "ForAllValues:",
            Some(Set::Any) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(self.name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::{OPERATORS, Operator};

    #[test]
    fn every_operator_is_read_and_printed() {
        for (name, ..) in OPERATORS {
            assert_eq!(Operator::parse(name).unwrap().to_string(), name);
            for form in [
                format!("{name}IfExists"),
                format!("ForAnyValue:{name}"),
                format!("ForAllValues:{name}IfExists"),
            ] {
                match Operator::parse(&form) {
                    Ok(operator) => assert_eq!(operator.to_string(), form),
                    Err(_) => assert_eq!(name, "Null"),
                }
            }
        }
    }

    #[test]
    fn names_are_exact() {
        for bad in [
            "",
            "stringEquals",
            "StringEqualsIfExistsIfExists",
            "forAnyValue:StringEquals",
            "IfExists",
            "BinaryNotEquals",
        ] {
            assert!(Operator::parse(bad).is_err(), "{bad}");
        }
        let error = Operator::parse("ipaddress").unwrap_err();
        assert_eq!(error.message(), "unknown condition operator `ipaddress`, expected `IpAddress`");
    }
}
