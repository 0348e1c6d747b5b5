use std::borrow::Cow;
use std::cell::LazyCell;
use std::net::IpAddr;

use super::Condition;
use super::date::{self, Moment};
use super::network;
use super::number::Decimal;
use super::operand::{Flag, Operands, Text, flag};
use super::operator::{Comparison, Set, Test};
use crate::policy::context::{ConditionContext, ConditionKey, ConditionValue};
use crate::policy::glob;
use crate::policy::resolve::{self, Unresolved};
use crate::policy::truth::Truth;

impl Condition {
    /// Whether the condition holds.
    pub(in crate::policy) fn holds(&self, context: &dyn ConditionContext) -> Truth<'_> {
        self.holds_for(&context.value(&self.key), context)
    }

    /// Whether it holds when its key has this value.
    pub(in crate::policy) fn holds_for(
        &self,
        value: &ConditionValue<'_>,
        context: &dyn ConditionContext,
    ) -> Truth<'_> {
        if matches!(value, ConditionValue::Unavailable) || matches!(self.operands, Operands::Invalid) {
            return Truth::Unknown(&self.name);
        }
        if let (Test::Null, Operands::Bool(wanted)) = (self.operator.test, &self.operands) {
            let absent = is_missing(value, false);
            return Truth::from_bool(
                wanted.iter().any(|flag| matches!(flag, Flag::Known(flag) if *flag == absent)),
            );
        }
        if is_missing(value, self.operator.set.is_some()) {
            return Truth::from_bool(self.operator.holds_when_absent());
        }
        let one = |value: &ConditionValue<'_>| self.covers(value, context).negated_if(self.operator.negated);
        match (value, self.operator.set) {
            (ConditionValue::Texts(_), None) => Truth::False,
            (ConditionValue::Texts(texts), Some(set)) => {
                let items =
                    texts.iter().filter(|text| !text.is_empty()).map(|text| one(&text.as_str().into()));
                match set {
                    Set::All => Truth::all(items),
                    Set::Any => Truth::any(items),
                }
            }
            _ => one(value),
        }
    }

    /// Whether any of the policy's values covers one value of the request.
    fn covers(&self, value: &ConditionValue<'_>, context: &dyn ConditionContext) -> Truth<'_> {
        let known = match &self.operands {
            Operands::Text(texts) => return self.covers_text(texts, value, context),
            Operands::Bool(flags) => return self.covers_flag(flags, value, context),
            Operands::Ip(networks) => {
                ip_of(value).map(|address| networks.iter().any(|network| network::contains(network, address)))
            }
            Operands::Date(dates) => moment_of(value).map(|moment| {
                let comparison = self.comparison();
                dates.iter().any(|date| comparison.holds(moment.cmp(date)))
            }),
            Operands::Number(_) => self.covers_number(value),
            Operands::Binary(blobs) => text_of(&self.key, value)
                .map(|text| blobs.iter().any(|blob| blob.as_slice() == text.as_bytes())),
            Operands::Invalid => None,
        };
        known.map_or(Truth::Unknown(&self.name), Truth::from_bool)
    }

    fn covers_number(&self, value: &ConditionValue<'_>) -> Option<bool> {
        let Operands::Number(numbers) = &self.operands else { return None };
        let comparison = self.comparison();
        let whole = match (value, &self.key) {
            (ConditionValue::Number(whole), _) => Some(*whole),
            (ConditionValue::Time(time), ConditionKey::EpochTime) => Some(date::epoch_seconds(*time)),
            _ => None,
        };
        if let Some(whole) = whole
            && numbers.iter().all(|number| number.whole.is_some())
        {
            return Some(
                numbers.iter().filter_map(|number| number.whole).any(|n| comparison.holds(whole.cmp(&n))),
            );
        }
        let text = text_of(&self.key, value)?;
        let value = Decimal::parse(&text)?;
        let number = |text| Decimal::parse(text).is_some_and(|number| comparison.holds(value.cmp(&number)));
        Some(numbers.iter().any(|operand| number(&operand.text)))
    }

    fn covers_flag<'p>(
        &'p self,
        flags: &'p [Flag],
        value: &ConditionValue<'_>,
        context: &dyn ConditionContext,
    ) -> Truth<'p> {
        let value = match value {
            ConditionValue::Bool(value) => Some(*value),
            value => text_of(&self.key, value).and_then(|text| flag(&text)),
        };
        let Some(value) = value else { return Truth::Unknown(&self.name) };
        Truth::any(flags.iter().map(|operand| {
            match operand {
                Flag::Known(known) => Truth::from_bool(*known == value),
                Flag::Variable(text) => match resolve::text(text, context, "false".len()) {
                    Ok(text) => text
                        .and_then(|text| flag(&text))
                        .map_or(Truth::Unknown(&self.name), |known| Truth::from_bool(known == value)),
                    Err(Unresolved::Missing(_)) => Truth::False,
                    Err(Unresolved::Unavailable(key)) => Truth::Unknown(key),
                },
            }
        }))
    }

    fn covers_text<'p>(
        &'p self,
        texts: &'p [Text],
        value: &ConditionValue<'_>,
        context: &dyn ConditionContext,
    ) -> Truth<'p> {
        let test = self.operator.test;
        let Some(value) = text_of(&self.key, value) else { return Truth::Unknown(&self.name) };
        let lower = LazyCell::new(|| lower_case(&value));
        let is_ascii = test == Test::StringEqualsIgnoreCase && value.is_ascii();
        let text_fits = |wanted: &str| match test {
            Test::StringEqualsIgnoreCase if is_ascii && wanted.is_ascii() => {
                wanted.eq_ignore_ascii_case(&value)
            }
            Test::StringEqualsIgnoreCase => lower_case(wanted) == **lower,
            _ => text_fits(test, wanted, &value),
        };
        if test == Test::Arn && (!value.starts_with("arn:") || value.splitn(6, ':').count() < 6) {
            return Truth::Unknown(&self.name);
        }
        // In another case a letter may have more bytes, or fewer.
        let longest = value.len() * if test == Test::StringEqualsIgnoreCase { 4 } else { 1 };
        Truth::any(texts.iter().map(|operand| {
            if !operand.has_variables {
                return Truth::from_bool(text_fits(&operand.text));
            }
            let fits = match test {
                Test::Arn | Test::StringLike => {
                    resolve::tokens(&operand.text, context, longest).map(|tokens| {
                        tokens.is_some_and(|tokens| match test {
                            Test::Arn => arn_fits(&tokens, &value),
                            _ => glob::matches_tokens(&tokens, &value),
                        })
                    })
                }
                _ => resolve::text(&operand.text, context, longest)
                    .map(|text| text.is_some_and(|text| text_fits(&text))),
            };
            match fits {
                Ok(fits) => Truth::from_bool(fits),
                Err(Unresolved::Missing(_)) => Truth::False,
                Err(Unresolved::Unavailable(key)) => Truth::Unknown(key),
            }
        }))
    }

    fn comparison(&self) -> Comparison {
        match self.operator.test {
            Test::Date(comparison) | Test::Number(comparison) => comparison,
            _ => Comparison::Equal,
        }
    }
}

