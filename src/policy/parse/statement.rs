use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::condition::ConditionsSeed;
use super::list::{ListSeed, Name, NameSeed, StringSeed, as_text};
use super::trace::{Segment, Trace};
use crate::policy::condition::Condition;
use crate::policy::error::{PolicyError, PolicyErrorKind, quoted};
use crate::policy::pattern::{ActionPattern, ResourcePattern};
use crate::policy::statement::{Effect, Listed, OneOrMany, Statement};

#[derive(Clone, Copy)]
enum Element {
    Action,
    Condition,
    Effect,
    NotAction,
    NotResource,
    Resource,
    Sid,
}

impl Element {
    const ALL: [Self; 7] = [
        Self::Action,
        Self::Condition,
        Self::Effect,
        Self::NotAction,
        Self::NotResource,
        Self::Resource,
        Self::Sid,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Action => "Action",
            Self::Condition => "Condition",
            Self::Effect => "Effect",
            Self::NotAction => "NotAction",
            Self::NotResource => "NotResource",
            Self::Resource => "Resource",
            Self::Sid => "Sid",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "Action" => Some(Self::Action),
            "Condition" => Some(Self::Condition),
            "Effect" => Some(Self::Effect),
            "NotAction" => Some(Self::NotAction),
            "NotResource" => Some(Self::NotResource),
            "Resource" => Some(Self::Resource),
            "Sid" => Some(Self::Sid),
            _ => None,
        }
    }
}

pub(super) struct StatementSeed<'t> {
    pub(super) trace: &'t Trace,
}

impl<'de> DeserializeSeed<'de> for StatementSeed<'_> {
    type Value = Statement;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Statement, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StatementSeed<'_> {
    type Value = Statement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement, which is an object with `Effect`, `Action` and `Resource`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
        let trace = self.trace;
        let mut parts = Parts::default();
        while let Some(name) = map.next_key_seed(NameSeed(Element::parse))? {
            let element = match name {
                Name::Known(element) => element,
                Name::Unknown(name) => return Err(unknown_element(trace, &name)),
            };
            let name = element.as_str();
            let seen = 1_u8 << element as u8;
            if parts.seen & seen != 0 {
                let message = format!("element `{name}` is there twice");
                return Err(trace.refuse_as(PolicyErrorKind::Duplicate, message));
            }
            parts.seen |= seen;
            parts
                .read(trace, element, &mut map)
                .map_err(|error| trace.passed(error, Segment::Element(name)))?;
        }
        parts.finish().map_err(|problem| trace.refuse(problem))
    }
}

fn unknown_element<E: de::Error>(trace: &Trace, name: &str) -> E {
    let known =
        Element::ALL.map(Element::as_str).into_iter().find(|element| element.eq_ignore_ascii_case(name));
    let message = match known {
        Some(element) => format!("unknown element {}, expected `{element}`", quoted(name)),
        None => format!(
            "unknown element {}, expected `Sid`, `Effect`, `Action`, `NotAction`, `Resource`, `NotResource` or \
             `Condition`",
            quoted(name)
        ),
    };
    trace.refuse_as(PolicyErrorKind::Unknown, message)
}

#[derive(Default)]
struct Parts {
    seen: u8,
    effect: Option<Effect>,
    sid: Option<Box<str>>,
    actions: Option<Listed<ActionPattern>>,
    resources: Option<Listed<ResourcePattern>>,
    conditions: Vec<Condition>,
}

