use http::Method;

use super::condition::Condition;
use super::document::PolicyDocument;
use super::error::{PolicyError, PolicyErrorKind, quoted};
use super::pattern::ResourcePattern;
use super::stage::StageArn;
use super::statement::{Effect, Statement};
use super::template;

/// The methods that API Gateway knows.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Builds a policy whose resources all belong to one stage.
///
/// A path is a template: `{name}` takes a value as one escaped segment, `{name+}` takes several segments, and `*`
/// covers any run of characters, **also of `/`**. Nothing else in a template or in a value acts as a wildcard.
///
/// A mistake is kept and returned by [`build`](Self::build).
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::policy::{AnyMethod, Decision, StageArn};
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// let policy = stage
///     .policy()
///     .value("id", "42")
///     .allow(Method::GET, "/users/{id}/*")
///     .with_sid("own-data")
///     .allow(AnyMethod, "/health")
///     .deny(Method::GET, "/users/{id}/secret*")
///     .build()?;
/// assert_eq!(policy.evaluate(&stage.arn("GET", "/users/42/orders")), Decision::Allow);
/// assert_eq!(policy.evaluate(&stage.arn("GET", "/users/42/secrets")), Decision::ExplicitDeny);
/// assert_eq!(policy.evaluate(&stage.arn("GET", "/users/43/orders")), Decision::ImplicitDeny);
///
/// let hostile = stage.policy().value("id", "*/../43").allow(Method::GET, "/users/{id}/*").build()?;
/// assert_eq!(hostile.evaluate(&stage.arn("GET", "/users/43/orders")), Decision::ImplicitDeny);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder {
    stage: StageArn,
    values: Vec<(String, String)>,
    statements: Vec<Statement>,
    error: Option<PolicyError>,
}

impl PolicyBuilder {
    pub(super) const fn new(stage: StageArn) -> Self {
        Self { stage, values: Vec::new(), statements: Vec::new(), error: None }
    }

    /// Sets what `{name}` stands for in the templates that follow.
    pub fn value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// Allows a method on a path.
    ///
    /// [`AnyMethod`] stands for the seven methods that API Gateway knows, each written out: a `*` in place of the
    /// method would also cover longer paths that end alike. Only in front of a path that begins with `/*` it is a `*`, and then any
    /// method, also one that API Gateway does not know.
    pub fn allow(self, method: impl Into<MethodPattern>, path: &str) -> Self {
        self.add(Effect::Allow, &method.into(), path)
    }

    /// Denies a method on a path, whatever other statements allow.
    ///
    /// [`AnyMethod`] stands for `*` here, which covers every method there is, and also longer paths that end alike.
    pub fn deny(self, method: impl Into<MethodPattern>, path: &str) -> Self {
        self.add(Effect::Deny, &method.into(), path)
    }

    /// Allows opening a connection of a WebSocket API: its ARN ends in `$connect` and has neither method nor path.
    pub fn allow_connect(self) -> Self {
        let pattern = ResourcePattern::raw(format!("{}$connect", self.stage));
        match pattern {
            Ok(pattern) => self.allow_raw(pattern),
            Err(error) => Self { error: self.error.or(Some(error)), ..self },
        }
    }

    /// Allows whatever a pattern covers, in this stage and elsewhere.
    pub fn allow_raw(mut self, pattern: ResourcePattern) -> Self {
        self.statements.push(Statement::allow(pattern));
        self
    }

    /// Denies whatever a pattern covers, in this stage and elsewhere.
    pub fn deny_raw(mut self, pattern: ResourcePattern) -> Self {
        self.statements.push(Statement::deny(pattern));
        self
    }

    /// Names the statement that was added last.
    pub fn with_sid(self, sid: impl Into<String>) -> Self {
        self.change_last("a sid", |statement| statement.with_sid(sid))
    }

    /// Adds a condition to the statement that was added last.
    pub fn with_condition(self, condition: Condition) -> Self {
        self.change_last("a condition", |statement| statement.with_condition(condition))
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// The first mistake that was made: a template that does not begin with `/` or is malformed, a value that is
    /// missing, empty, `.` or `..`, a method that cannot be one, a resource of more than 512 characters, a sid or a
    /// condition before any statement, the same operator and key twice in one statement.
    pub fn build(self) -> Result<PolicyDocument, PolicyError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for (index, statement) in self.statements.iter().enumerate() {
            if let Some(condition) = statement.repeated_condition() {
                let location = format!("Statement[{index}].Condition.{}", condition.operator());
                let message =
                    format!("key {} is there twice, case does not count", quoted(condition.key_name()));
                return Err(PolicyError::new(PolicyErrorKind::Duplicate, message).with_location(location));
            }
        }
        Ok(self.statements.into_iter().fold(PolicyDocument::new(), PolicyDocument::with_statement))
    }

    fn add(mut self, effect: Effect, method: &MethodPattern, template: &str) -> Self {
        match self.resources(effect, method, template) {
            Ok((first, others)) => {
                let statement = match effect {
                    Effect::Allow => Statement::allow(first),
                    Effect::Deny => Statement::deny(first),
                };
                self.statements.push(others.into_iter().fold(statement, Statement::with_resource));
            }
            Err(error) => {
                let location = format!("Statement[{}]", self.statements.len());
                self.error.get_or_insert(error.with_location(location));
            }
        }
        self
    }

