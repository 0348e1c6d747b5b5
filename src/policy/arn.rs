use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::builder::PolicyBuilder;
use super::error::{ArnError, PolicyError, quoted};
use super::pattern::ResourcePattern;
use super::spelling::{Wildcards, push_spelled};

/// The fixed part of every ARN of one stage: `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/`.
///
/// It is made from configuration, checked once and cheap to clone.
///
/// ```
/// use tower_lambda_authorizer::policy::StageArn;
///
/// let stage = StageArn::new("aws", "us-east-1", "123456789012", "abcdef1234", "prod")?;
/// assert_eq!(stage.as_str(), "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/");
/// assert_eq!(
///     stage.arn("GET", "/users/42").as_ref(),
///     "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/users/42"
/// );
/// # Ok::<(), tower_lambda_authorizer::policy::ArnError>(())
/// ```
#[derive(Clone)]
pub struct StageArn {
    text: Arc<str>,
    ends: Ends,
}

/// Where the fields end in the text.
#[derive(Clone, Copy)]
struct Ends {
    partition: usize,
    region: usize,
    account: usize,
    api: usize,
}

const ARN: &str = "arn:";
const SERVICE: &str = ":execute-api:";

impl StageArn {
    /// Puts a stage together from its five parts.
    ///
    /// # Errors
    ///
    /// When a part is empty, too long or holds a character that AWS does not use there, or when the account is
    /// not twelve digits.
    pub fn new(
        partition: &str,
        region: &str,
        account_id: &str,
        api_id: &str,
        stage: &str,
    ) -> Result<Self, ArnError> {
        if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ArnError::new(format!("account id {} is not twelve digits", quoted(account_id))));
        }
        Self::from_parts(partition, region, account_id, api_id, stage)
    }

    /// Like [`new`](Self::new), but with any name as account: emulators do not all use twelve digits.
    fn from_parts(
        partition: &str,
        region: &str,
        account_id: &str,
        api_id: &str,
        stage: &str,
    ) -> Result<Self, ArnError> {
        check("partition", partition, 32, "", "")?;
        check("region", region, 32, "", "")?;
        check("account id", account_id, 64, "_", "")?;
        check("API id", api_id, 128, "_", "")?;
        check("stage", stage, 128, "_", "$default")?;
        let mut text = String::with_capacity(
            22 + partition.len() + region.len() + account_id.len() + api_id.len() + stage.len(),
        );
        let mut push = |part: &str, separator: &str| {
            text.push_str(part);
            let end = text.len();
            text.push_str(separator);
            end
        };
        push("", ARN);
        let ends = Ends {
            partition: push(partition, SERVICE),
            region: push(region, ":"),
            account: push(account_id, ":"),
            api: push(api_id, "/"),
        };
        push(stage, "/");
        Ok(Self { text: text.into(), ends })
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.text.get(ARN.len()..self.ends.partition).unwrap_or_default()
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.text.get(self.ends.partition + SERVICE.len()..self.ends.region).unwrap_or_default()
    }

    /// The account that owns the API.
    #[must_use]
    pub fn account_id(&self) -> &str {
        self.text.get(self.ends.region + 1..self.ends.account).unwrap_or_default()
    }

    /// The id of the API.
    #[must_use]
    pub fn api_id(&self) -> &str {
        self.text.get(self.ends.account + 1..self.ends.api).unwrap_or_default()
    }

    /// The name of the stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        self.text.get(self.ends.api + 1..self.text.len() - 1).unwrap_or_default()
    }

    /// The text, with the slash behind the stage.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `{api}/{stage}/`: what every sixth field of this stage begins with.
    pub(super) fn resource_prefix(&self) -> &str {
        self.text.get(self.ends.account + 1..).unwrap_or_default()
    }

    /// The ARN of one request. `path` begins with `/` and is in the spelling of ARNs; a WebSocket connection is
    /// `arn("", "$connect")`.
    ///
    /// The parts are taken as they are: they are those of a request that was found canonical.
    #[must_use]
    pub fn arn(&self, method: &str, path: &str) -> ExecuteApiArn {
        let mut text = String::with_capacity(self.text.len() + method.len() + path.len());
        text.push_str(&self.text);
        text.push_str(method);
        text.push_str(path);
        ExecuteApiArn { stage: self.clone(), text: text.into_boxed_str() }
    }

    /// Begins a policy whose resources all belong to this stage.
    pub fn policy(&self) -> PolicyBuilder {
        PolicyBuilder::new(self.clone())
    }

    /// The pattern for every method and path of this stage.
    #[must_use]
    pub fn to_pattern(&self) -> ResourcePattern {
        ResourcePattern::from_trusted(format!("{}*", self.text))
    }
}

impl PartialEq for StageArn {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for StageArn {}

impl Hash for StageArn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for StageArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageArn").field(&self.text).finish()
    }
}

impl fmt::Display for StageArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

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
    /// The stage it belongs to.
    #[must_use]
    pub const fn stage_arn(&self) -> &StageArn {
        &self.stage
    }

    /// All that follows the stage: `GET/users/42`, or `$connect`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.text.get(self.stage.text.len()..).unwrap_or_default()
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
    /// # Errors
    ///
    /// When the pattern would be longer than 512 characters.
    pub fn to_pattern(&self) -> Result<ResourcePattern, PolicyError> {
        let mut text = self.stage.text.to_string();
        push_spelled(self.resource(), Wildcards::Escape, &mut text);
        ResourcePattern::raw(text)
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

fn check(what: &str, text: &str, longest: usize, also: &str, whole: &str) -> Result<(), ArnError> {
    let known =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || also.contains(character);
    if text.is_empty() {
        Err(ArnError::new(format!("{what} is empty")))
    } else if text.len() > longest {
        Err(ArnError::new(format!("{what} {} is longer than {longest} characters", quoted(text))))
    } else if text.chars().all(known) || text == whole {
        Ok(())
    } else {
        let underscore = if also.is_empty() { "" } else { ", `_`" };
        Err(ArnError::new(format!(
            "{what} {} may hold ASCII letters, digits, `-`{underscore} only",
            quoted(text)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::{ExecuteApiArn, StageArn};

    #[test]
    fn parts_come_back() {
        let stage = StageArn::new("aws-cn", "cn-north-1", "123456789012", "a1", "$default").unwrap();
        assert_eq!(stage.partition(), "aws-cn");
        assert_eq!(stage.region(), "cn-north-1");
        assert_eq!(stage.account_id(), "123456789012");
        assert_eq!(stage.api_id(), "a1");
        assert_eq!(stage.stage(), "$default");
        assert_eq!(stage.resource_prefix(), "a1/$default/");
    }

    #[test]
    fn fields_are_checked() {
        for (partition, region, account, api, stage) in [
            ("", "r", "123456789012", "a", "s"),
            ("aws", "r:", "123456789012", "a", "s"),
            ("aws", "r", "12345678901", "a", "s"),
            ("aws", "r", "123456789012", "*", "s"),
            ("aws", "r", "123456789012", "a/b", "s"),
            ("aws", "r", "123456789012", "a", "$other"),
            ("aws", "r", "123456789012", "a", ""),
        ] {
            assert!(StageArn::new(partition, region, account, api, stage).is_err());
        }
    }

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
        assert!(arn.to_pattern().unwrap().as_str().ends_with("GET/$%7Baws:username%7D"));
    }
}
