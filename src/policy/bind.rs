use std::sync::Arc;

use super::crossing;
use super::document::{Inner, PolicyDocument};
use super::glob;
use super::pattern::ResourcePattern;
use super::plan::{Complex, Origin, Plan, Scope};
use super::spelling::{Wildcards, decode_reserved, is_plain, push_spelled};
use super::stage::StageArn;
use super::statement::{Effect, Statement};
use super::target::Spellings;

/// A policy compiled for one stage: what is cached, and asked for every request.
///
/// Everything that depends on the policy and the stage alone is decided when it is made: which statements are about
/// `execute-api:Invoke`, which resources can lie in the stage, and what is left of them behind it.
///
/// ```
/// use tower_lambda_authorizer::policy::{AccessRequest, Decision, PolicyDocument, StageArn};
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// let policy = PolicyDocument::from_json(
///     r#"{"Version":"2012-10-17","Statement":{"Sid":"read","Effect":"Allow","Action":"execute-api:Invoke",
///         "Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/*"}}"#,
/// )?
/// .bind(&stage);
///
/// let evaluation = policy.evaluate(&AccessRequest::new("GET", "/users"));
/// assert_eq!(evaluation.decision(), Decision::Allow);
/// assert_eq!(evaluation.sid(), Some("read"));
/// assert_eq!(policy.evaluate(&AccessRequest::new("POST", "/users")).decision(), Decision::ImplicitDeny);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BoundPolicy {
    pub(super) document: Arc<Inner>,
    pub(super) stage: StageArn,
    pub(super) allow: Plan,
    pub(super) deny: Plan,
}

impl BoundPolicy {
    pub(super) fn new(document: &PolicyDocument, stage: &StageArn) -> Self {
        let inner = &document.inner;
        let (mut allow, mut deny) = (Plan::default(), Plan::default());
        for (effect, plan) in [(Effect::Allow, &mut allow), (Effect::Deny, &mut deny)] {
            let statements = || inner.statements.iter().filter(|statement| statement.effect == effect);
            plan.reserve(statements().map(|statement| statement.resources().len()).sum());
        }
        for (index, statement) in (0_u32..).zip(&inner.statements) {
            if statement.covers_invoke() {
                let plan = match statement.effect {
                    Effect::Allow => &mut allow,
                    Effect::Deny => &mut deny,
                };
                push_statement(plan, index, statement, stage);
            }
        }
        allow.finish();
        deny.finish();
        Self { document: Arc::clone(inner), stage: stage.clone(), allow, deny }
    }

    /// The `Sid` of a statement.
    pub(crate) fn sid(&self, statement: usize) -> Option<&str> {
        self.document.statements.get(statement)?.sid()
    }

    /// How many bytes it keeps on the heap, the policy it was made from included: what it weighs in a cache.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.allow.heap_bytes() + self.deny.heap_bytes() + self.document.heap_bytes()
    }
}

impl Inner {
    fn heap_bytes(&self) -> usize {
        let mut sum = size_of::<Self>() + 2 * size_of::<usize>();
        sum += self.id.as_ref().map_or(0, |id| id.len());
        sum += self.statements.capacity() * size_of::<Statement>();
        for statement in &self.statements {
            sum += statement.heap_bytes();
        }
        sum
    }
}