impl Parts {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        trace: &Trace,
        element: Element,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match element {
            Element::Effect => {
                self.effect = Some(map.next_value_seed(StringSeed { trace, parse: parse_effect })?);
            }
            Element::Sid => self.sid = Some(map.next_value_seed(StringSeed { trace, parse: as_text })?),
            Element::Action | Element::NotAction => {
                let seed = ListSeed { trace, parse: ActionPattern::parse };
                let negated = matches!(element, Element::NotAction);
                let entries = not_empty_when(negated, map.next_value_seed(seed)?, trace)?;
                if self.actions.replace(Listed { negated, entries }).is_some() {
                    return Err(trace.refuse_as(
                        PolicyErrorKind::Duplicate,
                        "both `Action` and `NotAction` are there, expected one of them",
                    ));
                }
            }
            Element::Resource | Element::NotResource => {
                let seed = ListSeed { trace, parse: ResourcePattern::parse };
                let negated = matches!(element, Element::NotResource);
                let entries = not_empty_when(negated, map.next_value_seed(seed)?, trace)?;
                if self.resources.replace(Listed { negated, entries }).is_some() {
                    return Err(trace.refuse_as(
                        PolicyErrorKind::Duplicate,
                        "both `Resource` and `NotResource` are there, expected one of them",
                    ));
                }
            }
            Element::Condition => self.conditions = map.next_value_seed(ConditionsSeed { trace })?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Statement, PolicyError> {
        let missing = |names: &str| {
            PolicyError::new(
                PolicyErrorKind::Missing,
                format!("element {names} is missing from the statement"),
            )
        };
        Ok(Statement {
            effect: self.effect.ok_or_else(|| missing("`Effect`"))?,
            sid: self.sid,
            actions: self.actions.ok_or_else(|| missing("`Action` or `NotAction`"))?,
            resources: self.resources.ok_or_else(|| missing("`Resource` or `NotResource`"))?,
            conditions: self.conditions,
        })
    }
}

/// An empty list of what does *not* count would count everything: nobody means that.
fn not_empty_when<T, E: de::Error>(
    negated: bool,
    entries: OneOrMany<T>,
    trace: &Trace,
) -> Result<OneOrMany<T>, E> {
    if negated && entries.as_slice().is_empty() {
        return Err(trace.refuse_as(PolicyErrorKind::BadValue, "empty list, expected at least one entry"));
    }
    Ok(entries)
}

fn parse_effect(text: &str) -> Result<Effect, PolicyError> {
    match text {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(PolicyError::new(
            PolicyErrorKind::BadValue,
            format!("unknown effect {}, expected `Allow` or `Deny`", quoted(text)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::PolicyDocument;

    fn located(statement: &str) -> String {
        let error = PolicyDocument::from_json(&format!(r#"{{"Statement":[{statement}]}}"#)).unwrap_err();
        error.to_string().trim_start_matches("malformed policy at ").to_owned()
    }

    #[test]
    fn every_mistake_is_found_and_named() {
        for (statement, expected) in [
            (
                r#"{"Action":"*","Resource":"*"}"#,
                "Statement[0]: element `Effect` is missing from the statement",
            ),
            (
                r#"{"Effect":"Allow","Resource":"*"}"#,
                "Statement[0]: element `Action` or `NotAction` is missing from the statement",
            ),
            (
                r#"{"Effect":"Allow","Action":"*"}"#,
                "Statement[0]: element `Resource` or `NotResource` is missing from the statement",
            ),
            (r#"{"Effect":"Allow","Effect":"Deny"}"#, "Statement[0]: element `Effect` is there twice"),
            (r#"{"effect":"Allow"}"#, "Statement[0]: unknown element `effect`, expected `Effect`"),
            (
                r#"{"Action":"*","NotAction":"*"}"#,
                "Statement[0].NotAction: both `Action` and `NotAction` are there, expected one of them",
            ),
            (
                r#"{"Resource":["*", "x"]}"#,
                "Statement[0].Resource[1]: resource `x` is not an ARN, expected `arn:…` or `*`",
            ),
            (r#"{"NotResource":[]}"#, "Statement[0].NotResource: empty list, expected at least one entry"),
            (
                r#"{"Action":"Invoke"}"#,
                "Statement[0].Action: action `Invoke` has no service, expected `execute-api:Invoke`",
            ),
        ] {
            assert_eq!(located(statement), expected);
        }
        for statement in [
            r#"{"Principal":"*","Effect":"Allow","Action":"*","Resource":"*"}"#,
            r#"{"Effect":null,"Action":"*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":null,"Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"*","Resource":[["*"]]}"#,
            r#"{"Effect":"Allow","Action":"*","Resource":7}"#,
            "null",
            "[]",
        ] {
            assert!(located(statement).starts_with("Statement[0]"), "{statement}");
        }
    }
}
