//! Resources that comparing patterns one by one does not decide: exceptions, and patterns with variables.

use super::bind::{Aliases, BoundPolicy, for_each_alias as for_each_pattern_alias, sixth_field, spell};
use super::crossing;
use super::evaluate::for_each_alias;
use super::pattern::ResourcePattern;
use super::plan::{Complex, Origin, Plan, Scope};
use super::request::AccessRequest;
use super::resolve::{self, Unresolved};
use super::statement::Effect;
use super::target::Spellings;
use super::truth::Truth;

/// How a resource with variables is read. What is put in is literal; where that could let more through, it is also read as if
/// it had been written there, and may complete an escape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    /// Field by field, under the request's own name: what grants.
    Granted,
    /// The same, and as it was sent: what is excepted from a Deny.
    Spared,
    /// Also as plain text, and in every spelling: what is excepted from an Allow.
    Excepted,
    /// Also as plain text, and under every name: what denies.
    Denied,
}

impl Reading {
    const fn aliases(self) -> Aliases {
        match self {
            Self::Granted | Self::Spared => Aliases::None,
            Self::Excepted => Aliases::Spellings,
            Self::Denied => Aliases::All,
        }
    }
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
            Some(Some(sixth)) => self.resolved_sixth_covers(sixth, request, reading, longest)?,
        };
        if covers || matches!(reading, Reading::Granted | Reading::Spared) {
            return Ok(covers);
        }
        let Some((fields, as_is)) = crossing::split(resource.as_str()) else { return Ok(false) };
        let mut plan = Plan::default();
        let aliases = reading.aliases();
        let mut push = |sixth: &str| {
            crossing::push(&mut plan, aliases, origin, &format!("{fields}{sixth}"), &self.stage);
        };
        let unresolved = match resolve::behind_star(as_is, request.context, longest) {
            Ok(sixth) => {
                sixth.iter().for_each(|sixth| push(sixth));
                None
            }
            // Whatever it stands for: it cannot cover more than everything.
            Err(unresolved) => {
                push(&resolve::widest(as_is));
                Some(unresolved)
            }
        };
        if let Ok(Some(text)) = resolve::as_text(as_is, request.context, longest) {
            push(&text);
        }
        if request.sent_path.is_some() {
            match resolve::as_written(as_is, request.context, longest) {
                Ok(written) => written.iter().for_each(|written| push(written)),
                Err(_) => push(&resolve::widest_as_written(as_is)),
            }
        }
        match (self.covers_under_any_name(&plan, request, reading), unresolved) {
            (true, Some(unresolved)) => Err(unresolved),
            (covers, _) => Ok(covers),
        }
    }

    /// The same for its sixth field, where the others fit.
    fn resolved_sixth_covers<'p>(
        &'p self,
        sixth: &'p str,
        request: &AccessRequest<'_>,
        reading: Reading,
        longest: usize,
    ) -> Result<bool, Unresolved<'p>> {
        let origin = Origin { statement: 0, conditional: false };
        let mut plan = Plan::default();
        let push = |plan: &mut Plan, pattern: &str| {
            plan.push(origin, pattern, Scope::Stage, Spellings::ALL);
            for_each_pattern_alias(pattern, reading.aliases(), |alias, spellings| {
                plan.push(origin, alias, Scope::Stage, spellings);
            });
        };
        let push_sent = |plan: &mut Plan, written: &str| {
            plan.push(origin, written, Scope::Stage, Spellings::SENT);
            if let Some(shorter) = written.strip_suffix('/').filter(|_| reading == Reading::Denied) {
                plan.push(origin, shorter, Scope::Stage, Spellings::SENT);
            }
        };
        let pattern = resolve::resource(sixth, request.context, longest)?;
        pattern.iter().for_each(|pattern| push(&mut plan, pattern));
        if matches!(reading, Reading::Denied | Reading::Excepted)
            && let Some(text) = resolve::as_text(sixth, request.context, longest)?
        {
            let spelled = spell(&text, Scope::Stage);
            let spelled = spelled.as_deref().unwrap_or(&text);
            if pattern.as_deref() != Some(spelled) {
                push(&mut plan, spelled);
            }
            if request.sent_path.is_some() {
                push_sent(&mut plan, &text);
            }
        }
        if reading != Reading::Granted
            && request.sent_path.is_some()
            && let Some(written) = resolve::as_written(sixth, request.context, longest)?
        {
            push_sent(&mut plan, &written);
        }
        Ok(self.covers_under_any_name(&plan, request, reading))
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
    /// it was sent; from an Allow, if they cover any spelling of it.
    fn excepts(&self, excepted: &Plan, name: &AccessRequest<'_>, is_denial: bool) -> bool {
        let exact = self.exact(name);
        let covers = |path, spelling| excepted.covers_any(&exact.with_path(path, spelling));
        let mut sent = name.sent_path.iter().map(|path| covers(path, Spellings::SENT));
        let mut canonical = name.canonical_path.iter().map(|path| covers(path, Spellings::ARN));
        match excepted.covers_any(&exact) {
            covers if is_denial => covers && sent.all(|covers| covers),
            covers => covers || sent.any(|covers| covers) || canonical.any(|covers| covers),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Decision::{self, Allow, ExplicitDeny, ImplicitDeny};
    use crate::policy::{
        AccessRequest, ConditionContext, ConditionKey, ConditionValue, PolicyDocument, StageArn,
    };

    fn decide(statements: &[(&str, &str)], path: &str) -> Decision {
        let statements = statements.iter().map(|(effect, resource)| {
            let resource = resource.replace('~', "arn:aws:execute-api:us-east-1:123456789012");
            let (effect, element) = match effect.strip_suffix('!') {
                Some(effect) => (effect, "NotResource"),
                None => (*effect, "Resource"),
            };
            format!(r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","{element}":"{resource}"}}"#)
        });
        let statements = statements.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap();
        let policy = PolicyDocument::from_json(&text).unwrap().bind(&stage);
        policy.evaluate(&AccessRequest::new("GET", path)).decision()
    }

    #[test]
    fn a_denial_is_also_read_with_its_variables_written_out() {
        for (pattern, path) in [
            ("~:abcdef/prod/GET/a%2${x:no, '0'}b", "/a%20b"),
            ("~:abcdef/prod/GET/a${x:no, '%20'}b", "/a%20b"),
            ("~:abcdef/prod/GET/a${x:no, '%2'}0b", "/a%20b"),
            ("~:abcdef/prod/GET/${x:no, '%61'}b", "/ab"),
            ("arn:aws:execute-api:*:x:a%2${x:no, '0'}b", "/q:x:a%20b"),
        ] {
            assert_eq!(decide(&[("Allow", "*"), ("Deny", pattern)], path), ExplicitDeny, "{pattern}");
            assert_eq!(decide(&[("Allow!", pattern)], path), ImplicitDeny, "{pattern}");
            // Nobody gains by it.
            assert_eq!(decide(&[("Allow", pattern)], path), ImplicitDeny, "{pattern}");
            assert_eq!(decide(&[("Allow", "*"), ("Deny!", pattern)], path), ExplicitDeny, "{pattern}");
        }
        let many = format!("~:abcdef/prod/GET/${{x:no, '{}'}}/", "%61".repeat(100));
        for (length, expected) in [(99, Allow), (100, ExplicitDeny), (101, Allow)] {
            let path = format!("/{}", "a".repeat(length));
            assert_eq!(decide(&[("Allow", "*"), ("Deny", &many)], &path), expected, "{length}");
        }
        let reserved = [("Allow", "*"), ("Deny", "~:abcdef/prod/GET/a${x:no, '%40'}b")];
        assert_eq!(decide(&reserved, "/a@b"), ExplicitDeny);
        let star = [("Allow", "*"), ("Deny", "~:abcdef/prod/GET/a${x:no, '*'}b")];
        assert_eq!(decide(&star, "/axb"), Allow);
        assert_eq!(decide(&star, "/a%2Ab"), ExplicitDeny);
    }

    #[test]
    fn conditions_are_looked_at_once() {
        struct Counting(std::cell::Cell<usize>);
        impl ConditionContext for Counting {
            fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
                if key.as_str() == "x:asked" {
                    self.0.set(self.0.get() + 1);
                }
                ConditionValue::Absent
            }
        }
        let condition = r#""Condition":{"StringLike":{"x:asked":"*bot*"}}"#;
        let resources = |resource: &str| vec![format!(r#""{resource}""#); 50].join(",");
        let statements: Vec<_> = ["*", "arn:*:*:*:*:${x:n, ''}*"]
            .iter()
            .cycle()
            .take(12)
            .map(|resource| {
                let resources = resources(resource);
                format!(r#"{{"Effect":"Deny","Action":"*","Resource":[{resources}],{condition}}}"#)
            })
            .collect();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap();
        let policy = PolicyDocument::from_json(&text).unwrap().bind(&stage);
        let context = Counting(std::cell::Cell::new(0));
        let request =
            AccessRequest::new("HEAD", "/x%40{/").with_canonical_path("/x@%7B/").with_sent_path("/x%40{/");
        assert_eq!(policy.evaluate(&request.with_context(&context)).decision(), ImplicitDeny);
        assert_eq!(context.0.get(), 12);
    }
}
