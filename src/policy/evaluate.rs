use super::bind::{BoundPolicy, for_each_alias as for_each_pattern_alias, sixth_field};
use super::crossing;
use super::decision::{Decision, Evaluation};
use super::document::{Effect, Statement};
use super::pattern::ResourcePattern;
use super::plan::{Complex, Origin, Plan, Scope, Target};
use super::request::AccessRequest;
use super::resolve::{self, Unresolved};
use super::truth::Truth;

impl BoundPolicy {
    /// Decides a request.
    ///
    /// A `Deny` is compared with every spelling under which the request could be meant; an `Allow` with the request
    /// as it is.
    #[must_use]
    #[inline]
    pub fn evaluate<'p>(&'p self, request: &AccessRequest<'_>) -> Evaluation<'p> {
        let answer = |decision, statement, unavailable_key| {
            Evaluation::new(&self.document, decision, statement, unavailable_key)
        };
        let exact = self.exact(request);
        let mut denied = Found::default();
        if !self.deny.is_empty() {
            for_each_alias(&exact, request, |target| {
                self.search(&self.deny, target, request, &mut denied);
            });
            if !self.deny.complex().is_empty() {
                self.search_complex(&self.deny, request, &mut denied);
            }
            if denied.certain.is_some() {
                return answer(Decision::ExplicitDeny, denied.certain, None);
            }
        }
        let mut allowed = Found::default();
        self.search(&self.allow, &exact, request, &mut allowed);
        if let Some(other) = request.as_other_method() {
            self.search(&self.allow, &self.exact(&other), request, &mut allowed);
        }
        if !self.allow.complex().is_empty() {
            self.search_complex(&self.allow, request, &mut allowed);
        }
        match (allowed.certain, denied.unknown) {
            (None, _) => answer(Decision::ImplicitDeny, None, allowed.unknown.map(|(_, key)| key)),
            (Some(_), Some((statement, key))) => answer(Decision::Indeterminate, Some(statement), Some(key)),
            (Some(statement), None) => answer(Decision::Allow, Some(statement), None),
        }
    }

