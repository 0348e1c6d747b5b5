use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::error::{ArnError, PolicyError, quoted};
use super::pattern::ResourcePattern;
use super::stage::StageArn;
use super::variable;

/// The ARN of one request, as `methodArn` and `routeArn` have it.
///
/// It is literal: an ARN that holds `*`, `?` or a control character is refused.
///
/// ```
/// use tower_lambda_authorizer::policy::ExecuteApiArn;
///
/// let arn: ExecuteApiArn = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/users/42".parse()?;
/// assert_eq!(arn.stage_arn().stage(), "prod");
/// assert_eq!(arn.method(), Some("GET"));
/// assert_eq!(arn.path(), Some("/users/42"));
/// # Ok::<(), tower_lambda_authorizer::policy::ArnError>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ExecuteApiArn {
    stage: StageArn,
    text: Box<str>,
}

impl ExecuteApiArn {
    pub(super) fn from_parts(stage: StageArn, text: String) -> Self {
        Self { stage, text: text.into_boxed_str() }
    }

    /// The stage it belongs to.
    #[must_use]
    pub const fn stage_arn(&self) -> &StageArn {
        &self.stage
    }

    /// All that follows the stage: `GET/users/42`, or `$connect`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.text.get(self.stage.as_str().len()..).unwrap_or_default()
    }

    /// The method, unless it is the ARN of a WebSocket connection.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.resource().split_once('/').map(|(method, _)| method)
    }

    /// The path with its leading `/`, unless it is the ARN of a WebSocket connection.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        let resource = self.resource();
        resource.find('/').and_then(|at| resource.get(at..))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern for exactly this ARN. Nothing in it acts as a wildcard or as a variable.
    ///
    /// It is the text of the ARN: API Gateway compares escapes as they stand, and a path that was sent as `/%61dmin` is
    /// not `/admin` to it.
    ///
    /// # Errors
    ///
    /// When the pattern would be longer than 512 characters.
    pub fn to_pattern(&self) -> Result<ResourcePattern, PolicyError> {
        // No request has wildcards in its ARN, but whoever makes one may put them there.
        let literal = variable::escape(&self.text).replace('*', "${*}").replace('?', "${?}");
        ResourcePattern::raw(literal)
    }

    /// Method and path as an [`AccessRequest`](super::AccessRequest) has them.
    pub(super) fn parts(&self) -> (&str, &str) {
        match (self.method(), self.path()) {
            (Some(method), Some(path)) => (method, path),
            _ => ("", self.resource()),
        }
    }
}

impl FromStr for ExecuteApiArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let refuse = |problem: &str| ArnError::new(format!("{} {problem}", quoted(text)));
        if text.bytes().any(|byte| matches!(byte, b'*' | b'?')) {
            return Err(refuse("holds a wildcard, the ARN of a request is literal"));
        }
        if text.chars().any(char::is_control) {
            return Err(refuse("holds a control character"));
        }
        let mut fields = text.splitn(6, ':');
        let mut next =
            || fields.next().ok_or_else(|| refuse("has fewer than six fields separated by colons"));
        let (arn, partition, service) = (next()?, next()?, next()?);
        let (region, account, rest) = (next()?, next()?, next()?);
        if arn != "arn" || service != "execute-api" {
            return Err(refuse(
                "is not an ARN of execute-api, it begins with `arn:{partition}:execute-api:`",
            ));
        }
        let mut parts = rest.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(api), Some(stage), Some(resource)) if !resource.is_empty() => {
                let stage = StageArn::from_parts(partition, region, account, api, stage)?;
                Ok(stage.arn("", resource))
            }
            _ => Err(refuse("does not end in `{api}/{stage}/{method}/{path}`")),
        }
    }
}

impl AsRef<str> for ExecuteApiArn {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ExecuteApiArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExecuteApiArn").field(&self.text).finish()
    }
}

impl fmt::Display for ExecuteApiArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ExecuteApiArn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ExecuteApiArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = ExecuteApiArn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the ARN of a request")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ExecuteApiArn, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::ExecuteApiArn;
    use crate::policy::{Decision, PolicyDocument};

    #[test]
    fn concrete_arns_are_read() {
        let arn: ExecuteApiArn = "arn:aws:execute-api:r:1:a/ESTestInvoke-stage/GET/a:b/c".parse().unwrap();
        assert_eq!(arn.resource(), "GET/a:b/c");
        assert_eq!(arn.path(), Some("/a:b/c"));
        let socket: ExecuteApiArn = "arn:aws:execute-api:r:1:a/prod/$connect".parse().unwrap();
        assert_eq!((socket.method(), socket.path()), (None, None));
        for bad in [
            "",
            "*",
            "arn:aws:execute-api:r:1:a/prod",
            "arn:aws:execute-api:r:1:a/prod/",
            "arn:aws:s3:r:1:a/prod/GET/",
            "arn:aws:execute-api:r:1:a/prod/GET/*",
            "arn:aws:execute-api:r:1:a/prod/GET/x\n",
            "arn:aws:execute-api:r:1",
        ] {
            assert!(bad.parse::<ExecuteApiArn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_arn_as_pattern_is_literal() {
        let arn: ExecuteApiArn = "arn:aws:execute-api:r:1:a/prod/GET/${aws:username}".parse().unwrap();
        assert!(arn.to_pattern().unwrap().as_str().ends_with("GET/${$}{aws:username}"));
        let stage = arn.stage_arn();
        for (method, path) in [
            ("GET", "/files/*"),
            ("GET", "/files/?"),
            ("GET", "/files/${*}"),
            ("GET", "/${?}/a"),
            ("*", "/files/a"),
        ] {
            let own = stage.arn(method, path);
            let policy = stage.policy().allow_raw(own.to_pattern().unwrap()).build().unwrap();
            for other in ["/files/a", "/files/$%7Ba%7D", "/files/$%7B%2A%7D/x", "/$%7Ba%7D/a", "/files/"] {
                assert_eq!(
                    policy.evaluate(&stage.arn("GET", other)),
                    Decision::ImplicitDeny,
                    "{path} {other}"
                );
            }
        }
        let own = stage.arn("GET", "/files/*").to_pattern().unwrap();
        let policy = stage.policy().allow_raw(own).build().unwrap();
        assert_eq!(policy.evaluate(&stage.arn("GET", "/files/%2A")), Decision::Allow);
    }

    #[test]
    fn an_arn_as_pattern_is_spelt_as_it_was() {
        for path in
            ["/admin", "/%61dmin", "/caf%c3%a9", "/a b", "/%", "/%2e%2E", "/a@b", "/a%40b", "/$/x}", "/${$}"]
        {
            let arn: ExecuteApiArn = format!("arn:aws:execute-api:r:1:a/prod/GET{path}").parse().unwrap();
            let pattern = arn.to_pattern().unwrap();
            assert_eq!(pattern.as_str().replace("${$}{", "${"), arn.as_str());
            let policy = |effect: &str| {
                let text = format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                    {{"Effect":"{effect}","Action":"*","Resource":"{pattern}"}}]}}"#
                );
                PolicyDocument::from_json(&text).unwrap()
            };
            assert_eq!(policy("Deny").evaluate(&arn), Decision::ExplicitDeny, "{path}");
            let alone = arn.stage_arn().policy().allow_raw(pattern).build().unwrap();
            let other: ExecuteApiArn = "arn:aws:execute-api:r:1:a/prod/GET/admin".parse().unwrap();
            let is_allowed = alone.evaluate(&other) == Decision::Allow;
            assert_eq!(is_allowed, matches!(path, "/admin" | "/%61dmin"), "{path}");
        }
    }
}
