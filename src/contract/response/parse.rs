//! Answers that arrive as JSON, read strictly.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::shown;
use super::rules::MAX_DEPTH;
use super::unknown::Unknown;
use super::{AuthorizerResponse, ResponseError, ResponseRules};
use crate::contract::{Context, ContextValue};
use crate::policy::PolicyDocument;

impl AuthorizerResponse {
    /// Reads the answer of a Lambda function, as strictly as the kind of API at hand.
    ///
    /// `context` and `usageIdentifierKey` may be null, which is as if they were not there. Members nobody knows are
    /// ignored; one that differs from a known one by case only is an error, since it was hardly meant to be ignored.
    ///
    /// ```
    /// use tower_lambda_authorizer::AuthorizerResponse;
    /// use tower_lambda_authorizer::contract::ResponseRules;
    ///
    /// let text = r#"{"isAuthorized": "false"}"#;
    /// let error = AuthorizerResponse::from_json(text, &ResponseRules::http_simple()).unwrap_err();
    /// assert_eq!(error.to_string(), "malformed answer at `isAuthorized`: expected `true` or `false`");
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is too long, not JSON, or not an answer that `rules` accept. The error says where.
    pub fn from_json(text: impl AsRef<[u8]>, rules: &ResponseRules) -> Result<Self, ResponseError> {
        let response = Self::read(text.as_ref(), rules)?;
        response.check(rules)?;
        Ok(response)
    }

    /// The same for a function that may be one of ours: its expiry is taken out of the context
    /// before the rules see it.
    #[cfg(any(feature = "remote", feature = "remote-aws"))]
    pub(crate) fn from_function_json(
        text: &[u8],
        rules: &ResponseRules,
    ) -> Result<(Self, Option<ContextValue>), ResponseError> {
        let mut response = Self::read(text, rules)?;
        let expires_at = response.context.remove(crate::contract::reserved::EXPIRES_AT);
        response.check(rules)?;
        Ok((response, expires_at))
    }

    fn read(text: &[u8], rules: &ResponseRules) -> Result<Self, ResponseError> {
        if text.len() > rules.max_bytes() {
            return Err(ResponseError::TooLarge { bytes: text.len(), limit: rules.max_bytes() });
        }
        let text =
            std::str::from_utf8(text).map_err(|_| ResponseError::malformed("", "it is not valid UTF-8"))?;
        Members::read(text)?.into_response(rules)
    }
}

const KNOWN: [&str; 5] = ["principalId", "policyDocument", "context", "usageIdentifierKey", "isAuthorized"];

/// The known members, still as text.
#[derive(Default)]
struct Members<'t> {
    values: [Option<&'t RawValue>; KNOWN.len()],
}

impl<'t> Members<'t> {
    fn read(text: &'t str) -> Result<Self, ResponseError> {
        let problem = RefCell::new(None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let unknown = RefCell::default();
        let members = MembersSeed { problem: &problem, unknown: &unknown }
            .deserialize(&mut deserializer)
            .and_then(|members| deserializer.end().map(|()| members))
            .map_err(|error| problem.take().unwrap_or_else(|| syntax("", &error)))?;
        unknown.into_inner().tell();
        Ok(members)
    }

    fn into_response(self, rules: &ResponseRules) -> Result<AuthorizerResponse, ResponseError> {
        let [principal_id, policy, context, usage_identifier_key, is_authorized] =
            self.values.map(|value| value.map(RawValue::get));
        let response = match (policy, is_authorized) {
            (Some(_), Some(_)) => return Err(ResponseError::PolicyAndSimple),
            (None, Some(value)) => {
                let is_authorized = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(ResponseError::malformed("isAuthorized", "expected `true` or `false`")),
                };
                AuthorizerResponse::simple(is_authorized)
            }
            (Some(policy), None) => {
                if !policy.starts_with('{') {
                    return Err(ResponseError::malformed(
                        "policyDocument",
                        "expected a policy, as an object",
                    ));
                }
                let principal_id = principal_id.map(|value| string("principalId", value)).transpose()?;
                // A principal id that has to be there is named before anything that is wrong with the policy.
                match principal_id {
                    Some(id) if !id.is_empty() => {
                        AuthorizerResponse::new(id, PolicyDocument::from_json(policy)?)?
                    }
                    Some(_) if rules.needs_principal() => return Err(ResponseError::EmptyPrincipalId),
                    None if rules.needs_principal() => return Err(ResponseError::MissingPrincipalId),
                    Some(_) | None => {
                        AuthorizerResponse::without_principal(PolicyDocument::from_json(policy)?)
                    }
                }
            }
            (None, None) => {
                let missing = if rules.has_simple_responses() { "isAuthorized" } else { "policyDocument" };
                return Err(ResponseError::malformed(missing, "it is missing"));
            }
        };
        let usage_identifier_key = usage_identifier_key
            .filter(|value| *value != "null")
            .map(|value| string("usageIdentifierKey", value))
            .transpose()?
            .filter(|key| !key.is_empty());
        let context = context.filter(|value| *value != "null").map(read_context).transpose()?;
        Ok(AuthorizerResponse {
            context: context.unwrap_or_default(),
            usage_identifier_key: usage_identifier_key.map(Into::into),
            ..response
        })
    }
}

