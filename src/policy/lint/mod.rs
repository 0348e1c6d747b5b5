mod elements;

use std::fmt;

use elements::{lint_condition, lint_resource};

use super::bind::{BoundPolicy, sixth_field};
use super::document::{Inner, PolicyDocument, Version};
use super::statement::Effect;
use super::{StageArn, overlap};

/// What authorizers may answer with under AWS, in bytes.
const LARGE: usize = 8 * 1024;

/// Something in a policy that is allowed and is most likely not what was meant.
///
/// Its [`Display`](fmt::Display) says where, why, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lint {
    kind: LintKind,
    location: String,
    why: String,
    instead: &'static str,
}

/// The kinds of [`Lint`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LintKind {
    /// An `Allow` applies when the key it asks about is absent.
    AllowsWhenAbsent,
    /// A `Deny` does not apply when the key it asks about is absent.
    DenySkippedWhenAbsent,
    /// A `Deny` covers what lies below a path and not the path itself.
    DenyWithoutParent,
    /// All that is allowed is one literal ARN, most likely the `methodArn` of the event.
    EchoedArn,
    /// The policy is larger than AWS takes.
    Large,
    /// The name of a condition key has no prefix, and no request has such a key.
    KeyWithoutPrefix,
    /// A segment looks like a parameter of a route, and is plain text.
    LiteralParameter,
    /// A prefix ends in the middle of a segment.
    PrefixWithoutBoundary,
    /// No statement can allow a route that shares the cached policy.
    RouteNotCovered,
    /// The name of a condition key begins as those of AWS, and API Gateway gives no request such a key.
    UnknownKey,
    /// `${…}` under version 2008-10-17 is plain text.
    VariableIsText,
    /// A wildcard stands where one segment was meant, and covers several.
    WildcardCrossesSegments,
}

impl Lint {
    fn new(
        kind: LintKind,
        location: impl Into<String>,
        why: impl Into<String>,
        instead: &'static str,
    ) -> Self {
        Self { kind, location: location.into(), why: why.into(), instead }
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> LintKind {
        self.kind
    }

    /// The path to it, such as `Statement[2].Resource[0]`; empty for the whole policy.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Why it is suspicious.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What to write instead.
    #[must_use]
    pub const fn instead(&self) -> &str {
        self.instead
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}: ", self.location)?;
        }
        write!(f, "{}; {}", self.why, self.instead)
    }
}

impl PolicyDocument {
    /// Looks for what is most likely not meant. An empty list is no proof of anything.
    ///
    /// ```
    /// use tower_lambda_authorizer::policy::{LintKind, PolicyDocument};
    ///
    /// let policy = PolicyDocument::from_json(
    ///     r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke",
    ///         "Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/users*"}}"#,
    /// )?;
    /// let lints = policy.lint();
    /// assert_eq!(lints[0].kind(), LintKind::PrefixWithoutBoundary);
    /// assert_eq!(
    ///     lints[0].to_string(),
    ///     "Statement[0].Resource[0]: `…/GET/users*` also covers what only begins alike, such as \
    ///      `…/GET/users-other`; write the path itself and the path with `/*` as two resources"
    /// );
    /// # Ok::<(), tower_lambda_authorizer::policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        let mut lints = Vec::new();
        if serde_json::to_string(self).is_ok_and(|text| text.len() > LARGE) {
            lints.push(Lint::new(
                LintKind::Large,
                "",
                "the policy is larger than 8 KiB, which AWS does not take",
                "use wildcards, or fewer statements with several resources",
            ));
        }
        self.lint_echo(&mut lints);
        for (index, statement) in self.statements().iter().enumerate() {
            for (entry, resource) in statement.resources().iter().enumerate() {
                let element = if statement.is_not_resource() { "NotResource" } else { "Resource" };
                let location = format!("Statement[{index}].{element}[{entry}]");
                if resource.has_marks_as_text() {
                    lints.push(variable_is_text(location.clone()));
                }
                lint_resource(statement, resource.as_str(), &location, &mut lints);
            }
            for condition in statement.conditions() {
                let (operator, key) = (condition.operator(), condition.key_name());
                let location = format!("Statement[{index}].Condition.{operator}.{key}");
                if self.version() == Version::V2008 && condition.values().any(|value| value.contains("${")) {
                    lints.push(variable_is_text(location.clone()));
                }
                lint_condition(statement, condition, &location, &mut lints);
            }
        }
        lints
    }

    /// Looks for routes that no statement of this policy can allow.
    ///
    /// While a policy is cached it decides every route whose requests have the same identity. When one of them can
    /// never be allowed, the policy was most likely written for the route that happened to come first. A route is a
    /// method and a path template: `{name}` is one segment, `{name+}` is any number of them.
    ///
    /// ```
    /// use tower_lambda_authorizer::policy::StageArn;
    ///
    /// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
    /// let policy = stage.policy().value("id", "42").allow(http::Method::GET, "/users/{id}").build()?;
    /// let lints = policy.lint_routes(&stage, [("GET", "/users/{id}"), ("GET", "/orders")]);
    /// assert_eq!(lints.len(), 1);
    /// assert!(lints[0].why().contains("GET /orders"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lint_routes<'r>(
        &self,
        stage: &StageArn,
        routes: impl IntoIterator<Item = (&'r str, &'r str)>,
    ) -> Vec<Lint> {
        let may_allow = |method: &str, template: &str| {
            let route = overlap::route(&format!("{}{method}", stage.resource_prefix()), template);
            self.statements().iter().any(|statement| {
                let covers = statement.resources().iter().any(|resource| {
                    match sixth_field(resource.as_str(), stage) {
                        None => false,
                        Some(None) => true,
                        Some(Some(sixth)) => overlap::overlaps(&overlap::pattern(sixth), &route),
                    }
                });
                statement.effect() == Effect::Allow
                    && statement.covers_invoke()
                    && (covers || statement.is_not_resource())
            })
        };
        routes
            .into_iter()
            .filter(|(method, template)| !may_allow(method, template))
            .map(|(method, template)| {
                Lint::new(
                    LintKind::RouteNotCovered,
                    "",
                    format!("no statement can allow {method} {template}, which shares this policy while it is cached"),
                    "allow every route that the caller may use, not only the one that was asked for",
                )
            })
            .collect()
    }

    fn lint_echo(&self, lints: &mut Vec<Lint>) {
        if let Some(index) = self.inner.lone_arn() {
            lints.push(Lint::new(
                LintKind::EchoedArn,
                format!("Statement[{index}].Resource[0]"),
                "all that is allowed is one literal ARN: while the policy is cached every other route answers 403",
                "allow every route that the caller may use, or turn caching off",
            ));
        }
    }
}

