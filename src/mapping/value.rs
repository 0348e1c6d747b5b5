//! What is set: text and variables.

use std::borrow::Cow;

use http::HeaderName;
use http::header::COOKIE;

use super::error::MappingError;
use crate::contract::{AuthorizerContext, ContextValue};
use crate::request::{ApiStage, ContextVariable, RequestView, decode_query, query_pairs};

#[derive(Clone, Debug, Default)]
pub(super) struct Value(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(Box<str>),
    Variable(Variable),
}

#[derive(Clone, Debug)]
enum Variable {
    Authorizer(Box<str>),
    Context(ContextVariable),
    Header(HeaderName),
    Path,
    PathParameter(Box<str>),
    PrincipalId,
    QueryString(Box<str>),
    Stage(Box<str>),
}

/// A value that is there and cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotText;

impl Value {
    pub(super) fn parse(text: &str) -> Result<Self, MappingError> {
        let not_understood = |found: &str| MappingError::Variable { found: found.into() };
        if let Some(variable) = text.strip_prefix('$').filter(|rest| !rest.starts_with('{')) {
            let variable = Variable::parse(variable).ok_or_else(|| not_understood(text))?;
            return Ok(Self(vec![Part::Variable(variable)]));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, opened)) = rest.split_once("${") {
            let (variable, after) = opened.split_once('}').ok_or_else(|| not_understood(text))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let variable = Variable::parse(variable).ok_or_else(|| not_understood(variable))?;
            parts.push(Part::Variable(variable));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        // A `$` that is left is a variable that somebody forgot to put in braces.
        let forgotten = |part: &Part| matches!(part, Part::Text(text) if text.contains('$'));
        if parts.iter().any(forgotten) { Err(not_understood(text)) } else { Ok(Self(parts)) }
    }

    pub(super) fn is_of_authorizer(&self) -> bool {
        self.variables().any(|variable| matches!(variable, Variable::Authorizer(_) | Variable::PrincipalId))
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(&**text),
            Part::Variable(_) => None,
        })
    }

    /// The text, if it is nothing but text.
    pub(super) fn as_static(&self) -> Option<&str> {
        match &*self.0 {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn unknown_stage_variable(&self, stage: &ApiStage) -> Option<&str> {
        self.variables().find_map(|variable| match variable {
            Variable::Stage(name) if stage.stage_variable(name).is_none_or(str::is_empty) => Some(&**name),
            _ => None,
        })
    }

    /// The value for this request; `None` if any part of it is missing or empty.
    pub(super) fn resolve<'a>(
        &'a self,
        view: &RequestView<'a, 'a>,
        context: &'a AuthorizerContext,
    ) -> Result<Option<Cow<'a, str>>, NotText> {
        let mut whole = Cow::Borrowed("");
        for part in &self.0 {
            let value = match part {
                Part::Text(text) => Some(Cow::Borrowed(&**text)),
                Part::Variable(variable) => variable.resolve(view, context)?,
            };
            let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
            whole += value;
        }
        Ok(Some(whole).filter(|value| !value.is_empty()))
    }

    fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(variable) => Some(variable),
        })
    }
}

impl Variable {
    /// Reads what stands behind the `$`.
    fn parse(text: &str) -> Option<Self> {
        if text == "request.path" {
            return Some(Self::Path);
        }
        let after = |prefix: &str| text.strip_prefix(prefix).filter(|name| is_name(name));
        if let Some(key) = after("context.authorizer.") {
            let key = key.strip_prefix("lambda.").unwrap_or(key);
            return match key {
                "" => None,
                "principalId" => Some(Self::PrincipalId),
                _ => Some(Self::Authorizer(key.into())),
            };
        }
        if let Some(name) = after("context.") {
            return ContextVariable::named(name).map(Self::Context);
        }
        if let Some(name) = after("request.header.") {
            return HeaderName::from_bytes(name.as_bytes()).ok().map(Self::Header);
        }
        if let Some(name) = after("request.querystring.") {
            return Some(Self::QueryString(name.into()));
        }
        if let Some(name) = after("request.path.") {
            return Some(Self::PathParameter(name.into()));
        }
        after("stageVariables.").map(|name| Self::Stage(name.into()))
    }

    fn resolve<'a>(
        &'a self,
        view: &RequestView<'a, 'a>,
        context: &'a AuthorizerContext,
    ) -> Result<Option<Cow<'a, str>>, NotText> {
        Ok(match self {
            Self::Authorizer(key) => context.get(key).and_then(text),
            Self::Context(variable) => variable.value(view),
            Self::Header(name) => header_values(view, name)?,
            Self::Path => Some(Cow::Borrowed(view.path)),
            Self::PathParameter(name) => view.path_parameter(name).map(Cow::Owned),
            Self::PrincipalId => context.principal_id().map(Cow::Borrowed),
            Self::QueryString(name) => query_values(view, name)?,
            Self::Stage(name) => view.stage.stage_variable(name).map(Cow::Borrowed),
        })
    }
}

/// Letters, digits, `-`, `.` and `_`.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// A context value as text; `null`, lists and maps have none.
fn text(value: &ContextValue) -> Option<Cow<'_, str>> {
    if let Some(text) = value.as_str() {
        return Some(Cow::Borrowed(text));
    }
    match serde_json::Value::from(value) {
        serde_json::Value::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
        serde_json::Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// All values of a header, with commas between; cookies have their own separator.
fn header_values<'a>(view: &RequestView<'a, '_>, name: &HeaderName) -> Result<Option<Cow<'a, str>>, NotText> {
    let values = view.headers.get_all(name).iter();
    let values =
        values.map(|value| std::str::from_utf8(value.as_bytes()).map_err(|_| NotText).map(Cow::Borrowed));
    joined(values, if *name == COOKIE { "; " } else { "," })
}

/// All values of a query parameter, decoded and with commas between.
fn query_values<'a>(view: &RequestView<'a, '_>, name: &str) -> Result<Option<Cow<'a, str>>, NotText> {
    let pairs = query_pairs(view.query().unwrap_or_default());
    let values = pairs.filter(|(known, _)| decode_query(known).is_some_and(|known| known == name));
    joined(values.map(|(_, value)| decode_query(value).ok_or(NotText)), ",")
}

/// Values with a separator between them; `None` if there are none.
fn joined<'a>(
    mut values: impl Iterator<Item = Result<Cow<'a, str>, NotText>>,
    separator: &str,
) -> Result<Option<Cow<'a, str>>, NotText> {
    let Some(mut whole) = values.next().transpose()? else { return Ok(None) };
    for value in values {
        let whole = whole.to_mut();
        whole.push_str(separator);
        whole.push_str(&value?);
    }
    Ok(Some(whole))
}