/// A string, whose text is in no error message.
fn string(location: &'static str, value: &str) -> Result<String, ResponseError> {
    if !value.starts_with('"') {
        return Err(ResponseError::malformed(location, "expected a string"));
    }
    serde_json::from_str(value)
        .map_err(|_| ResponseError::malformed(location, "the string holds a malformed escape"))
}

fn read_context(text: &str) -> Result<Context, ResponseError> {
    if !text.starts_with('{') {
        return Err(ResponseError::malformed("context", "expected an object"));
    }
    let trace = Trace::default();
    match (ValueSeed { trace: &trace, depth: 0 }).deserialize(&mut serde_json::Deserializer::from_str(text)) {
        Ok(ContextValue::Object(context)) => Ok(context),
        Ok(_) => Err(ResponseError::malformed("context", "expected an object")),
        Err(error) => Err(trace.into_error(&error)),
    }
}

/// What serde says about syntax names a place and no value.
fn syntax(location: &str, error: &serde_json::Error) -> ResponseError {
    let message = match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => error.to_string(),
        _ => "expected an object".to_owned(),
    };
    ResponseError::malformed(location, message)
}

struct MembersSeed<'p> {
    problem: &'p RefCell<Option<ResponseError>>,
    unknown: &'p RefCell<Unknown>,
}

impl<'de> DeserializeSeed<'de> for MembersSeed<'_> {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an authorizer's answer, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let refuse = |error: ResponseError| {
            let message = error.to_string();
            self.problem.replace(Some(error));
            de::Error::custom(message)
        };
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let known = KNOWN.into_iter().zip(&mut members.values);
            match known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                None => {
                    self.unknown.borrow_mut().note(&name);
                    map.next_value::<IgnoredAny>()?;
                }
                Some((known, _)) if known != name => {
                    return Err(refuse(ResponseError::malformed(
                        "",
                        format!("there is a misspelt member, expected `{known}`"),
                    )));
                }
                Some((known, Some(_))) => {
                    return Err(refuse(ResponseError::malformed(known, "it is there twice")));
                }
                Some((_, value)) => *value = Some(map.next_value()?),
            }
        }
        Ok(members)
    }
}

/// The way to a mistake in a context, gathered while the error passes outwards.
#[derive(Default)]
struct Trace {
    problem: RefCell<Option<&'static str>>,
    path: RefCell<Vec<String>>,
}

impl Trace {
    fn refuse<E: de::Error>(&self, problem: &'static str) -> E {
        self.problem.replace(Some(problem));
        E::custom(problem)
    }

    fn passed<E>(&self, error: E, segment: String) -> E {
        self.path.borrow_mut().push(segment);
        error
    }

    fn into_error(self, error: &serde_json::Error) -> ResponseError {
        let mut location = "context".to_owned();
        self.path.into_inner().iter().rev().for_each(|segment| location.push_str(segment));
        match self.problem.into_inner() {
            Some(problem) => ResponseError::malformed(location, problem),
            None => syntax(&location, error),
        }
    }
}

/// One value, inside so many lists and objects.
#[derive(Clone, Copy)]
struct ValueSeed<'t> {
    trace: &'t Trace,
    depth: usize,
}

impl ValueSeed<'_> {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        // The context itself is the first level.
        match self.depth {
            depth if depth > MAX_DEPTH => Err(self.trace.refuse("it is nested too deeply")),
            depth => Ok(Self { depth: depth + 1, ..self }),
        }
    }
}

/// As what serde_json hands out fractions and long numbers, where any crate of the program has switched on its
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

impl ValueSeed<'_> {
    /// What is too large without that feature is too large with it.
    fn disguised_number<E: de::Error>(self, text: &str) -> Result<ContextValue, E> {
        let number = text.parse::<serde_json::Number>().ok();
        let finite = number.filter(|number| number.as_f64().is_some_and(f64::is_finite));
        finite.map(Into::into).ok_or_else(|| self.trace.refuse("the number is too large"))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ContextValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ContextValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ContextValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<ContextValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<ContextValue, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<ContextValue, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<ContextValue, E> {
        let number = serde_json::Number::from_f64(value);
        number.map(Into::into).ok_or_else(|| self.trace.refuse("the number is too large"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ContextValue, E> {
        Ok(text.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<ContextValue, E> {
        Ok(ContextValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ContextValue, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        loop {
            match list.next_element_seed(inside) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(ContextValue::Array(values)),
                Err(error) => return Err(self.trace.passed(error, format!("[{}]", values.len()))),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContextValue, A::Error> {
        let inside = self.inside()?;
        let mut names = HashSet::new();
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let place = || format!(".{}", shown(&name));
            if !names.insert(name.clone()) {
                return Err(self.trace.passed(self.trace.refuse("it is there twice"), place()));
            }
            let value = map.next_value_seed(inside).map_err(|error| self.trace.passed(error, place()))?;
            entries.push((name.into_boxed_str(), value));
        }
        match &*entries {
            [(name, ContextValue::String(text))] if **name == *NUMBER => self.disguised_number(text),
            _ => Ok(ContextValue::Object(Context::from_distinct(entries))),
        }
    }
}
