//! What a policy allows, said in one line.

use std::collections::BTreeSet;

use crate::contract::AuthorizerResponse;
use crate::policy::{
    AccessRequest, BoundPolicy, ConditionContext, Decision, PolicyDocument, StageArn, Statement,
};
use crate::request::{TargetRules, read_path};

/// What can be asked whether it allows something: a policy, bound to a stage or not, or an answer.
#[derive(Debug)]
pub struct Judged<'p>(Subject<'p>);

#[derive(Debug)]
enum Subject<'p> {
    Bound(&'p BoundPolicy),
    Document(&'p PolicyDocument),
    Response(&'p AuthorizerResponse),
}

macro_rules! judged {
    ($($subject:ident: $type:ty),*) => {$(
        impl<'p> From<&'p $type> for Judged<'p> {
            fn from(subject: &'p $type) -> Self {
                Self(Subject::$subject(subject))
            }
        }

        /// The assertions borrow what they are given, also what is borrowed already.
        impl<'p> From<&&'p $type> for Judged<'p> {
            fn from(subject: &&'p $type) -> Self {
                Self(Subject::$subject(subject))
            }
        }
    )*};
}

judged!(Bound: BoundPolicy, Document: PolicyDocument, Response: AuthorizerResponse);

impl Judged<'_> {
    /// The decision, and why it is that one.
    fn judge(&self, asked: &AccessRequest<'_>) -> Result<(Decision, String), String> {
        let explain = |policy: &BoundPolicy| {
            let explanation = policy.explain(asked);
            (explanation.decision(), explanation.to_string())
        };
        match self.0 {
            Subject::Bound(policy) => Ok(explain(policy)),
            Subject::Document(policy) => Ok(explain(&policy.bind(&stage_of(policy)?))),
            Subject::Response(response) => match (response.policy(), response.is_authorized()) {
                (Some(policy), _) => Judged::from(policy).judge(asked),
                (None, yes) => {
                    let decision = if yes == Some(true) { Decision::Allow } else { Decision::ImplicitDeny };
                    Ok((decision, "a simple response, which has no policy\n".to_owned()))
                }
            },
        }
    }
}

/// The one stage that a policy names; made up where a policy names none.
fn stage_of(policy: &PolicyDocument) -> Result<StageArn, String> {
    let stages: BTreeSet<String> = policy
        .statements()
        .iter()
        .flat_map(Statement::resources)
        .filter_map(|resource| literal_stage(resource.as_str()))
        .map(|stage| stage.as_str().to_owned())
        .collect();
    let mut names = stages.iter();
    match (names.next(), names.next()) {
        (Some(name), None) => literal_stage(name).ok_or_else(|| format!("`{name}` is no stage")),
        (None, _) => StageArn::new("aws", "us-east-1", "123456789012", "abcdef123", "test")
            .map_err(|error| error.to_string()),
        _ => {
            let names: Vec<&str> = stages.iter().map(String::as_str).collect();
            Err(format!(
                "the policy names several stages: write `policy.bind(&stage)` to say which is meant, of {}",
                names.join(" and ")
            ))
        }
    }
}

/// The stage of a resource that names one without wildcards and variables.
fn literal_stage(resource: &str) -> Option<StageArn> {
    let mut fields = resource.splitn(6, ':');
    let (_arn, partition, _service) = (fields.next()?, fields.next()?, fields.next()?);
    let (region, account) = (fields.next()?, fields.next()?);
    let mut places = fields.next()?.splitn(3, '/');
    let (api, stage) = (places.next()?, places.next()?);
    // Wildcards are none of the characters that parts of a stage have.
    StageArn::new(partition, region, account, api, stage).ok()
}

#[derive(Clone, Copy)]
enum Wanted {
    Allowed,
    Denied,
}

/// What [`assert_allows!`] does, without a panic.
///
/// # Errors
///
/// If the policy does not allow the request: the explanation.
pub fn check_allows<'p>(
    policy: impl Into<Judged<'p>>,
    method: &str,
    path: &str,
    conditions: &dyn ConditionContext,
) -> Result<(), String> {
    check(&policy.into(), method, path, conditions, Wanted::Allowed)
}

/// What [`assert_denies!`] does, without a panic.
///
/// # Errors
///
/// If the policy does not deny the request: the explanation.
pub fn check_denies<'p>(
    policy: impl Into<Judged<'p>>,
    method: &str,
    path: &str,
    conditions: &dyn ConditionContext,
) -> Result<(), String> {
    check(&policy.into(), method, path, conditions, Wanted::Denied)
}

