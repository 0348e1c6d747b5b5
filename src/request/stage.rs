//! Which API and which stage a layer stands in for.

use std::sync::Arc;

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
/// Nothing a client sends can change it. A service that never was behind API Gateway makes up the account and the
/// API id, and keeps them: policies name them.
#[derive(Clone, Debug)]
pub struct ApiStage {
    arn: StageArn,
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
        let arn = StageArn::new("aws", region, account_id, api_id, stage)?;
        Ok(Self { arn, stage_variables: Arc::new([]), base_path: None })
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
    /// If AWS would not store it: names have 1 to 64 letters, digits or `_`; values have at most 512 characters
    /// out of `A-Za-z0-9-._~:/?#&=,`; there are at most 100.
    pub fn with_stage_variable(mut self, name: &str, value: &str) -> Result<Self, StageError> {
        let named = !name.is_empty() && name.len() <= 64;
        if !named || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(StageError::VariableName { name: name.into() });
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if value.len() > 512 || !value.bytes().all(allowed) {
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

    /// The fixed part of the stage's ARNs.
    #[must_use]
    pub fn arn(&self) -> &StageArn {
        &self.arn
    }

    /// A stage variable.
    #[must_use]
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage_variables.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    pub(crate) fn stage_variables(&self) -> Arc<[(Box<str>, Box<str>)]> {
        Arc::clone(&self.stage_variables)
    }

    /// Cuts the base path off; `None` if the path does not lie under it.
    pub(crate) fn strip_base_path<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some(base_path) = &self.base_path else { return Some(path) };
        match path.strip_prefix(&**base_path)? {
            "" => Some("/"),
            rest if rest.starts_with('/') => Some(rest),
            _ => None,
        }
    }
}

/// A stage that AWS could not have.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StageError {
    /// A part of the ARN is misspelt.
    Arn(ArnError),
    /// The base path is not a plain path.
    BasePath {
        /// What was given.
        base_path: Box<str>,
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

impl std::fmt::Display for StageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arn(error) => error.fmt(f),
            Self::BasePath { base_path } => write!(
                f,
                "`{base_path}` is not a base path: write `/` and then segments of letters, digits, `-`, `.`, `_` or `~`"
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