    fn resources(
        &self,
        effect: Effect,
        method: &MethodPattern,
        template: &str,
    ) -> Result<(ResourcePattern, Vec<ResourcePattern>), PolicyError> {
        let path = template::expand(template, &self.values)?;
        let resource = |method: &str| ResourcePattern::raw(format!("{}{method}{path}", self.stage));
        // In front of a path that begins with a wildcard the two forms mean the same.
        let star_is_exact = path.starts_with("/*");
        match method {
            MethodPattern(Some(method)) => Ok((resource(checked(method.as_str())?)?, Vec::new())),
            MethodPattern(None) if effect == Effect::Deny || star_is_exact => {
                Ok((resource("*")?, Vec::new()))
            }
            MethodPattern(None) => {
                let [first, others @ ..] = METHODS;
                Ok((
                    resource(first)?,
                    others.iter().map(|method| resource(method)).collect::<Result<_, _>>()?,
                ))
            }
        }
    }

    /// Allows a method on a path, unless the values do not fit into it.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn allow_if_it_fits(mut self, method: &MethodPattern, path: &str) -> Self {
        if let Ok((first, others)) = self.resources(Effect::Allow, method, path) {
            self.statements.push(others.into_iter().fold(Statement::allow(first), Statement::with_resource));
        }
        self
    }

    fn change_last(mut self, what: &str, change: impl FnOnce(Statement) -> Statement) -> Self {
        match self.statements.pop() {
            Some(statement) => self.statements.push(change(statement)),
            None => {
                self.error.get_or_insert_with(|| {
                    let message = format!("{what} belongs to the statement before it, and there is none yet");
                    PolicyError::new(PolicyErrorKind::Template, message)
                });
            }
        }
        self
    }
}

fn checked(method: &str) -> Result<&str, PolicyError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let letter_first = method.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if method.len() <= 32 && letter_first && method.bytes().all(known) {
        return Ok(method);
    }
    Err(PolicyError::new(
        PolicyErrorKind::Template,
        format!("method {} is not made of 1 to 32 letters, digits, `-` and `_`", quoted(method)),
    ))
}

/// Every method, for [`PolicyBuilder::allow`] and [`PolicyBuilder::deny`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a name and nothing else")]
pub struct AnyMethod;

/// One method or [`AnyMethod`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MethodPattern(Option<Method>);

impl MethodPattern {
    /// The method, if it is one.
    #[cfg_attr(
        not(any(feature = "jwt", feature = "jwt-rust-crypto")),
        expect(dead_code, reason = "for routes of JWTs")
    )]
    pub(crate) const fn method(&self) -> Option<&Method> {
        self.0.as_ref()
    }
}

impl From<Method> for MethodPattern {
    fn from(method: Method) -> Self {
        Self(Some(method))
    }
}

impl From<&Method> for MethodPattern {
    fn from(method: &Method) -> Self {
        Self(Some(method.clone()))
    }
}

impl From<AnyMethod> for MethodPattern {
    fn from(_: AnyMethod) -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::AnyMethod;
    use crate::policy::{Condition, Decision, ResourcePattern, StageArn};

    fn stage() -> StageArn {
        StageArn::new("aws", "us-east-1", "123456789012", "abc", "prod").unwrap()
    }

    #[test]
    fn any_method_does_not_leak_into_longer_paths() {
        let policy = stage().policy().allow(AnyMethod, "/health").build().unwrap();
        assert_eq!(policy.statements()[0].resources().len(), 7);
        assert_eq!(policy.evaluate(&stage().arn("POST", "/health")), Decision::Allow);
        assert_eq!(policy.evaluate(&stage().arn("GET", "/admin/health")), Decision::ImplicitDeny);
        let policy = stage().policy().allow(AnyMethod, "/*").deny(AnyMethod, "/admin").build().unwrap();
        assert_eq!(policy.statements()[0].resources().len(), 1);
        assert_eq!(policy.evaluate(&stage().arn("FOO", "/admin")), Decision::ExplicitDeny);
    }

    #[test]
    fn mistakes_come_back_from_build() {
        let policy = || stage().policy();
        let allow = |template: &str| stage().policy().value("id", "7").allow(Method::GET, template).build();
        for bad in ["", "users", "/{x}", "/{id", "/id}", "/a//b", "/a/../b", "/%zz", "/{}", "/{id+"] {
            assert!(allow(bad).is_err(), "{bad}");
        }
        assert!(policy().with_sid("x").build().is_err());
        assert!(policy().value("id", "").allow(Method::GET, "/{id}").build().is_err());
        assert!(policy().value("id", "..").allow(Method::GET, "/{id}").build().is_err());
        assert!(policy().value("id", "x".repeat(500)).allow(Method::GET, "/{id}").build().is_err());
        assert!(policy().allow(Method::from_bytes(b"G*T").unwrap(), "/").build().is_err());
        let error = policy().allow(Method::GET, "/").allow(Method::GET, "/{x}").build().unwrap_err();
        assert_eq!(error.location(), "Statement[1]");
        let condition = |key: &str| Condition::new("StringEquals", key, ["x"]).unwrap();
        let twice = |key: &str| {
            policy()
                .allow(Method::GET, "/")
                .with_condition(condition("a"))
                .with_condition(condition(key))
                .build()
        };
        assert!(twice("b").is_ok());
        assert_eq!(twice("A").unwrap_err().location(), "Statement[0].Condition.StringEquals");
    }

    #[test]
    fn raw_patterns_are_taken_as_they_are() {
        let everything = ResourcePattern::raw("*").unwrap();
        let policy = stage().policy().allow_raw(everything).with_sid("all").build().unwrap();
        assert_eq!(policy.statements()[0].sid(), Some("all"));
        assert_eq!(policy.evaluate(&stage().arn("GET", "/x")), Decision::Allow);
    }
}
