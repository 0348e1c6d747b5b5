use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::arn::ExecuteApiArn;
use super::builder::PolicyBuilder;
use super::error::{ArnError, quoted};
use super::pattern::ResourcePattern;

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
            let problem = "is not twelve digits: write it like `012345678901`, or make one up; the order is region, account, API id, stage";
            return Err(ArnError::new(format!("account id {} {problem}", quoted(account_id))));
        }
        Self::from_parts(partition, region, account_id, api_id, stage)
    }

    /// Like [`new`](Self::new), but with any name as account: emulators do not all use twelve digits.
    pub(super) fn from_parts(
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
    #[inline]
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
        ExecuteApiArn::from_parts(self.clone(), text)
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

fn check(what: &str, text: &str, longest: usize, also: &str, whole: &str) -> Result<(), ArnError> {
    let known =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || also.contains(character);
    if text.is_empty() {
        Err(ArnError::new(format!("{what} is empty: it needs a name, which may be made up")))
    } else if text.len() > longest {
        Err(ArnError::new(format!("{what} {} is longer than {longest} characters", quoted(text))))
    } else if text.chars().all(known) || text == whole {
        Ok(())
    } else {
        let underscore = if also.is_empty() { "" } else { ", `_`" };
        Err(ArnError::new(format!(
            "{what} {} may hold ASCII letters, digits, `-`{underscore} only: it is a name, no path and no URL",
            quoted(text)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::StageArn;

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
    fn fields_have_a_length() {
        let is_ok = |lengths: [usize; 4]| {
            let [partition, region, api, stage] = lengths.map(|length| "a".repeat(length));
            StageArn::new(&partition, &region, "123456789012", &api, &stage).is_ok()
        };
        assert!(is_ok([32, 32, 128, 128]));
        for longer in [[33, 32, 128, 128], [32, 33, 128, 128], [32, 32, 129, 128], [32, 32, 128, 129]] {
            assert!(!is_ok(longer), "{longer:?}");
        }
    }
}