    #[inline]
    fn search<'p>(
        &'p self,
        plan: &'p Plan,
        target: &Target<'_>,
        request: &AccessRequest<'_>,
        found: &mut Found<'p>,
    ) {
        let mut last: Option<(u32, Truth<'p>)> = None;
        plan.search(target, |entry| {
            let statement = entry.statement;
            if found.is_settled_before(statement) {
                return true;
            }
            if !entry.conditional {
                return found.note(statement, Truth::True);
            }
            let truth = match last {
                Some((known, truth)) if known == statement => truth,
                _ => self.conditions_hold(statement, request),
            };
            last = Some((statement, truth));
            found.note(statement, truth)
        });
    }

    fn search_complex<'p>(&'p self, plan: &'p Plan, request: &AccessRequest<'_>, found: &mut Found<'p>) {
        for complex in plan.complex() {
            let index = complex.statement();
            if found.is_settled_before(index) {
                continue;
            }
            let resource = self.complex_covers(complex, request);
            let truth = match (resource, complex) {
                (Truth::False, _) | (_, Complex::Complement { conditional: false, .. }) => resource,
                _ => Truth::all([self.conditions_hold(index, request), resource]),
            };
            found.note(index, truth);
        }
    }

    fn conditions_hold(&self, statement: u32, request: &AccessRequest<'_>) -> Truth<'_> {
        let conditions = self.document.statements.get(statement as usize).map(Statement::conditions);
        Truth::all(conditions.unwrap_or_default().iter().map(|condition| condition.holds(request.context)))
    }

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
            names.any(|name| excepted.covers_any(&self.exact(&name)))
        };
        match complex {
            Complex::Complement { excepted, .. } => Truth::from_bool(!excepts(excepted)),
            Complex::DynamicResource { resource, .. } => {
                let Some(resource) = statement.resources().get(*resource as usize) else {
                    return Truth::False;
                };
                let reading = if is_denial { Reading::Denied } else { Reading::Exact };
                match self.resolved_covers(resource, request, reading) {
                    Ok(covers) => Truth::from_bool(covers),
                    Err(Unresolved::Missing(_)) if !is_denial => Truth::False,
                    Err(unresolved) => Truth::Unknown(unresolved.key()),
                }
            }
            Complex::DynamicComplement { excepted, .. } => {
                // What is excepted from a Deny is excepted under its own name only.
                let own = AccessRequest { allowed_as: request.allowed_as.filter(|_| !is_denial), ..*request };
                let reading = if is_denial { Reading::Exact } else { Reading::Excepted };
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
        let covers = match sixth_field(resource.as_str(), &self.stage) {
            None => false,
            Some(None) => true,
            Some(Some(sixth)) => {
                let pattern = resolve::resource(sixth, request.context)?;
                let mut plan = Plan::default();
                plan.push(origin, &pattern, Scope::Stage, false);
                if reading == Reading::Denied {
                    for_each_pattern_alias(&pattern, |alias, canonical_only| {
                        plan.push(origin, alias, Scope::Stage, canonical_only);
                    });
                }
                self.covers_under_any_name(&plan, request, reading)
            }
        };
        if covers || reading == Reading::Exact {
            return Ok(covers);
        }
        let Some((fields, sixth)) = crossing::split(resource.as_str()) else { return Ok(false) };
        let (sixth, unresolved) = match resolve::behind_star(sixth, request.context) {
            Ok(sixth) => (sixth, None),
            // Whatever it stands for: it cannot cover more than everything.
            Err(unresolved) => (resolve::widest(sixth), Some(unresolved)),
        };
        let mut plan = Plan::default();
        let aliases = reading == Reading::Denied;
        crossing::push(&mut plan, aliases, origin, &format!("{fields}{sixth}"), &self.stage);
        match (self.covers_under_any_name(&plan, request, reading), unresolved) {
            (true, Some(unresolved)) => Err(unresolved),
            (covers, _) => Ok(covers),
        }
    }

    fn covers_under_any_name(&self, plan: &Plan, request: &AccessRequest<'_>, reading: Reading) -> bool {
        let exact = self.exact(request);
        let mut covers = false;
        if reading == Reading::Denied {
            for_each_alias(&exact, request, |target| covers = covers || plan.covers_any(target));
        } else {
            let other = request.as_other_method();
            covers =
                plan.covers_any(&exact) || other.is_some_and(|other| plan.covers_any(&self.exact(&other)));
        }
        covers
    }

    #[inline(always)]
    pub(super) fn exact<'a>(&'a self, request: &AccessRequest<'a>) -> Target<'a> {
        let is_canonical = request.canonical_path.is_none();
        Target::new(self.stage.resource_prefix(), request.method, request.path, is_canonical)
    }
}

/// How a resource with variables is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    /// Field by field, under the request's own name: what grants, and what is excepted from a Deny.
    Exact,
    /// Also as plain text: what is excepted from an Allow.
    Excepted,
    /// Also as plain text, and under every name: what denies.
    Denied,
}

/// What a search has found: the first statement that certainly applies, and the first that may.
#[derive(Debug, Default)]
struct Found<'p> {
    certain: Option<u32>,
    unknown: Option<(u32, &'p str)>,
}

impl<'p> Found<'p> {
    #[inline]
    fn is_settled_before(&self, statement: u32) -> bool {
        self.certain.is_some_and(|certain| certain <= statement)
    }

    /// Whether the statement settles it.
    #[inline]
    fn note(&mut self, statement: u32, truth: Truth<'p>) -> bool {
        match truth {
            Truth::False => {}
            Truth::True => self.certain = Some(self.certain.map_or(statement, |known| known.min(statement))),
            Truth::Unknown(key) => {
                if self.unknown.is_none_or(|(known, _)| statement < known) {
                    self.unknown = Some((statement, key));
                }
            }
        }
        truth == Truth::True
    }
}

