//! Which API and which stage a layer stands in for.

use std::borrow::Cow;
use std::sync::Arc;

use super::route;
use crate::contract::ApiKind;
use crate::policy::{ArnError, StageArn};

/// One stage of one API: everything in an ARN that does not come from the request.
///
/// ```
/// use tower_lambda_authorizer::ApiStage;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?
///     .with_stage_variable("tier", "gold")?
///     .with_base_path("/v1")?;
/// assert_eq!(stage.arn().as_str(), "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/");
/// # Ok(()) }
/// ```
///
/// The constructor says which kind of API is stood in for, and with that how events look, which answers are accepted
/// and how refusals read. Nothing a client sends can change it. A service that never was behind API Gateway makes up the account and the
/// API id, and keeps them: policies name them.
#[derive(Clone)]
pub struct ApiStage {
    kind: ApiKind,
    arn: StageArn,
    domain_name: Option<Box<str>>,
    stage_variables: Arc<[(Box<str>, Box<str>)]>,
    base_path: Option<Box<str>>,
}

impl ApiStage {
    /// A stage of a REST API in the partition `aws`.
    ///
    /// # Errors
    ///
    /// If a part is not spelled as AWS spells it: an account has twelve digits, for example.
    pub fn rest(region: &str, account_id: &str, api_id: &str, stage: &str) -> Result<Self, StageError> {
        Self::new(ApiKind::Rest, region, account_id, api_id, stage)
    }

    /// A stage of an HTTP API in the partition `aws`. Its stage may be `$default`.
    ///
    /// # Errors
    ///
    /// As for [`rest`](Self::rest).
    pub fn http(region: &str, account_id: &str, api_id: &str, stage: &str) -> Result<Self, StageError> {
        Self::new(ApiKind::Http, region, account_id, api_id, stage)
    }

    /// A stage of a WebSocket API in the partition `aws`: the layer then lets through nothing but the opening of
    /// WebSocket connections (of an extended `CONNECT`, whatever protocol it names), and asks policies about `$connect`.
    ///
    /// # Errors
    ///
    /// As for [`rest`](Self::rest).
    pub fn websocket(region: &str, account_id: &str, api_id: &str, stage: &str) -> Result<Self, StageError> {
        Self::new(ApiKind::WebSocket, region, account_id, api_id, stage)
    }

    fn new(
        kind: ApiKind,
        region: &str,
        account_id: &str,
        api_id: &str,
        stage: &str,
    ) -> Result<Self, StageError> {
        if kind != ApiKind::Http && stage.starts_with('$') {
            return Err(StageError::DefaultStage);
        }
        let arn = StageArn::new("aws", region, account_id, api_id, stage)?;
        Ok(Self { kind, arn, domain_name: None, stage_variables: Arc::new([]), base_path: None })
    }

