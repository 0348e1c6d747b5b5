//! What a token is allowed to do.

use serde_json::Value;

use super::claims::Claims;
use super::config_error::JwtConfigError;
use crate::policy::MethodPattern;
use crate::policy::PolicyBuilder;
use crate::policy::StageArn;

/// Allows something to tokens that say something. Rules add up, and nothing is allowed without one.
///
/// A path is a template of the [`PolicyBuilder`]: `*` covers any run of characters, and `{claim}` stands for the
/// value of a claim. Where a token does not have that claim, or it is no text, no path segment or too long, that path is
/// not allowed.
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::Rule;
/// use tower_lambda_authorizer::policy::AnyMethod;
///
/// let rules = [
///     Rule::everyone().allow(AnyMethod, "/users/{sub}/*"),
///     Rule::scope("orders:read").allow(Method::GET, "/orders").allow(Method::GET, "/orders/*"),
///     Rule::group("admins").allow(AnyMethod, "/*"),
///     Rule::claim("plan", "gold").allow(Method::POST, "/reports"),
/// ];
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Rule {
    of: Of,
    grants: Vec<Grant>,
}

#[derive(Clone, Debug)]
enum Of {
    Claim(String, Value),
    Everyone,
    Scope(String),
}

#[derive(Clone, Debug)]
enum Grant {
    Connect,
    Path(MethodPattern, String),
}

impl Rule {
    /// For every token that is accepted.
    pub const fn everyone() -> Self {
        Self { of: Of::Everyone, grants: Vec::new() }
    }

    /// For tokens with that scope.
    pub fn scope(scope: impl Into<String>) -> Self {
        Self { of: Of::Scope(scope.into()), grants: Vec::new() }
    }

    /// For tokens of members of a Cognito group.
    pub fn group(group: impl Into<String>) -> Self {
        Self::claim("cognito:groups", group.into())
    }

    /// For tokens in which a claim is that value, or a list with it.
    pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { of: Of::Claim(name.into(), value.into()), grants: Vec::new() }
    }

    /// Allows a method, or [`AnyMethod`](crate::policy::AnyMethod), on a path.
    pub fn allow(mut self, method: impl Into<MethodPattern>, path: impl Into<String>) -> Self {
        self.grants.push(Grant::Path(method.into(), path.into()));
        self
    }

    /// Allows opening a connection of a WebSocket API.
    pub fn allow_connect(mut self) -> Self {
        self.grants.push(Grant::Connect);
        self
    }

    /// Whether the rule is about scopes, so that another token could help.
    pub(super) const fn is_about_scopes(&self) -> bool {
        matches!(self.of, Of::Scope(_))
    }

    /// Whether everything that is allowed could be allowed to somebody.
    pub(super) fn check(&self) -> Result<(), JwtConfigError> {
        let Ok(stage) = StageArn::new("aws", "us-east-1", "123456789012", "api", "stage") else {
            return Ok(());
        };
        for grant in &self.grants {
            if let Grant::Path(method, path) = grant {
                let policy = names(path).fold(stage.policy(), |policy, name| policy.value(bare(name), "x"));
                policy.allow(method.clone(), path).build().map_err(JwtConfigError::Rule)?;
            }
        }
        Ok(())
    }

    /// Adds what this rule allows to a token.
    pub(super) fn add_to(&self, mut policy: PolicyBuilder, claims: &Claims) -> PolicyBuilder {
        let applies = match &self.of {
            Of::Claim(name, value) => claims.has_value(name, value),
            Of::Everyone => true,
            Of::Scope(scope) => claims.has_scope(scope),
        };
        if !applies {
            return policy;
        }
        for grant in &self.grants {
            policy = match grant {
                Grant::Connect => policy.allow_connect(),
                Grant::Path(method, path) => {
                    let values: Option<Vec<_>> = names(path).map(|name| value(claims, name)).collect();
                    let Some(values) = values else { continue };
                    if values.is_empty() {
                        policy.allow(method.clone(), path)
                    } else {
                        let set = |policy: PolicyBuilder, (name, value)| policy.value(name, value);
                        values.into_iter().fold(policy, set).allow_if_it_fits(method, path)
                    }
                }
            };
        }
        policy
    }
}

/// What stands between braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// `{name+}` takes several segments.
fn bare(name: &str) -> &str {
    name.strip_suffix('+').unwrap_or(name)
}

/// A claim that can stand in a path.
fn value<'a>(claims: &'a Claims, name: &'a str) -> Option<(&'a str, &'a str)> {
    let text = claims.get_str(bare(name))?;
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..");
    let fits = if bare(name) == name { is_segment(text) } else { text.split('/').all(is_segment) };
    // Longer ones seldom fit into a pattern.
    (fits && text.len() <= 128).then_some((bare(name), text))
}
