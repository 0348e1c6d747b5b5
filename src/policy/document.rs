use std::str::FromStr;
use std::sync::Arc;

use super::error::PolicyError;
use super::spelling::{Wildcards, decode_reserved, push_spelled};
use super::statement::Statement;
use super::{AccessRequest, BoundPolicy, Decision, ExecuteApiArn, StageArn, parse};

/// An IAM policy, read and checked: what an authorizer answers with.
///
/// Cloning one is cheap.
///
/// ```
/// use tower_lambda_authorizer::policy::{Decision, PolicyDocument};
///
/// let policy = PolicyDocument::from_json(
///     r#"{
///         "Version": "2012-10-17",
///         "Statement": [
///             {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/prod/GET/*"},
///             {"Effect": "Deny", "Action": "execute-api:*", "Resource": "arn:aws:execute-api:*:*:*/prod/GET/admin*"}
///         ]
///     }"#,
/// )?;
/// let users = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/GET/users".parse()?;
/// let admin = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/GET/admin".parse()?;
/// assert_eq!(policy.evaluate(&users), Decision::Allow);
/// assert_eq!(policy.evaluate(&admin), Decision::ExplicitDeny);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyDocument {
    pub(super) inner: Arc<Inner>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Inner {
    pub(super) version: Version,
    pub(super) id: Option<Box<str>>,
    pub(super) statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A policy of version 2012-10-17 without statements: it allows nothing.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a policy that came from nowhere is no default")]
    pub fn new() -> Self {
        Self::from_inner(Inner { version: Version::V2012, id: None, statements: Vec::new() })
    }

    pub(super) fn from_inner(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Reads a policy. Whatever is not understood is an error; nothing is guessed.
    ///
    /// # Errors
    ///
    /// When the text is not JSON or not a policy; the error says where.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        parse::document(text)
    }

    /// Adds a statement, which goes on saying what it said where it was written: a policy of version 2008-10-17 becomes one of
    /// 2012-10-17 with the first statement that has variables. What was plain text stays so, and is printed as `${$}{…}` there.
    #[must_use]
    pub fn with_statement(mut self, statement: Statement) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        if inner.version == Version::V2008 && statement.has_variables() {
            inner.version = Version::V2012;
        }
        inner.statements.push(statement);
        self
    }

    /// The version of the language the policy is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// The policy's own `Id`, which means nothing.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.inner.id.as_deref()
    }

    /// The statements, in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.inner.statements
    }

    /// Compiles the policy for requests to one stage. Nothing can fail here: all of it was checked before.
    #[must_use]
    pub fn bind(&self, stage: &StageArn) -> BoundPolicy {
        BoundPolicy::new(self, stage)
    }

    /// What the policy says about one ARN when every condition key is absent: a shorthand for tests. A program binds
    /// the policy once and asks with an [`AccessRequest`].
    ///
    /// As for a request, a `Deny` is tested in all spellings of the path. Patterns mean paths in the spelling of ARNs: one that
    /// is not, such as `/%61dmin` or `/caf%c3%a9`, is denied as it stands, too, and allowed by wildcards only.
    #[must_use]
    pub fn evaluate(&self, arn: &ExecuteApiArn) -> Decision {
        let (method, path) = arn.parts();
        let mut spelt = String::with_capacity(path.len());
        push_spelled(path, Wildcards::Escape, &mut spelt);
        let asked = AccessRequest::new(method, path);
        let asked = if spelt == path { asked } else { asked.with_sent_path(path) };
        let spelt = decode_reserved(&spelt).unwrap_or(spelt);
        let asked = if spelt == path { asked } else { asked.with_canonical_path(&spelt) };
        self.bind(arn.stage_arn()).evaluate(&asked).decision()
    }
}

impl FromStr for PolicyDocument {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::from_json(text)
    }
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the IAM definition")]
pub enum Version {
    /// `2008-10-17`, also when a policy names none: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: `${…}` is a policy variable.
    V2012,
}