    /// Whether the same requests belong to both, under the same ARNs.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.kind == other.kind && self.arn == other.arn && self.base_path == other.base_path
    }

    /// Sets the partition: `aws-cn`, `aws-us-gov`.
    ///
    /// # Errors
    ///
    /// If it is not spelled as a partition.
    pub fn with_partition(mut self, partition: &str) -> Result<Self, StageError> {
        let arn = &self.arn;
        self.arn = StageArn::new(partition, arn.region(), arn.account_id(), arn.api_id(), arn.stage())?;
        Ok(self)
    }

    /// Adds a stage variable, or replaces the one of the same name.
    ///
    /// # Errors
    ///
    /// If AWS would not store it: names have 1 to 64 letters, digits or `_`; values have 1 to 512 characters
    /// out of `A-Za-z0-9-._~:/?#&=,`; there are at most 100.
    pub fn with_stage_variable(mut self, name: &str, value: &str) -> Result<Self, StageError> {
        let named = !name.is_empty() && name.len() <= 64;
        if !named || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(StageError::VariableName { name: name.into() });
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if value.is_empty() || value.len() > 512 || !value.bytes().all(allowed) {
            return Err(StageError::VariableValue { name: name.into() });
        }
        let mut variables: Vec<_> =
            self.stage_variables.iter().filter(|(known, _)| **known != *name).cloned().collect();
        variables.push((name.into(), value.into()));
        if variables.len() > 100 {
            return Err(StageError::TooManyVariables);
        }
        self.stage_variables = variables.into();
        Ok(self)
    }

    /// Names the path under which the API is mounted, as an API mapping of a custom domain does: it is cut off
    /// before the ARN is made, and what does not lie under it is not found. Routes keep their full paths.
    ///
    /// # Errors
    ///
    /// If it is not `/` followed by segments of letters, digits, `-`, `.`, `_` or `~`.
    pub fn with_base_path(mut self, base_path: &str) -> Result<Self, StageError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(plain);
        let valid = base_path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment));
        if !valid {
            return Err(StageError::BasePath { base_path: base_path.into() });
        }
        self.base_path = Some(base_path.into());
        Ok(self)
    }

    /// Names the domain that clients use, where it is not the API's own.
    ///
    /// # Errors
    ///
    /// If it is no domain name: labels of letters, digits and `-`, with dots between them.
    pub fn with_custom_domain(mut self, domain_name: &str) -> Result<Self, StageError> {
        let label = |s: &str| {
            !s.is_empty() && s.len() <= 63 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if domain_name.len() > 253 || !domain_name.split('.').all(label) {
            return Err(StageError::DomainName { domain_name: domain_name.into() });
        }
        self.domain_name = Some(domain_name.into());
        Ok(self)
    }

    /// Which kind of API this is.
    #[must_use]
    pub fn kind(&self) -> ApiKind {
        self.kind
    }

    /// The domain that clients use: the custom one, or `{api}.execute-api.{region}.amazonaws.com`.
    #[must_use]
    pub fn domain_name(&self) -> Cow<'_, str> {
        if let Some(domain_name) = &self.domain_name {
            return Cow::Borrowed(domain_name);
        }
        let suffix = if self.arn.partition() == "aws-cn" { ".cn" } else { "" };
        Cow::Owned(format!("{}.execute-api.{}.amazonaws.com{suffix}", self.arn.api_id(), self.arn.region()))
    }

    /// The name that was configured.
    #[cfg(feature = "lambda-http")]
    pub(crate) fn custom_domain(&self) -> Option<&str> {
        self.domain_name.as_deref()
    }

    /// The fixed part of the stage's ARNs.
    #[must_use]
    pub fn arn(&self) -> &StageArn {
        &self.arn
    }

    /// The path under which the API is mounted, such as `/v1`.
    #[must_use]
    pub fn base_path(&self) -> Option<&str> {
        self.base_path.as_deref()
    }

    /// A stage variable.
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage_variables.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Whether clients come through a domain that is mapped to this stage, so that its name is not in their paths.
    pub(crate) fn is_mapped(&self) -> bool {
        self.domain_name.is_some() || self.base_path.is_some()
    }

    /// Cuts as many segments off a template as the base path has: they are what the base path was matched by. `None` if a
    /// catch-all behind letters has matched the end of it: the template of what is left is nowhere.
    pub(crate) fn strip_template<'a>(&self, template: &'a str) -> Option<&'a str> {
        let mut rest = template;
        for _ in self.base_path.as_deref().unwrap_or_default().split('/').skip(1) {
            let Some(segment) = rest.strip_prefix('/') else { return Some("/") };
            if let Some((before, _)) = route::rest(segment).filter(|(before, _)| !before.contains('/')) {
                return before.is_empty().then_some(rest);
            }
            rest = segment.find('/').and_then(|end| segment.get(end..)).unwrap_or("/");
        }
        Some(rest)
    }

    pub(crate) fn stage_variables(&self) -> Arc<[(Box<str>, Box<str>)]> {
        Arc::clone(&self.stage_variables)
    }

    /// Puts the base path before a path that lacks it.
    #[cfg(feature = "lambda-http")]
    pub(crate) fn with_base_path_before<'a>(&self, path: &'a str) -> Cow<'a, str> {
        match (&self.base_path, path) {
            (None, path) => Cow::Borrowed(path),
            (Some(base_path), "/") => Cow::Owned(base_path.clone().into()),
            (Some(base_path), path) => Cow::Owned(format!("{base_path}{path}")),
        }
    }

    /// Cuts the base path off; `None` if the path does not lie under it.
    #[inline]
    pub(crate) fn strip_base_path<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some(base_path) = &self.base_path else { return Some(path) };
        match path.strip_prefix(&**base_path)? {
            "" => Some("/"),
            rest if rest.starts_with('/') => Some(rest),
            _ => None,
        }
    }
}

/// Prints the names of stage variables, not what they hold.
impl std::fmt::Debug for ApiStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variables: Vec<&str> = self.stage_variables.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("ApiStage")
            .field("kind", &self.kind)
            .field("arn", &self.arn)
            .field("domain_name", &self.domain_name)
            .field("stage_variables", &variables)
            .field("base_path", &self.base_path)
            .finish()
    }
}

/// A stage that AWS could not have.
///
/// `Debug` says the same as `Display`: it is what a `main` that returns the error prints.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum StageError {
    /// A part of the ARN is misspelt.
    Arn(ArnError),
    /// The base path is not a plain path.
    BasePath {
        /// What was given.
        base_path: Box<str>,
    },
    /// Only HTTP APIs have a stage called `$default`.
    DefaultStage,
    /// The custom domain is no domain name.
    DomainName {
        /// What was given.
        domain_name: Box<str>,
    },
    /// There are more than 100 stage variables.
    TooManyVariables,
    /// The name of a stage variable is misspelt or too long.
    VariableName {
        /// What was given.
        name: Box<str>,
    },
    /// The value of a stage variable is too long or holds a character that AWS does not store.
    VariableValue {
        /// Whose value.
        name: Box<str>,
    },
}

impl std::fmt::Debug for StageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StageError({self})")
    }
}

impl std::fmt::Display for StageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arn(error) => error.fmt(f),
            Self::BasePath { base_path } => write!(
                f,
                "`{base_path}` is not a base path: write `/` and then segments of letters, digits, `-`, `.`, `_` or `~`"
            ),
            Self::DefaultStage => {
                f.write_str("only an HTTP API has a stage whose name starts with `$`: use `ApiStage::http`, or another name")
            }
            Self::DomainName { domain_name } => write!(
                f,
                "`{domain_name}` is not a domain name: write labels of letters, digits and `-`, with dots between them"
            ),
            Self::TooManyVariables => f.write_str("a stage has at most 100 stage variables"),
            Self::VariableName { name } => {
                write!(f, "`{name}` is not the name of a stage variable: use 1 to 64 letters, digits or `_`")
            }
            Self::VariableValue { name } => write!(
                f,
                "the value of the stage variable `{name}` is not one that AWS stores: \
                 use at most 512 characters out of `A-Za-z0-9-._~:/?#&=,`"
            ),
        }
    }
}

impl std::error::Error for StageError {}

impl From<ArnError> for StageError {
    fn from(error: ArnError) -> Self {
        Self::Arn(error)
    }
}
