//! What is looked at in each statement.

use super::{Lint, LintKind};
use crate::policy::condition::Condition;
use crate::policy::context::ConditionKey;
use crate::policy::statement::{Effect, Statement};

/// Looks at a resource.
pub(super) fn lint_resource(statement: &Statement, resource: &str, location: &str, lints: &mut Vec<Lint>) {
    let Some(sixth) = resource.splitn(6, ':').nth(5) else { return };
    let denies = (statement.effect() == Effect::Deny) != statement.is_not_resource();
    let parts: Vec<&str> = sixth.splitn(4, '/').collect();
    let shown = |text: &str| {
        let text = parts.get(2..).map_or_else(|| text.to_owned(), |parts| parts.join("/"));
        if parts.len() > 2 { format!("`…/{text}`") } else { format!("`{text}`") }
    };
    let mut segments = parts.get(3).copied().unwrap_or_default().split('/');
    if let Some(segment) = segments.find(|segment| is_like_a_parameter(segment)) {
        lints.push(Lint::new(
            LintKind::LiteralParameter,
            location,
            format!("`{}` in {} is plain text and stands for nothing else", cut(segment), shown(sixth)),
            "write `*`, or have a policy built from a template, in which `{name}` takes a value",
        ));
    }
    let Some((before, after)) = sixth.split_once('*') else { return };
    let is_whole_stage = matches!(parts.get(2..), Some(["*", "*"]));
    if !denies && !is_whole_stage && after.bytes().any(|byte| byte != b'*') {
        let why =
            format!("the `*` before `{}` in {} covers any number of segments", cut(after), shown(sixth));
        lints.push(Lint::new(
            LintKind::WildcardCrossesSegments,
            location,
            why,
            "name the segments, or refuse what lies deeper with a `Deny`",
        ));
    }
    let Some(path) = parts.get(3).filter(|_| after.is_empty()) else { return };
    let in_path = before.len() >= sixth.len() - path.len();
    if in_path && !denies && !before.ends_with('/') {
        let other = shown(sixth).replace('*', "-other");
        let why = format!("{} also covers what only begins alike, such as {other}", shown(sixth));
        lints.push(Lint::new(
            LintKind::PrefixWithoutBoundary,
            location,
            why,
            "write the path itself and the path with `/*` as two resources",
        ));
    }
    if in_path && denies && before.ends_with('/') && path.len() > 1 {
        let why = format!("{} does not cover the path before its last `/`", shown(sixth));
        lints.push(Lint::new(
            LintKind::DenyWithoutParent,
            location,
            why,
            "write the path itself and the path with `/*` as two resources",
        ));
    }
}

/// Looks at a condition.
pub(super) fn lint_condition(
    statement: &Statement,
    condition: &Condition,
    location: &str,
    lints: &mut Vec<Lint>,
) {
    if !condition.key_name().contains(':') {
        lints.push(Lint::new(
            LintKind::KeyWithoutPrefix,
            location,
            format!("no request has a key `{}`: names of keys have a prefix", condition.key_name()),
            "write it, as in `aws:SourceIp`",
        ));
    }
    let is_reserved = |name: &str| name.starts_with("aws:") || name.starts_with("execute-api:");
    if let ConditionKey::Other(name) = condition.key()
        && is_reserved(name)
    {
        lints.push(Lint::new(
            LintKind::UnknownKey,
            location,
            format!("API Gateway gives no request a key `{}`", condition.key_name()),
            "look for a slip of the pen in its name, or for the key among those that `ConditionKey` lists",
        ));
    }
    let always_there = matches!(
        condition.key(),
        ConditionKey::CurrentTime
            | ConditionKey::EpochTime
            | ConditionKey::RequestedRegion
            | ConditionKey::SecureTransport
            | ConditionKey::SourceIp
    );
    let guarded = statement.conditions().iter().any(|other| {
        other.parsed_operator().is_null()
            && other.key() == condition.key()
            && other.values().all(|v| v.eq_ignore_ascii_case("false"))
    });
    if always_there || guarded || condition.parsed_operator().is_null() {
        return;
    }
    let applies = condition.parsed_operator().holds_when_absent();
    let key = condition.key_name();
    if applies && statement.effect() == Effect::Allow {
        lints.push(Lint::new(
            LintKind::AllowsWhenAbsent,
            location,
            format!("the condition also holds when `{key}` is absent, and then the statement allows"),
            "add `\"Null\": {\"the key\": \"false\"}` to the condition",
        ));
    }
    if !applies && statement.effect() == Effect::Deny {
        lints.push(Lint::new(
            LintKind::DenySkippedWhenAbsent,
            location,
            format!(
                "the condition does not hold when `{key}` is absent, and then the statement does not deny"
            ),
            "use the operator with `IfExists`, or add a `Deny` with `\"Null\": {\"the key\": \"true\"}`",
        ));
    }
}