impl Inner {
    /// The statement with the one literal ARN that is all that is allowed.
    fn lone_arn(&self) -> Option<usize> {
        let statements = self.statements.iter().enumerate();
        let mut allowed = statements.filter(|(_, statement)| statement.effect == Effect::Allow);
        let ((index, statement), None) = (allowed.next()?, allowed.next()) else { return None };
        let [resource] = statement.resources() else { return None };
        let is_literal = !statement.is_not_resource() && !resource.as_str().contains(['*', '?', '$']);
        is_literal.then_some(index)
    }
}

impl BoundPolicy {
    /// Whether all that is allowed is one literal ARN.
    pub(crate) fn allows_one_arn(&self) -> bool {
        self.document.lone_arn().is_some()
    }
}

fn variable_is_text(location: String) -> Lint {
    Lint::new(
        LintKind::VariableIsText,
        location,
        "`${…}` is plain text under version 2008-10-17, which is also meant when no version is given",
        "write `\"Version\": \"2012-10-17\"`",
    )
}

#[cfg(test)]
mod tests {
    use super::LintKind::*;
    use crate::policy::{PolicyDocument, StageArn};

    #[test]
    fn policies_are_looked_at() {
        let kinds = |text: &str| -> Vec<_> {
            PolicyDocument::from_json(text).unwrap().lint().iter().map(super::Lint::kind).collect()
        };
        let echo =
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:r:1:a/s/GET/x"}}"#;
        assert_eq!(kinds(echo), [EchoedArn]);
        let old = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":["arn:a:b:c:d:e/${x:y}","*"]}}"#;
        assert_eq!(kinds(old), [VariableIsText]);
        let large = format!(r#"{{"Id":"{}","Statement":[]}}"#, "x".repeat(9000));
        assert_eq!(kinds(&large), [Large]);
    }

    #[test]
    fn routes_that_share_a_policy_have_to_be_in_it() {
        let stage = StageArn::new("aws", "us-east-1", "123456789012", "abc", "prod").unwrap();
        let policy = stage
            .policy()
            .value("id", "42")
            .allow(http::Method::GET, "/users/{id}/*")
            .allow(crate::policy::AnyMethod, "/files/*")
            .build()
            .unwrap();
        let routes = [
            ("GET", "/users/{id}/orders/{order}"),
            ("GET", "/users/{id}"),
            ("POST", "/users/{id}/orders"),
            ("PUT", "/files/{rest+}"),
        ];
        let missing: Vec<_> =
            policy.lint_routes(&stage, routes).iter().map(|lint| lint.why().to_owned()).collect();
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing[0].contains("GET /users/{id},") && missing[1].contains("POST /users/{id}/orders,"));
    }
}
