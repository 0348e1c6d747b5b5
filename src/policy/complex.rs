//! Resources that comparing patterns one by one does not decide: exceptions, and patterns with variables.

use super::bind::{BoundPolicy, for_each_alias as for_each_pattern_alias, sixth_field};
use super::crossing;
use super::document::Effect;
use super::evaluate::for_each_alias;
use super::pattern::ResourcePattern;
use super::plan::{Complex, Origin, Plan, Scope};
use super::request::AccessRequest;
use super::resolve::{self, Unresolved};
use super::target::Spellings;
use super::truth::Truth;

/// How a resource with variables is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    /// Field by field, under the request's own name: what grants.
    Granted,
    /// The same, and as it was sent: what is excepted from a Deny.
    Spared,
    /// Also as plain text: what is excepted from an Allow.
    Excepted,
    /// Also as plain text, and under every name: what denies.
    Denied,
}

impl BoundPolicy {
    /// Whether the resources of such a statement cover the request.
    pub(super) fn complex_covers<'p>(
        &'p self,
        complex: &'p Complex,
        request: &AccessRequest<'_>,
    ) -> Truth<'p> {
        let Some(statement) = self.document.statements.get(complex.statement() as usize) else {
            return Truth::False;
        };
        let is_denial = statement.effect == Effect::Deny;
        let excepts = |excepted: &Plan| {
            // What is excepted from an Allow under one of two names is excepted.
            let other = request.as_other_method().filter(|_| !is_denial);
            let mut names = std::iter::once(*request).chain(other);
            names.any(|name| self.excepts(excepted, &name, is_denial))
        };
        match complex {
            Complex::Complement { excepted, .. } => Truth::from_bool(!excepts(excepted)),
            Complex::DynamicResource { resource, .. } => {
                let Some(resource) = statement.resources().get(*resource as usize) else {
                    return Truth::False;
                };
                let reading = if is_denial { Reading::Denied } else { Reading::Granted };
                match self.resolved_covers(resource, request, reading) {
                    Ok(covers) => Truth::from_bool(covers),
                    Err(Unresolved::Missing(_)) if !is_denial => Truth::False,
                    Err(unresolved) => Truth::Unknown(unresolved.key()),
                }
            }
            Complex::DynamicComplement { excepted, .. } => {
                // What is excepted from a Deny is excepted under its own name only.
                let own = AccessRequest { allowed_as: request.allowed_as.filter(|_| !is_denial), ..*request };
                let reading = if is_denial { Reading::Spared } else { Reading::Excepted };
                let mut missing = false;
                let dynamic = statement.resources().iter().filter(|resource| resource.has_variables());
                let dynamic = dynamic.map(|resource| match self.resolved_covers(resource, &own, reading) {
                    Ok(covers) => Truth::from_bool(covers),
                    Err(Unresolved::Missing(_)) => {
                        missing = true;
                        Truth::False
                    }
                    Err(Unresolved::Unavailable(key)) => Truth::Unknown(key),
                });
                let excepted =
                    Truth::any(std::iter::once(Truth::from_bool(excepts(excepted))).chain(dynamic));
                if missing && !is_denial { Truth::False } else { excepted.negated_if(true) }
            }
        }
    }

    /// Whether a resource covers the request once its variables are replaced.
    fn resolved_covers<'p>(
        &'p self,
        resource: &'p ResourcePattern,
        request: &AccessRequest<'_>,
        reading: Reading,
    ) -> Result<bool, Unresolved<'p>> {
        let origin = Origin { statement: 0, conditional: false };
        let longest = self.longest(request);
        let covers = match sixth_field(resource.as_str(), &self.stage) {
            None => false,
            Some(None) => true,
            Some(Some(sixth)) => {
                let Some(pattern) = resolve::resource(sixth, request.context, longest)? else {
                    return Ok(false);
                };
                let mut plan = Plan::default();
                plan.push(origin, &pattern, Scope::Stage, Spellings::ALL);
                if reading == Reading::Denied {
                    for_each_pattern_alias(&pattern, |alias, spellings| {
                        plan.push(origin, alias, Scope::Stage, spellings);
                    });
                }
                if reading != Reading::Granted && request.sent_path.is_some() {
                    let written = resolve::as_written(sixth, request.context, longest)?.unwrap_or_default();
                    plan.push(origin, &written, Scope::Stage, Spellings::SENT);
                    if let Some(shorter) = written.strip_suffix('/').filter(|_| reading == Reading::Denied) {
                        plan.push(origin, shorter, Scope::Stage, Spellings::SENT);
                    }
                }
                self.covers_under_any_name(&plan, request, reading)
            }
        };
        if covers || matches!(reading, Reading::Granted | Reading::Spared) {
            return Ok(covers);
        }
        let Some((fields, as_is)) = crossing::split(resource.as_str()) else { return Ok(false) };
        let (sixth, unresolved) = match resolve::behind_star(as_is, request.context, longest) {
            Ok(None) => return Ok(false),
            Ok(Some(sixth)) => (sixth, None),
            // Whatever it stands for: it cannot cover more than everything.
            Err(unresolved) => (resolve::widest(as_is), Some(unresolved)),
        };
        let mut plan = Plan::default();
        let aliases = reading == Reading::Denied;
        crossing::push(&mut plan, aliases, origin, &format!("{fields}{sixth}"), &self.stage);
        if request.sent_path.is_some() {
            let written = resolve::as_written(as_is, request.context, longest).ok().flatten();
            let written = written.unwrap_or_else(|| resolve::widest_as_written(as_is));
            crossing::push(&mut plan, aliases, origin, &format!("{fields}{written}"), &self.stage);
        }
        match (self.covers_under_any_name(&plan, request, reading), unresolved) {
            (true, Some(unresolved)) => Err(unresolved),
            (covers, _) => Ok(covers),
        }
    }

    /// How many bytes the longest name of a request has at most, the stage's part included and a slash that it may lack.
    fn longest(&self, request: &AccessRequest<'_>) -> usize {
        let paths = [Some(request.path), request.canonical_path, request.sent_path];
        let path = paths.into_iter().flatten().map(str::len).max().unwrap_or_default();
        let method = request.method.len().max(request.allowed_as.map_or(0, str::len)).max("GET".len());
        self.stage.as_str().len() + method + path + "/".len()
    }

    fn covers_under_any_name(&self, plan: &Plan, request: &AccessRequest<'_>, reading: Reading) -> bool {
        let covers = |name: &AccessRequest<'_>| match reading {
            Reading::Denied => {
                let mut covers = false;
                for_each_alias(&self.exact(name), name, |target| covers = covers || plan.covers_any(target));
                covers
            }
            Reading::Granted => plan.covers_any(&self.exact(name)),
            Reading::Spared => self.excepts(plan, name, true),
            Reading::Excepted => self.excepts(plan, name, false),
        };
        let other = request.as_other_method().filter(|_| reading != Reading::Denied);
        covers(request) || other.is_some_and(|other| covers(&other))
    }

    /// Whether patterns except a request under one name. From a Deny they do if they cover it as it stands in the ARN and as
    /// it was sent; from an Allow, if they cover one of them.
    fn excepts(&self, excepted: &Plan, name: &AccessRequest<'_>, is_denial: bool) -> bool {
        let exact = self.exact(name);
        let sent = || name.sent_path.map(|path| excepted.covers_any(&exact.with_path(path, Spellings::SENT)));
        match excepted.covers_any(&exact) {
            true if is_denial => sent().unwrap_or(true),
            false if !is_denial => sent().unwrap_or(false),
            covers => covers,
        }
    }
}