/// `:name`, or `{name}`, as routers write them.
fn is_like_a_parameter(segment: &str) -> bool {
    let braced = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let name = braced.or_else(|| segment.strip_prefix(':'));
    name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}', ':']))
}

fn cut(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use crate::policy::LintKind::{self, *};
    use crate::policy::{Lint, PolicyDocument};

    fn lints(effect: &str, resource: &str, condition: &str) -> Vec<LintKind> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"*",
                "Resource":"arn:aws:execute-api:us-east-1:123456789012:abc/{resource}","Condition":{{{condition}}}}},
                {{"Effect":"Allow","Action":"s3:*","Resource":[]}}]}}"#
        );
        PolicyDocument::from_json(&text).unwrap().lint().iter().map(Lint::kind).collect()
    }

    #[test]
    fn resources_are_looked_at() {
        for (effect, resource, expected) in [
            ("Allow", "prod/GET/users/*", &[][..]),
            ("Allow", "prod/*", &[]),
            ("Allow", "prod/*/*", &[]),
            ("Allow", "*", &[]),
            ("Allow", "prod/GET/users*", &[PrefixWithoutBoundary]),
            ("Allow", "prod/GET/users/*/orders", &[WildcardCrossesSegments]),
            ("Allow", "*/GET/users", &[WildcardCrossesSegments]),
            ("Deny", "prod/*/users/*/orders", &[]),
            ("Deny", "prod/GET/users*", &[]),
            ("Deny", "prod/GET/users/*", &[DenyWithoutParent]),
            ("Deny", "prod/GET/*", &[]),
            ("Allow", "prod/GET/users/:id/x", &[LiteralParameter]),
            ("Allow", "prod/GET/users/{id}", &[LiteralParameter]),
            ("Deny", "prod/GET/{rest+}", &[LiteralParameter]),
            ("Allow", "prod/GET/users/a:b", &[]),
            ("Allow", "prod/GET/users/:/{}", &[]),
            ("Allow", "prod/GET/users/${x:y}", &[]),
        ] {
            assert_eq!(lints(effect, resource, ""), expected, "{effect} {resource}");
        }
    }

    #[test]
    fn keys_have_a_prefix_and_are_known_behind_that_of_aws() {
        let found =
            |key: &str| lints("Allow", "prod/GET/users", &format!(r#""IpAddress":{{"{key}":"10.0.0.0/8"}}"#));
        assert_eq!(found("SourceIp"), [KeyWithoutPrefix]);
        assert_eq!(found("aws:SourceIp"), []);
        assert_eq!(found("Aws:sourceip"), []);
        assert_eq!(found("aws:ClientIp"), [UnknownKey]);
        assert_eq!(found("execute-api:x"), [UnknownKey]);
        assert_eq!(found("mine:SourceIp"), []);
    }

    #[test]
    fn conditions_are_looked_at() {
        for (effect, condition, expected) in [
            ("Allow", r#""StringEquals":{"x:k":"v"}"#, &[][..]),
            ("Allow", r#""StringNotEquals":{"x:k":"v"}"#, &[AllowsWhenAbsent]),
            ("Allow", r#""ForAllValues:StringEquals":{"x:k":"v"}"#, &[AllowsWhenAbsent]),
            ("Allow", r#""StringNotEquals":{"x:k":"v"},"Null":{"x:K":false}"#, &[]),
            ("Allow", r#""StringEqualsIfExists":{"x:k":"v"}"#, &[AllowsWhenAbsent]),
            ("Allow", r#""NotIpAddress":{"aws:SourceIp":"::/0"}"#, &[]),
            ("Deny", r#""StringEquals":{"x:k":"v"}"#, &[DenySkippedWhenAbsent]),
            ("Deny", r#""StringEqualsIfExists":{"x:k":"v"}"#, &[]),
            ("Deny", r#""ForAnyValue:StringNotEquals":{"x:k":"v"}"#, &[DenySkippedWhenAbsent]),
        ] {
            assert_eq!(lints(effect, "prod/*", condition), expected, "{effect} {condition}");
        }
    }
}
