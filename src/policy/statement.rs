use std::collections::HashSet;

use serde::Serialize;

use super::condition::Condition;
use super::pattern::{ActionPattern, ResourcePattern};

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_enums, reason = "closed by the IAM definition")]
pub enum Effect {
    /// Allows, unless another statement denies.
    Allow,
    /// Denies, whatever other statements say.
    Deny,
}

impl Effect {
    /// As it is written in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    pub(super) effect: Effect,
    pub(super) sid: Option<Box<str>>,
    pub(super) actions: Listed<ActionPattern>,
    pub(super) resources: Listed<ResourcePattern>,
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    /// Allows `execute-api:Invoke` on a resource.
    #[must_use]
    pub fn allow(resource: impl Into<ResourcePattern>) -> Self {
        Self::new(Effect::Allow, resource.into())
    }

    /// Denies `execute-api:Invoke` on a resource.
    #[must_use]
    pub fn deny(resource: impl Into<ResourcePattern>) -> Self {
        Self::new(Effect::Deny, resource.into())
    }

    fn new(effect: Effect, resource: ResourcePattern) -> Self {
        Self {
            effect,
            sid: None,
            actions: Listed { negated: false, entries: OneOrMany::One(ActionPattern::INVOKE) },
            resources: Listed { negated: false, entries: OneOrMany::One(resource) },
            conditions: Vec::new(),
        }
    }

    /// Names the statement: evaluations and explanations show the name.
    #[must_use]
    pub fn with_sid(mut self, sid: impl Into<String>) -> Self {
        self.sid = Some(sid.into().into_boxed_str());
        self
    }

    /// Adds a resource beside those that are there.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<ResourcePattern>) -> Self {
        self.resources.entries.push(resource.into());
        self
    }

    /// Adds a condition; all conditions of a statement have to hold.
    ///
    /// A statement with two conditions of the same operator and key is evaluated, but has no form in JSON.
    #[must_use]
    pub fn with_condition(mut self, condition: Condition) -> Self {
        // Conditions of one operator stand together, as they do in JSON.
        let alike = |known: &Condition| known.parsed_operator() == condition.parsed_operator();
        let at = self.conditions.iter().rposition(alike).map_or(self.conditions.len(), |at| at + 1);
        self.conditions.insert(at, condition);
        self
    }

    pub(super) fn has_variables(&self) -> bool {
        self.resources().iter().any(ResourcePattern::has_variables)
            || self.conditions.iter().any(Condition::has_variables)
    }

    /// Two conditions that JSON could not tell apart.
    pub(super) fn repeated_condition(&self) -> Option<&Condition> {
        if self.conditions.len() < 2 {
            return None;
        }
        let mut seen = HashSet::with_capacity(self.conditions.len());
        self.conditions.iter().find(|condition| !seen.insert((condition.parsed_operator(), condition.key())))
    }

    /// Whether it allows or denies.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The name, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The entries of `Action`, or of `NotAction`.
    #[must_use]
    pub fn actions(&self) -> &[ActionPattern] {
        self.actions.entries.as_slice()
    }

    /// Whether the actions are those of `NotAction`.
    #[must_use]
    pub const fn is_not_action(&self) -> bool {
        self.actions.negated
    }

    /// The entries of `Resource`, or of `NotResource`.
    #[must_use]
    pub fn resources(&self) -> &[ResourcePattern] {
        self.resources.entries.as_slice()
    }

    /// Whether the resources are those of `NotResource`.
    #[must_use]
    pub const fn is_not_resource(&self) -> bool {
        self.resources.negated
    }

    /// The conditions, all of which have to hold.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether the statement is about `execute-api:Invoke`, the only action that is ever asked for.
    #[must_use]
    pub fn covers_invoke(&self) -> bool {
        self.actions().iter().any(ActionPattern::covers_invoke) != self.actions.negated
    }
}

impl Statement {
    pub(super) fn heap_bytes(&self) -> usize {
        let mut sum = self.sid.as_ref().map_or(0, |sid| sid.len());
        sum += self.actions.entries.heap_bytes() + self.resources.entries.heap_bytes();
        sum += self.actions().iter().map(ActionPattern::heap_bytes).sum::<usize>();
        sum += self.resources().iter().map(|resource| resource.as_str().len()).sum::<usize>();
        sum += self.conditions.capacity() * size_of::<Condition>();
        sum + self.conditions.iter().map(Condition::heap_bytes).sum::<usize>()
    }
}

/// The entries of an element that has a `Not` twin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listed<T> {
    pub(super) negated: bool,
    pub(super) entries: OneOrMany<T>,
}

/// One entry is the common case and needs no list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) fn from_vec(mut entries: Vec<T>) -> Self {
        if entries.len() == 1
            && let Some(entry) = entries.pop()
        {
            return Self::One(entry);
        }
        Self::Many(entries)
    }

    pub(super) const fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(entries) => entries.as_slice(),
            Self::One(entry) => std::slice::from_ref(entry),
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::Many(entries) => entries,
            Self::One(entry) => std::slice::from_mut(entry),
        }
    }

    const fn heap_bytes(&self) -> usize {
        match self {
            Self::Many(entries) => entries.capacity() * size_of::<T>(),
            Self::One(_) => 0,
        }
    }

    fn push(&mut self, entry: T) {
        match std::mem::replace(self, Self::Many(Vec::new())) {
            Self::Many(mut entries) => {
                entries.push(entry);
                *self = Self::from_vec(entries);
            }
            Self::One(first) => *self = Self::Many(vec![first, entry]),
        }
    }
}