impl Version {
    /// As it is written in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{
        AccessRequest, Condition, ConditionContext, ConditionKey, ConditionValue, Decision, PolicyDocument,
        ResourcePattern, StageArn, Statement, Version,
    };

    fn stage() -> StageArn {
        StageArn::new("aws", "us-east-1", "123456789012", "abcdef", "prod").unwrap()
    }

    #[test]
    fn a_document_is_asked_in_both_spellings() {
        let text = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:*:*/prod/GET/a@b"}]}"#;
        let policy = PolicyDocument::from_json(text).unwrap();
        assert_eq!(policy.evaluate(&stage().arn("GET", "/a%40b")), Decision::ExplicitDeny);
        assert_eq!(policy.evaluate(&stage().arn("GET", "/a%40c")), Decision::Allow);
    }

    struct Acme;

    impl ConditionContext for Acme {
        fn value(&self, key: &ConditionKey) -> ConditionValue<'_> {
            match key {
                ConditionKey::UserAgent => "acme".into(),
                _ => ConditionValue::Absent,
            }
        }
    }

    /// The decision, and that of the same document printed and read again.
    fn decide(policy: &PolicyDocument, path: &str) -> Decision {
        let decide = |policy: &PolicyDocument| {
            let request = AccessRequest::new("GET", path).with_context(&Acme);
            policy.bind(&stage()).evaluate(&request).decision()
        };
        let decision = decide(policy);
        let printed = serde_json::to_string(policy).unwrap();
        let again = PolicyDocument::from_json(&printed).unwrap();
        assert_eq!((decide(&again), serde_json::to_string(&again).unwrap()), (decision, printed));
        decision
    }

    const OF_AGENT: &str = "arn:aws:execute-api:*:*:*/prod/GET/${aws:UserAgent}/*";
    const NAMED: &str = "/acme/x";
    const LITERAL: &str = "/$%7Baws:UserAgent%7D/x";

    fn old(effect: &str, resource: &str, condition: &str) -> PolicyDocument {
        let statement = format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"{resource}"{condition}}}"#);
        let text =
            format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{statement}]}}"#);
        PolicyDocument::from_json(&text).unwrap()
    }

    #[test]
    fn a_statement_with_variables_has_them_in_an_old_policy_too() {
        let policy = old("Deny", OF_AGENT, "");
        assert_eq!(
            (decide(&policy, NAMED), decide(&policy, LITERAL)),
            (Decision::Allow, Decision::ExplicitDeny)
        );
        let denied = Statement::deny(ResourcePattern::raw(OF_AGENT).unwrap());
        let plain = Statement::deny(ResourcePattern::raw("arn:aws:execute-api:*:*:*/prod/GET/no").unwrap());

        let both = policy.clone().with_statement(plain.clone());
        assert_eq!(both.version(), Version::V2008);
        assert_eq!((decide(&both, NAMED), decide(&both, "/no")), (Decision::Allow, Decision::ExplicitDeny));
        let both = both.with_statement(denied).with_statement(plain);
        assert_eq!(both.version(), Version::V2012);
        assert_eq!(
            (decide(&both, NAMED), decide(&both, LITERAL)),
            (Decision::ExplicitDeny, Decision::ExplicitDeny)
        );
        assert_eq!(decide(&both, "/other/x"), Decision::Allow);

        let condition = Condition::new("StringEquals", "aws:UserAgent", ["${x:no, 'acme'}"]).unwrap();
        let denied = Statement::deny(ResourcePattern::raw("*").unwrap()).with_condition(condition);
        assert_eq!(decide(&policy.with_statement(denied), NAMED), Decision::ExplicitDeny);
    }

    #[test]
    fn an_old_statement_has_no_variables_in_a_new_policy_either() {
        let everything = Statement::allow(ResourcePattern::raw("*").unwrap());
        let condition = r#","Condition":{"StringEquals":{"aws:UserAgent":"${x:no, 'acme'}"}}"#;
        for (old, was) in [
            (old("Deny", OF_AGENT, ""), Decision::ExplicitDeny),
            (old("Deny", "*", condition), Decision::Allow),
            (old("Deny", "*", &condition.replace("StringEquals", "StringNotEquals")), Decision::ExplicitDeny),
            (old("Deny", "*", r#","Condition":{"StringLike":{"aws:UserAgent":"a$*e"}}"#), Decision::Allow),
        ] {
            let statement = old.statements()[1].clone();
            assert_eq!(decide(&old, LITERAL), was);
            let merged =
                PolicyDocument::new().with_statement(everything.clone()).with_statement(statement.clone());
            assert_eq!((merged.version(), decide(&merged, LITERAL)), (Version::V2012, was));
            let expected = decide(&old, NAMED);
            assert_eq!(decide(&merged, NAMED), expected);
            // In parts, too.
            let mut parts = Statement::deny(statement.resources()[0].clone());
            for condition in statement.conditions() {
                parts = parts.with_condition(condition.clone());
            }
            let parts = PolicyDocument::new().with_statement(everything.clone()).with_statement(parts);
            assert_eq!((decide(&parts, NAMED), decide(&parts, LITERAL)), (expected, was));
        }
        // Where a variable may not stand, and none does.
        let early = old("Deny", "arn:aws:execute-api:*/GET/drafts/${id}", "");
        let early = early.with_statement(Statement::deny(ResourcePattern::raw(OF_AGENT).unwrap()));
        let asked = early.bind(&stage()).evaluate(&AccessRequest::new("GET", "/drafts/$%7Bid%7D")).decision();
        assert_eq!(asked, Decision::ExplicitDeny);
        assert!(PolicyDocument::from_json(&early.to_string()).is_err());
        let allowed = old("Allow", OF_AGENT, "").statements()[1].clone();
        let policy = PolicyDocument::new().with_statement(allowed);
        assert_eq!(
            (decide(&policy, NAMED), decide(&policy, LITERAL)),
            (Decision::ImplicitDeny, Decision::Allow)
        );
    }
}