/// Whether there is no value; for operators over sets an empty text is none.
fn is_missing(value: &ConditionValue<'_>, for_set: bool) -> bool {
    match value {
        ConditionValue::Absent => true,
        ConditionValue::Text(text) => for_set && text.is_empty(),
        ConditionValue::Texts(texts) if for_set => texts.iter().all(String::is_empty),
        ConditionValue::Texts(texts) => texts.is_empty(),
        _ => false,
    }
}

/// A single value as text.
pub(in crate::policy) fn text_of<'v>(
    key: &ConditionKey,
    value: &'v ConditionValue<'_>,
) -> Option<Cow<'v, str>> {
    match value {
        ConditionValue::Text(text) => Some(Cow::Borrowed(text)),
        ConditionValue::Bool(true) => Some(Cow::Borrowed("true")),
        ConditionValue::Bool(false) => Some(Cow::Borrowed("false")),
        ConditionValue::Ip(address) => Some(Cow::Owned(address.to_canonical().to_string())),
        ConditionValue::Number(number) => Some(Cow::Owned(number.to_string())),
        ConditionValue::Time(time) => Some(Cow::Owned(match key {
            ConditionKey::EpochTime => date::epoch_seconds(*time).to_string(),
            _ => date::to_text(*time),
        })),
        ConditionValue::Absent | ConditionValue::Texts(_) | ConditionValue::Unavailable => None,
    }
}

fn ip_of(value: &ConditionValue<'_>) -> Option<IpAddr> {
    match value {
        ConditionValue::Ip(address) => Some(*address),
        ConditionValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn moment_of(value: &ConditionValue<'_>) -> Option<Moment> {
    match value {
        ConditionValue::Time(time) => Some(Moment::from(*time)),
        // As its digits would be read.
        ConditionValue::Number(seconds) => Moment::parse(&seconds.to_string()),
        ConditionValue::Text(text) => Moment::parse(text),
        _ => None,
    }
}

/// In lower case, letter by letter: `str::to_lowercase` writes a sigma in two ways, for the end of a word and for elsewhere.
fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

fn text_fits(test: Test, wanted: &str, value: &str) -> bool {
    match test {
        Test::StringLike => glob::matches_text(wanted, value),
        Test::Arn => {
            let mut fields = wanted.splitn(6, ':');
            let all = value
                .splitn(6, ':')
                .all(|value| fields.next().is_some_and(|field| glob::matches_text(field, value)));
            all && fields.next().is_none()
        }
        _ => wanted == value,
    }
}

/// The same as for a plain pattern, after variables were put in: one may stand for a whole ARN, so its colons count.
fn arn_fits(pattern: &[glob::Token], value: &str) -> bool {
    let mut fields = pattern.splitn(6, |token| *token == glob::Token::Byte(b':'));
    let all = value
        .splitn(6, ':')
        .all(|value| fields.next().is_some_and(|field| glob::matches_tokens(field, value)));
    all && fields.next().is_none()
}
