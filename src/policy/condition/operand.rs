use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;

use super::date::Moment;
use super::network;
use super::number::Decimal;
use super::operator::{Operator, Test};
use crate::policy::document::Version;
use crate::policy::error::{PolicyError, PolicyErrorKind, quoted};
use crate::policy::variable;

/// The values of a condition, read once.
#[derive(Clone, Debug)]
pub(super) enum Operands {
    Binary(Vec<Vec<u8>>),
    Bool(Vec<Flag>),
    Date(Vec<Moment>),
    /// They mean nothing in the version they are in.
    Invalid,
    Ip(Vec<IpNet>),
    Number(Vec<Number>),
    Text(Vec<Text>),
}

/// A text and whether it has variables.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: Box<str>,
    pub(super) has_variables: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Flag {
    Known(bool),
    Variable(Box<str>),
}

/// A number with its text, and as an integer where it is a small one.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) text: Box<str>,
    pub(super) whole: Option<i64>,
}

impl Operands {
    pub(super) fn parse(
        operator: Operator,
        texts: &[Box<str>],
        version: Version,
    ) -> Result<Self, PolicyError> {
        let variables = version == Version::V2012 && operator.takes_variables();
        if variables {
            texts.iter().try_for_each(|text| variable::check(text))?;
        }
        let is_variable = |text: &str| variables && text.contains("${");
        match operator.test {
            Test::Binary => each(texts, "padded base64", |text| STANDARD.decode(text).ok()).map(Self::Binary),
            Test::Bool => each(texts, "`true` or `false`", |text| {
                if is_variable(text) {
                    Some(Flag::Variable(text.into()))
                } else {
                    flag(text).map(Flag::Known)
                }
            })
            .map(Self::Bool),
            Test::Null => {
                each(texts, "`true` or `false`", |text| flag(text).map(Flag::Known)).map(Self::Bool)
            }
            Test::Date(_) => {
                let expected =
                    "a date such as `2030-01-01T00:00:00Z` or seconds since 1970 in 5 to 11 digits";
                each(texts, expected, Moment::parse).map(Self::Date)
            }
            Test::Ip => {
                each(texts, "an address or a network such as `203.0.113.0/24`", network::parse).map(Self::Ip)
            }
            Test::Number(_) => each(texts, "a number such as `-12.5`, without exponent", |text| {
                Decimal::parse(text).map(|number| Number { text: text.into(), whole: number.to_whole() })
            })
            .map(Self::Number),
            Test::Arn | Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
                let text = |text: &str| Text { text: text.into(), has_variables: is_variable(text) };
                Ok(Self::Text(texts.iter().map(|source| text(source)).collect()))
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Binary(values) => {
                let bytes: usize = values.iter().map(Vec::capacity).sum();
                bytes + values.capacity() * size_of::<Vec<u8>>()
            }
            Self::Bool(values) => values.capacity() * size_of::<Flag>(),
            Self::Date(values) => values.capacity() * size_of::<Moment>(),
            Self::Invalid => 0,
            Self::Ip(values) => values.capacity() * size_of::<IpNet>(),
            Self::Number(values) => {
                let texts: usize = values.iter().map(|value| value.text.len()).sum();
                texts + values.capacity() * size_of::<Number>()
            }
            Self::Text(values) => values.iter().map(|value| value.text.len() + size_of::<Text>()).sum(),
        }
    }
}

/// Truth values are read in any case.
pub(super) fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn each<T>(
    texts: &[Box<str>],
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, PolicyError> {
    texts
        .iter()
        .map(|text| {
            parse(text).ok_or_else(|| {
                let message = format!("bad value {}, expected {expected}", quoted(text));
                PolicyError::new(PolicyErrorKind::BadValue, message)
            })
        })
        .collect()
}