/// Adds what is left of a statement when its action is known to be covered.
pub(super) fn push_statement(plan: &mut Plan, index: u32, statement: &Statement, stage: &StageArn) {
    let origin = Origin { statement: index, conditional: !statement.conditions.is_empty() };
    let is_dynamic = |resource: &ResourcePattern| resource.has_variables();
    if statement.resources.negated {
        let mut excepted = Plan::default();
        for resource in statement.resources().iter().filter(|resource| !is_dynamic(resource)) {
            if statement.effect == Effect::Allow {
                push(&mut excepted, Aliases::Spellings, true, origin, resource, stage);
                crossing::push(&mut excepted, Aliases::Spellings, origin, resource.as_str(), stage);
            } else {
                push(&mut excepted, Aliases::None, true, origin, resource, stage);
            }
        }
        excepted.finish();
        plan.push_complex(if statement.resources().iter().any(is_dynamic) {
            Complex::DynamicComplement { statement: index, excepted }
        } else {
            Complex::Complement { statement: index, conditional: origin.conditional, excepted }
        });
        return;
    }
    for (position, resource) in (0_u32..).zip(statement.resources()) {
        if is_dynamic(resource) {
            plan.push_complex(Complex::DynamicResource { statement: index, resource: position });
        } else {
            if statement.effect == Effect::Deny {
                push(plan, Aliases::All, true, origin, resource, stage);
                crossing::push(plan, Aliases::All, origin, resource.as_str(), stage);
            } else {
                push(plan, Aliases::None, false, origin, resource, stage);
            }
        }
    }
}

/// What else a pattern is compared as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Aliases {
    /// Nothing: what grants, and what is excepted from a Deny.
    None,
    /// With its escaped reserved characters decoded: what is excepted from an Allow.
    Spellings,
    /// Also without its last slash, because a request may lack it: what denies.
    All,
}

/// With `refuses`, also as it was written, for requests that came in another spelling.
fn push(
    plan: &mut Plan,
    aliases: Aliases,
    refuses: bool,
    origin: Origin,
    resource: &ResourcePattern,
    stage: &StageArn,
) {
    let Some((rest, scope)) = behind_stage(resource.as_str(), stage) else { return };
    let spelled = spell(rest, scope).filter(|spelled| spelled != rest);
    let written = rest;
    let rest = spelled.as_deref().unwrap_or(rest);
    plan.push(origin, rest, scope, Spellings::ALL);
    for_each_alias(rest, aliases, |alias, spellings| plan.push(origin, alias, scope, spellings));
    if refuses && spelled.is_some() {
        plan.push(origin, written, scope, Spellings::SENT);
        if let Some(shorter) = written.strip_suffix('/').filter(|_| aliases == Aliases::All) {
            plan.push(origin, shorter, scope, Spellings::SENT);
        }
    }
}

pub(super) fn for_each_alias(rest: &str, aliases: Aliases, mut push: impl FnMut(&str, Spellings)) {
    if aliases == Aliases::None {
        return;
    }
    let is_all = aliases == Aliases::All;
    if let Some(shorter) = rest.strip_suffix('/').filter(|_| is_all) {
        push(shorter, Spellings::ALL);
    }
    if let Some(decoded) = decode_reserved(rest) {
        push(&decoded, Spellings::ALL);
        if let Some(shorter) = decoded.strip_suffix('/').filter(|_| is_all) {
            push(shorter, Spellings::ALL);
        }
    }
}

/// What of a pattern is left to compare once the stage is known; `None` when the pattern cannot cover anything in it.
pub(super) fn behind_stage<'p>(pattern: &'p str, stage: &StageArn) -> Option<(&'p str, Scope)> {
    if let Some(rest) = pattern.strip_prefix(stage.as_str()) {
        return Some((rest, Scope::Resource));
    }
    let Some(sixth) = sixth_field(pattern, stage)? else { return Some(("*", Scope::Resource)) };
    let prefix = stage.resource_prefix();
    if let Some(rest) = sixth.strip_prefix(prefix) {
        return Some((rest, Scope::Resource));
    }
    let fixed = sixth.split(['*', '?']).next().unwrap_or_default();
    if !prefix.starts_with(fixed) {
        return None;
    }
    let wild = sixth.strip_prefix(fixed).unwrap_or_default();
    if !wild.is_empty() && wild.bytes().all(|byte| byte == b'*') {
        return Some(("*", Scope::Resource));
    }
    Some((sixth, Scope::Stage))
}

