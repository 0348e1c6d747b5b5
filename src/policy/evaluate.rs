use super::bind::BoundPolicy;
use super::decision::{Decision, Evaluation};
use super::plan::{Complex, Plan};
use super::request::AccessRequest;
use super::statement::Statement;
use super::target::{Spellings, Target};
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
        let mut known = Known::default();
        let mut denied = Found::default();
        if !self.deny.is_empty() {
            for_each_alias(&exact, request, |target| {
                self.search(&self.deny, target, request, &mut known, &mut denied);
            });
            if !self.deny.complex().is_empty() {
                self.search_complex(&self.deny, request, &mut known, &mut denied);
            }
            if denied.certain.is_some() {
                return answer(Decision::ExplicitDeny, denied.certain, None);
            }
        }
        let mut allowed = Found::default();
        self.search(&self.allow, &exact, request, &mut known, &mut allowed);
        if let Some(other) = request.as_other_method() {
            self.search(&self.allow, &self.exact(&other), request, &mut known, &mut allowed);
        }
        if !self.allow.complex().is_empty() {
            self.search_complex(&self.allow, request, &mut known, &mut allowed);
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
        known: &mut Known<'p>,
        found: &mut Found<'p>,
    ) {
        plan.search(target, |entry| {
            let statement = entry.statement;
            if found.is_settled_before(statement) {
                return true;
            }
            if !entry.conditional {
                return found.note(statement, Truth::True);
            }
            found.note(statement, self.conditions_hold(statement, request, known))
        });
    }

    fn search_complex<'p>(
        &'p self,
        plan: &'p Plan,
        request: &AccessRequest<'_>,
        known: &mut Known<'p>,
        found: &mut Found<'p>,
    ) {
        for complex in plan.complex() {
            let index = complex.statement();
            if found.is_settled_before(index) {
                continue;
            }
            let resource = self.complex_covers(complex, request);
            let truth = match (resource, complex) {
                (Truth::False, _) | (_, Complex::Complement { conditional: false, .. }) => resource,
                _ => Truth::all([self.conditions_hold(index, request, known), resource]),
            };
            found.note(index, truth);
        }
    }

    /// Whether the conditions of a statement hold, under whatever name of the request and for whatever resource.
    fn conditions_hold<'p>(
        &'p self,
        statement: u32,
        request: &AccessRequest<'_>,
        known: &mut Known<'p>,
    ) -> Truth<'p> {
        known.of(statement, self.document.statements.len(), || {
            let conditions = self.document.statements.get(statement as usize).map(Statement::conditions);
            Truth::all(
                conditions.unwrap_or_default().iter().map(|condition| condition.holds(request.context)),
            )
        })
    }

    /// The first statement that would allow a request if its conditions held, of a policy that does not allow it.
    #[cold]
    pub(crate) fn unmet(&self, request: &AccessRequest<'_>) -> Option<usize> {
        let complex = self.allow.complex().iter();
        let complex = complex.filter(|complex| self.complex_covers(complex, request) != Truth::False);
        let mut unmet = complex.map(Complex::statement).min();
        for name in std::iter::once(*request).chain(request.as_other_method()) {
            self.allow.search(&self.exact(&name), |entry| {
                unmet = Some(unmet.map_or(entry.statement, |known| known.min(entry.statement)));
                false
            });
        }
        unmet.map(|statement| statement as usize)
    }

    #[inline(always)]
    pub(super) fn exact<'a>(&'a self, request: &AccessRequest<'a>) -> Target<'a> {
        Target::new(self.stage.resource_prefix(), request.method, request.path, Spellings::ARN)
    }
}

/// Which conditions hold, as far as they have been looked at. A request has many names, and a statement many resources.
#[derive(Default)]
struct Known<'p> {
    few: [Option<(u32, Truth<'p>)>; 4],
    /// By the number of the statement, where there are more than a few.
    all: Vec<Option<Truth<'p>>>,
}

impl<'p> Known<'p> {
    fn of(&mut self, statement: u32, count: usize, find: impl FnOnce() -> Truth<'p>) -> Truth<'p> {
        for slot in &mut self.few {
            match slot {
                Some((known, truth)) if *known == statement => return *truth,
                Some(_) => {}
                None => return slot.insert((statement, find())).1,
            }
        }
        self.all.resize(count, None);
        match self.all.get_mut(statement as usize) {
            Some(slot) => *slot.get_or_insert_with(find),
            None => find(),
        }
    }
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
    let mut spelling = |path, spelling| {
        compare(&exact.with_path(path, spelling));
        if let Some(get) = &as_get {
            compare(&get.with_path(path, spelling));
        }
    };
    if let Some(shorter) = without_last_slash(exact.path) {
        spelling(shorter, exact.spelling);
    }
    let others = [(request.canonical_path, Spellings::ARN), (request.sent_path, Spellings::SENT)];
    for (path, is) in others {
        let Some(path) = path else { continue };
        spelling(path, is);
        if let Some(shorter) = without_last_slash(path) {
            spelling(shorter, is);
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
