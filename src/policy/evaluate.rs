use super::bind::{BoundPolicy, behind_stage, spell};
use super::document::{Effect, Inner, Statement};
use super::glob;
use super::plan::{Scope, Target};
use super::request::AccessRequest;

/// What a policy says about a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the IAM evaluation logic and its one unknown")]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    ImplicitDeny,
    /// It would be allowed, but a `Deny` depends on something that is not known. It is refused, as an error.
    Indeterminate,
}

/// The answer to an [`AccessRequest`], with the statement that settled it.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'p> {
    document: &'p Inner,
    decision: Decision,
    statement: Option<u32>,
    unavailable_key: Option<&'p str>,
}

impl<'p> Evaluation<'p> {
    /// The answer.
    #[must_use]
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether the answer is [`Decision::Allow`].
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.decision, Decision::Allow)
    }

    /// The index of the statement that settled it: the first that allows, denies or cannot be decided. An implicit
    /// denial has none.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        self.statement.map(|index| index as usize)
    }

    /// The name of that statement, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&'p str> {
        self.statement.and_then(|index| self.document.statements.get(index as usize)).and_then(Statement::sid)
    }

    /// The condition key whose value would have been needed, when the answer is [`Decision::Indeterminate`].
    #[must_use]
    pub const fn unavailable_key(&self) -> Option<&'p str> {
        self.unavailable_key
    }
}

impl BoundPolicy {
    /// Decides a request.
    ///
    /// A `Deny` is compared with every spelling under which the request could be meant; an `Allow` with the request
    /// as it is.
    #[must_use]
    pub fn evaluate<'p>(&'p self, request: &AccessRequest<'_>) -> Evaluation<'p> {
        let answer = |decision, statement| Evaluation {
            document: &self.document,
            decision,
            statement,
            unavailable_key: None,
        };
        if let Some(statement) = self.first_denial(request) {
            return answer(Decision::ExplicitDeny, Some(statement));
        }
        match self.first_permission(request) {
            Some(statement) => answer(Decision::Allow, Some(statement)),
            None => answer(Decision::ImplicitDeny, None),
        }
    }

    fn first_denial(&self, request: &AccessRequest<'_>) -> Option<u32> {
        let mut first = None;
        for target in self.aliases(request) {
            self.deny.search(&target, |statement| {
                first = Some(first.map_or(statement, |known: u32| known.min(statement)));
                true
            });
        }
        for &index in self.deny.complex() {
            if first.is_none_or(|known| index < known) && self.complex_applies(index, request) {
                first = Some(index);
            }
        }
        first
    }

    fn first_permission(&self, request: &AccessRequest<'_>) -> Option<u32> {
        let mut first = None;
        self.allow.search(&self.exact(request), |statement| {
            first = Some(statement);
            true
        });
        for &index in self.allow.complex() {
            if first.is_none_or(|known| index < known) && self.complex_applies(index, request) {
                first = Some(index);
            }
        }
        first
    }

    fn complex_applies(&self, index: u32, request: &AccessRequest<'_>) -> bool {
        let Some(statement) = self.document.statements.get(index as usize) else { return false };
        let dynamic = statement.resources().iter().any(|resource| resource.as_str().contains("${"));
        if dynamic {
            return statement.effect == Effect::Deny;
        }
        let target = self.exact(request);
        !statement.resources().iter().any(|resource| {
            behind_stage(resource.as_str(), &self.stage).is_some_and(|(rest, scope)| {
                let spelled = spell(rest, scope);
                let prefix = if scope == Scope::Stage { target.prefix } else { "" };
                let pattern = spelled.as_deref().unwrap_or(rest);
                glob::matches_parts(pattern.as_bytes(), [prefix, target.method, target.path])
            })
        })
    }

    fn exact<'a>(&'a self, request: &AccessRequest<'a>) -> Target<'a> {
        Target {
            prefix: self.stage.resource_prefix(),
            method: request.method,
            path: request.path,
            is_canonical: request.canonical_path.is_none(),
        }
    }

    /// Every spelling of the request that an explicit denial is compared with. A slash that is added at the end is
    /// part of the patterns.
    fn aliases<'a>(&'a self, request: &AccessRequest<'a>) -> impl Iterator<Item = Target<'a>> + use<'a> {
        let exact = self.exact(request);
        let canonical = request.canonical_path.map(|path| Target { path, is_canonical: true, ..exact });
        let as_get = matches!(request.method, "HEAD" | "CONNECT");
        std::iter::once(exact)
            .chain(canonical)
            .flat_map(|target| {
                let shorter = target.path.strip_suffix('/').filter(|path| !path.is_empty());
                std::iter::once(target).chain(shorter.map(|path| Target { path, ..target }))
            })
            .flat_map(move |target| {
                std::iter::once(target).chain(as_get.then_some(Target { method: "GET", ..target }))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{self, Allow, ExplicitDeny, ImplicitDeny};
    use crate::policy::{AccessRequest, PolicyDocument, StageArn};

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
}