/// The sixth field of a pattern, if it has one; `None` when the fields before it do not fit the stage.
pub(super) fn sixth_field<'p>(pattern: &'p str, stage: &StageArn) -> Option<Option<&'p str>> {
    let wanted = ["arn", stage.partition(), "execute-api", stage.region(), stage.account_id()];
    let mut fields = pattern.splitn(6, ':');
    for value in wanted {
        match fields.next() {
            Some(field) if glob::matches(field.as_bytes(), value.as_bytes()) => {}
            Some(_) => return None,
            None => return Some(None),
        }
    }
    Some(fields.next())
}

/// The pattern with its path part in the spelling of ARNs, when it is not so written: the path begins behind the
/// method, or at the first wildcard.
pub(super) fn spell(rest: &str, scope: Scope) -> Option<String> {
    if is_plain(rest) {
        return None;
    }
    let slashes = match scope {
        Scope::Resource => 1,
        Scope::Stage => 3,
    };
    let (fixed, path) = rest.split_at_checked(path_part(rest, slashes))?;
    let mut out = String::with_capacity(rest.len() + 8);
    out.push_str(fixed);
    push_spelled(path, Wildcards::Keep, &mut out);
    Some(out)
}

/// Where the path part begins: at the first wildcard or behind so many slashes.
pub(super) fn path_part(rest: &str, slashes: usize) -> usize {
    let mut left = slashes;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'*' | b'?' => return at,
            b'/' if left == 1 => return at + 1,
            b'/' => left -= 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::{behind_stage, path_part, spell};
    use crate::policy::StageArn;
    use crate::policy::plan::Scope;

    #[test]
    fn only_what_depends_on_the_request_is_left() {
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abc", "prod").unwrap();
        for (pattern, expected) in [
            ("*", Some(("*", Scope::Resource))),
            ("arn", Some(("*", Scope::Resource))),
            ("arn:aws:execute-api:**", Some(("*", Scope::Resource))),
            ("arn:aws:execute-api:us-*", Some(("*", Scope::Resource))),
            ("arn:aws:execute-api:eu-*", None),
            ("arn:aws:s3:::*", None),
            ("?", None),
            ("arn:aws:execute-api:us-east-1:123456789012:abc/*", Some(("*", Scope::Resource))),
            ("arn:aws:execute-api:us-east-1:123456789012:abc/dev/*", None),
            (
                "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/a:b",
                Some(("GET/a:b", Scope::Resource)),
            ),
            ("arn:aws:execute-api:*:*:abc/prod/GET/x", Some(("GET/x", Scope::Resource))),
            ("arn:aws:execute-api:*:*:abc/*/GET/x", Some(("abc/*/GET/x", Scope::Stage))),
            ("arn:aws:execute-api:*:*:", Some(("", Scope::Stage))),
            ("arn:aws:execute-api:*:*:abc/prod", Some(("abc/prod", Scope::Stage))),
        ] {
            assert_eq!(behind_stage(pattern, &stage), expected, "{pattern}");
        }
    }

    #[test]
    fn a_bound_policy_can_be_shared_and_weighs_what_it_holds() {
        fn shared<T: Send + Sync + 'static>(_: &T) {}
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abc", "prod").unwrap();
        let policy = |count: usize| {
            (0..count)
                .fold(stage.policy(), |policy, _| policy.allow(http::Method::GET, "/users/*"))
                .build()
                .unwrap()
        };
        let (small, large) = (policy(1).bind(&stage), policy(100).bind(&stage));
        shared(&small);
        assert!(
            small.heap_bytes() > "GET/users/*".len() && small.heap_bytes() < 1024,
            "{}",
            small.heap_bytes()
        );
        assert!(large.heap_bytes() > 100 * stage.as_str().len());
    }

    #[test]
    fn only_the_path_is_respelt() {
        assert_eq!(path_part("GET/x", 1), 4);
        assert_eq!(path_part("*/x", 1), 0);
        assert_eq!(path_part("abc/prod/GET/x", 3), 13);
        assert_eq!(spell("%47ET/%2e", Scope::Resource).as_deref(), Some("%47ET/."));
        assert_eq!(spell("GET/plain", Scope::Resource), None);
    }
}