/// Every spelling of the request that an explicit denial is compared with. A slash that is added at the end is part
/// of the patterns.
#[inline]
pub(super) fn for_each_alias<'a>(
    exact: &Target<'a>,
    request: &AccessRequest<'a>,
    mut compare: impl FnMut(&Target<'a>),
) {
    compare(exact);
    let as_get = matches!(request.method, "HEAD" | "CONNECT").then(|| exact.with_method("GET"));
    if let Some(get) = &as_get {
        compare(get);
    }
    let mut spelling = |path, is_canonical| {
        compare(&exact.with_path(path, is_canonical));
        if let Some(get) = &as_get {
            compare(&get.with_path(path, is_canonical));
        }
    };
    if let Some(shorter) = without_last_slash(exact.path) {
        spelling(shorter, exact.is_canonical);
    }
    if let Some(canonical) = request.canonical_path {
        spelling(canonical, true);
        if let Some(shorter) = without_last_slash(canonical) {
            spelling(shorter, true);
        }
    }
}

#[inline]
fn without_last_slash(path: &str) -> Option<&str> {
    path.strip_suffix('/').filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::policy::Decision::{self, Allow, ExplicitDeny, ImplicitDeny, Indeterminate};
    use crate::policy::{
        AccessRequest, ConditionContext, ConditionKey, ConditionValue, PolicyDocument, StageArn,
    };

    fn stage() -> StageArn {
        StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap()
    }

    fn decide(statements: &[(&str, &str)], request: &AccessRequest<'_>) -> Decision {
        let statements: Vec<_> = statements
            .iter()
            .map(|(effect, resource)| {
                let resource = resource.replace("~", "arn:aws:execute-api:us-east-1:123456789012:abcdef");
                let (effect, element) = match effect.split_once('!') {
                    Some((effect, _)) => (effect, "NotResource"),
                    None => (*effect, "Resource"),
                };
                format!(r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","{element}":"{resource}"}}"#)
            })
            .collect();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        PolicyDocument::from_json(&text).unwrap().bind(&stage()).evaluate(request).decision()
    }

    fn get(path: &str) -> AccessRequest<'_> {
        AccessRequest::new("GET", path)
    }

    #[test]
    fn explicit_deny_beats_allow() {
        for statements in
            [[("Allow", "*"), ("Deny", "~/prod/GET/admin")], [("Deny", "~/prod/GET/admin"), ("Allow", "*")]]
        {
            assert_eq!(decide(&statements, &get("/admin")), ExplicitDeny);
            assert_eq!(decide(&statements, &get("/other")), Allow);
        }
    }

    #[test]
    fn patterns_cover_what_iam_says() {
        for (pattern, path, expected) in [
            ("~/prod/GET/users/*", "/users/", Allow),
            ("~/prod/GET/users/*", "/users/a/b:c", Allow),
            ("~/prod/GET/users/*", "/users", ImplicitDeny),
            ("~/prod/GET/me", "/me/x", ImplicitDeny),
            ("~/prod/GET/a.b", "/axb", ImplicitDeny),
            ("~/prod/GET/a+b", "/a+b", Allow),
            ("~/prod/GET/a(", "/b", ImplicitDeny),
            ("~/prod/GET/users/?", "/users/1", Allow),
            ("~/prod/GET/users/?", "/users/12", ImplicitDeny),
            ("~/prod/*/users", "/users", Allow),
            ("~/prod/*/users", "/a/users", Allow),
            ("~/prod/*ET/users", "/users", Allow),
            ("~/prod/G?T/users", "/users", Allow),
            ("~/prod/*OST/users", "/users", ImplicitDeny),
            ("~/*/GET/users", "/users", Allow),
            ("~/od/GET/*", "/x", ImplicitDeny),
            ("~/dev/GET/*", "/x/dev/GET/y", ImplicitDeny),
            ("~/*", "/x", Allow),
            ("~*", "/x", Allow),
            ("arn:aws:*", "/x", Allow),
            ("arn:aws:s3:::*", "/x", ImplicitDeny),
            ("arn:aws:execute-api:us-*:*:*/prod/GET/x", "/x", Allow),
            ("~/prod/GET/%7euser/%2f", "/~user/%2F", Allow),
            ("~/prod/GET/a b", "/a%20b", Allow),
            ("~/prod/get/x", "/x", ImplicitDeny),
        ] {
            assert_eq!(decide(&[("Allow", pattern)], &get(path)), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_denial_is_tested_against_every_alias() {
        let denied = |pattern: &str, request: &AccessRequest<'_>| {
            decide(&[("Allow", "*"), ("Deny", pattern)], request) == ExplicitDeny
        };
        let head = AccessRequest::new("HEAD", "/admin");
        assert!(denied("~/prod/GET/admin", &head));
        assert!(denied("~/prod/GET/admin", &AccessRequest::new("CONNECT", "/admin/")));
        assert!(!denied("~/prod/POST/admin", &head));
        assert!(denied("~/prod/GET/admin", &get("/admin/")));
        assert!(denied("~/prod/GET/admin/", &get("/admin")));
        assert!(!denied("~/prod/GET/admin/*", &get("/admin")));
        assert!(denied("~/prod/GET/a%40b", &get("/a@b")));
        assert!(denied("~/prod/GET/a@b", &get("/a%40b").with_canonical_path("/a@b")));
        assert!(denied("~/prod/GET/a%40b/", &get("/a%40b").with_canonical_path("/a@b")));
        assert!(!denied("~/prod/GET/a@b", &get("/a%40b")));
        assert!(denied("~/prod/GET/%61dmin", &get("/admin")));
    }

    #[test]
    fn a_permission_is_exact() {
        let allowed = |request: &AccessRequest<'_>| decide(&[("Allow", "~/prod/GET/a@b")], request) == Allow;
        assert!(allowed(&get("/a@b")));
        assert!(!allowed(&get("/a@b/")));
        assert!(!allowed(&AccessRequest::new("HEAD", "/a@b")));
        assert!(!allowed(&get("/a%40b").with_canonical_path("/a@b")));
    }

    #[test]
    fn what_is_allowed_as_another_method_is_denied_as_its_own() {
        let head = AccessRequest::new("HEAD", "/admin").allowed_as("GET");
        assert_eq!(decide(&[("Allow", "~/prod/GET/*")], &head), Allow);
        assert_eq!(decide(&[("Allow", "~/prod/HEAD/*")], &head), Allow);
        assert_eq!(decide(&[("Allow", "~/prod/POST/*")], &head), ImplicitDeny);
        for denied in ["GET", "HEAD", "*"] {
            let denied = format!("~/prod/{denied}/admin");
            assert_eq!(decide(&[("Allow", "*"), ("Deny", &denied)], &head), ExplicitDeny);
            assert_eq!(decide(&[("Allow!", &denied)], &head), ImplicitDeny);
        }
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/GET/admin")], &head), ExplicitDeny);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/HEAD/admin")], &head), Allow);
        // The same for resources with variables.
        let head = AccessRequest::new("HEAD", "/%2A").allowed_as("GET");
        assert_eq!(decide(&[("Allow", "~/prod/GET/${*}")], &head), Allow);
        assert_eq!(decide(&[("Allow!", "~/prod/GET/${*}")], &head), ImplicitDeny);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/GET/${*}")], &head), ExplicitDeny);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/HEAD/${*}")], &head), Allow);
    }

    #[test]
    fn not_resource_is_everything_else() {
        assert_eq!(decide(&[("Allow!", "~/prod/GET/admin")], &get("/a")), Allow);
        assert_eq!(decide(&[("Allow!", "~/prod/GET/admin")], &get("/admin")), ImplicitDeny);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/GET/a*")], &get("/b")), ExplicitDeny);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/GET/a*")], &get("/a")), Allow);
        assert_eq!(decide(&[("Allow", "*"), ("Deny!", "~/prod/GET/a")], &get("/a/")), ExplicitDeny);
    }

    #[test]
    fn a_socket_has_no_method() {
        let open = AccessRequest::new("", "$connect");
        assert_eq!(decide(&[("Allow", "~/prod/$connect")], &open), Allow);
        assert_eq!(decide(&[("Allow", "~/prod/*")], &open), Allow);
        assert_eq!(decide(&[("Allow", "~/*/$connect")], &open), Allow);
        assert_eq!(decide(&[("Allow", "~/prod/GET/*")], &open), ImplicitDeny);
    }

    /// `x:here` is `a/b*`, `x:hidden` is not known, everything else is absent.
    struct Context;

    impl ConditionContext for Context {
        fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
            match key.as_str() {
                "x:here" => "a/b*".into(),
                "x:hidden" => ConditionValue::Unavailable,
                _ => ConditionValue::Absent,
            }
        }
    }

    fn with_context<'a>(path: &'a str) -> AccessRequest<'a> {
        get(path).with_context(&Context)
    }

    #[test]
    fn variables_in_resources_are_literal() {
        let mine = [("Allow", "~/prod/GET/${x:here}/*")];
        assert_eq!(decide(&mine, &with_context("/a/b%2A/x")), Allow);
        assert_eq!(decide(&mine, &with_context("/a/bc/x")), ImplicitDeny);
        let denied = [("Allow", "*"), ("Deny", "~/prod/GET/${x:here}/")];
        assert_eq!(decide(&denied, &with_context("/a/b%2A")), ExplicitDeny);
        assert_eq!(decide(&[("Allow", "~/prod/GET/${x:no, 'one'}")], &with_context("/one")), Allow);
        assert_eq!(decide(&[("Allow", "~/${x:no, 'prod'}/GET/%6fne")], &with_context("/one")), Allow);
    }

    #[test]
    fn unresolved_variables_fail_closed() {
        for (variable, deny_not) in [("${x:none}", ExplicitDeny), ("${x:hidden}", Indeterminate)] {
            let pattern = format!("~/prod/GET/{variable}");
            let decide = |statements: &[(&str, &str)]| decide(statements, &with_context("/one"));
            assert_eq!(decide(&[("Allow", &pattern)]), ImplicitDeny);
            assert_eq!(decide(&[("Allow!", &pattern)]), ImplicitDeny);
            assert_eq!(decide(&[("Allow", "*"), ("Deny", &pattern)]), Indeterminate);
            assert_eq!(decide(&[("Deny", &pattern)]), ImplicitDeny);
            assert_eq!(decide(&[("Allow", "*"), ("Deny!", &pattern)]), deny_not);
            assert_eq!(decide(&[("Allow", "*"), ("Deny", &pattern), ("Deny", "*")]), ExplicitDeny);
        }
    }

    #[test]
    fn an_unknown_denial_names_its_key() {
        let text = r#"{"Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"s","Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"X:Hidden":"true"}}},
            {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"x:none":"true"}}}]}"#;
        let policy = PolicyDocument::from_json(text).unwrap().bind(&stage());
        let evaluation = policy.evaluate(&with_context("/x"));
        assert_eq!(evaluation.decision(), Indeterminate);
        assert_eq!((evaluation.statement(), evaluation.sid()), (Some(1), Some("s")));
        assert_eq!(evaluation.unavailable_key(), Some("X:Hidden"));
        assert_eq!(policy.evaluate(&get("/x")).decision(), Allow);
    }

    #[test]
    fn version_2008_has_no_variables() {
        let text = r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*",
            "Resource":"arn:aws:execute-api:*:*:*/prod/GET/${x:here}"}}"#;
        let policy = PolicyDocument::from_json(text).unwrap().bind(&stage());
        assert_eq!(policy.evaluate(&with_context("/$%7Bx:here%7D")).decision(), Allow);
        assert_eq!(policy.evaluate(&with_context("/a/b%2A")).decision(), ImplicitDeny);
    }
}