fn check(
    policy: &Judged<'_>,
    method: &str,
    path: &str,
    conditions: &dyn ConditionContext,
    wanted: Wanted,
) -> Result<(), String> {
    let (decision, why) = if path == "$connect" {
        policy.judge(&AccessRequest::new("", path).with_context(conditions))?
    } else {
        if path.contains('?') {
            return Err(format!("`{path}` has a query, which no policy ever sees: leave it out"));
        }
        let read = read_path(path, TargetRules::default());
        let read =
            read.map_err(|error| format!("no request for `{path}` is accepted: {}", error.reason()))?;
        let mut asked = AccessRequest::new(method, &read.as_sent).with_context(conditions);
        if let Some(decoded) = &read.decoded {
            asked = asked.with_canonical_path(decoded);
        }
        if let Some(raw) = read.raw {
            asked = asked.with_sent_path(raw);
        }
        policy.judge(&asked)?
    };
    let (is_as_wanted, word) = match wanted {
        Wanted::Allowed => (decision == Decision::Allow, "allow"),
        Wanted::Denied => (matches!(decision, Decision::ExplicitDeny | Decision::ImplicitDeny), "deny"),
    };
    match is_as_wanted {
        true => Ok(()),
        false => Err(format!("the policy should {word} {method} {path}\n{why}")),
    }
}

/// Panics unless a policy allows a request, and says why it does not.
///
/// ```
/// use tower_lambda_authorizer::policy::{AnyMethod, StageArn};
/// use tower_lambda_authorizer::testing::{assert_allows, assert_denies};
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// let policy = stage.policy().value("id", "42").allow(AnyMethod, "/users/{id}/*").build()?;
/// assert_allows!(policy, GET "/users/42/orders");
/// assert_denies!(policy, GET "/users/43/orders");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The policy is a [`PolicyDocument`](crate::policy::PolicyDocument), a
/// [`BoundPolicy`](crate::policy::BoundPolicy) or the [`AuthorizerResponse`](crate::AuthorizerResponse) of an authorizer. A
/// document is bound to the stage that it names; one that names none, because all of it is wildcards, to a stage that is
/// made up. The path is written as a client sends it; `$connect` is the opening of a WebSocket, whatever the method.
///
/// A third argument has the values of [condition keys](crate::testing::TestConditions); without it all are absent:
/// `assert_allows!(policy, GET "/users", TestConditions::new().with("aws:SourceIp", "10.1.2.3"))`.
#[macro_export]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
macro_rules! assert_allows {
    ($policy:expr, $method:ident $path:expr $(,)?) => {
        if let Err(explanation) = $crate::testing::check_allows(
            &$policy,
            stringify!($method),
            ::std::convert::AsRef::<str>::as_ref(&$path),
            &$crate::testing::TestConditions::new(),
        ) {
            panic!("{explanation}");
        }
    };
    ($policy:expr, $method:ident $path:expr, $conditions:expr $(,)?) => {
        if let Err(explanation) = $crate::testing::check_allows(
            &$policy,
            stringify!($method),
            ::std::convert::AsRef::<str>::as_ref(&$path),
            &$conditions,
        ) {
            panic!("{explanation}");
        }
    };
}

/// Panics unless a policy denies a request, explicitly or because nothing allows it, and says why it does not.
///
/// A policy of which it cannot be said, because a key is [not known](crate::testing::TestConditions::with_unavailable),
/// neither allows nor denies. See [`assert_allows!`](crate::testing::assert_allows).
#[macro_export]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
macro_rules! assert_denies {
    ($policy:expr, $method:ident $path:expr $(,)?) => {
        if let Err(explanation) = $crate::testing::check_denies(
            &$policy,
            stringify!($method),
            ::std::convert::AsRef::<str>::as_ref(&$path),
            &$crate::testing::TestConditions::new(),
        ) {
            panic!("{explanation}");
        }
    };
    ($policy:expr, $method:ident $path:expr, $conditions:expr $(,)?) => {
        if let Err(explanation) = $crate::testing::check_denies(
            &$policy,
            stringify!($method),
            ::std::convert::AsRef::<str>::as_ref(&$path),
            &$conditions,
        ) {
            panic!("{explanation}");
        }
    };
}

#[doc(inline)]
pub use {assert_allows, assert_denies};
