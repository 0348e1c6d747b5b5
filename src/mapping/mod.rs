//! What the service behind the layer is told about a request, in headers and query parameters: the parameter
//! mapping of HTTP APIs.
//!
//! ```
//! use tower_lambda_authorizer::mapping::ParameterMapping;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mapping = ParameterMapping::new()
//!     .with("overwrite:header.x-user", "$context.authorizer.principalId")?
//!     .with("overwrite:header.x-tenant", "${stageVariables.prefix}-${context.authorizer.tenant}")?
//!     .with("append:querystring.via", "gateway")?
//!     .with("remove:header.x-debug", "")?;
//!
//! // What a client sends would stay beside what the authorizer said.
//! assert!(mapping.clone().with("append:header.x-role", "$context.authorizer.role").is_err());
//! # Ok(()) }
//! ```
//!
//! # Nothing of the client's is left
//!
//! `overwrite` and `remove` first delete the header under every name that a program behind us may take for the
//! same: in any case, and with any other punctuation in the place of `-`, as in `X_User` and `x.user`. A value is
//! set afterwards, if there is one. A value that is missing, `null` or empty, of which a part is missing, or which is
//! a list or a map, is no value: then the header is deleted and not set.
//!
//! # What is refused
//!
//! A request whose value could not be a header: anything but printable ASCII, with a space at an end, or over 8 KiB.
//! If the authorizer chose the value the request is refused with 500, otherwise with 400. Also refused, with 400, is
//! a request whose `Connection` header names a mapped header: a proxy behind us would delete it.
//!
//! # Queries
//!
//! If a query parameter is mapped, the whole query is written anew: decoded once, and encoded so that everybody reads
//! it alike. `overwrite` and `remove` delete a parameter under its other names, too: in any case, with other punctuation, behind
//! spaces, `!` or `_`, before a NUL, and with brackets (`User_Id`, `user.id`, `user_id[]`, `[user_id]`). The path is never touched. A query that is not UTF-8 is refused with 400.

mod error;
mod header;
mod plan;
mod query;
mod rule;
mod value;

pub use error::MappingError;
pub(crate) use plan::{Changes, Unmappable};

use self::rule::Rule;
use crate::request::{ApiStage, IdentitySource};

/// Which headers and query parameters to change, and from what: see the [module](self).
#[derive(Clone, Default)]
pub struct ParameterMapping {
    rules: Vec<Rule>,
}

/// Prints what is mapped, not to what: a static text may be a secret of the service behind.
impl std::fmt::Debug for ParameterMapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.rules.iter().map(|rule| &rule.key)).finish()
    }
}

impl ParameterMapping {
    /// A mapping that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one change, in AWS's spelling.
    ///
    /// | key | |
    /// |---|---|
    /// | `append:header.NAME`, `append:querystring.NAME` | adds a value to those that the client sent |
    /// | `overwrite:header.NAME`, `overwrite:querystring.NAME` | deletes what the client sent, and sets a value |
    /// | `remove:header.NAME`, `remove:querystring.NAME` | deletes what the client sent; the value is empty |
    ///
    /// | value | |
    /// |---|---|
    /// | `$context.authorizer.principalId` | who is calling |
    /// | `$context.authorizer.KEY`, `$context.authorizer.lambda.KEY` | from the authorizer's context |
    /// | `$context.NAME` | one of [`ContextVariable`](crate::request::ContextVariable) |
    /// | `$request.header.NAME`, `$request.querystring.NAME` | all values that the client sent, with commas between |
    /// | `$request.path` | the whole path, in the spelling of ARNs and without the stage |
    /// | `$request.path.NAME` | a parameter of the route's template, decoded |
    /// | `$stageVariables.NAME` | from [`ApiStage::with_stage_variable`] |
    /// | anything without a `$` | itself |
    /// | text with `${request.path.NAME}` and so on in it | all of it together |
    ///
    /// All values are those of the request as it came in, whatever the order of the changes.
    ///
    /// # Errors
    ///
    /// If AWS would not accept it; and if it would let a client have its say in what the authorizer is to say.
    pub fn with(mut self, key: &str, value: &str) -> Result<Self, MappingError> {
        let rule = Rule::parse(key, value)?;
        if self.rules.iter().any(|known| known.target.is_same(&rule.target)) {
            return Err(MappingError::Repeated { key: key.into() });
        }
        self.rules.push(rule);
        Ok(self)
    }

    /// A parameter that only one of two mappings takes away from clients.
    pub(crate) fn taken_by_one(one: Option<&Self>, other: Option<&Self>) -> Option<Box<str>> {
        let lacks =
            |mapping, rule: &&Rule| !taken(mapping).any(|known| rule.target.is_taken_by(&known.target));
        let mut only =
            taken(one).filter(|rule| lacks(other, rule)).chain(taken(other).filter(|rule| lacks(one, rule)));
        only.next().map(|rule| rule.parameter().into())
    }

    /// What can only be known beside the rest of a layer's configuration.
    pub(crate) fn check(&self, stage: &ApiStage, sources: &[IdentitySource]) -> Result<(), MappingError> {
        for rule in &self.rules {
            if sources.iter().any(|source| rule.endangers(source)) {
                return Err(MappingError::IdentitySource { key: rule.key.clone() });
            }
            if let Some(name) = rule.value.unknown_stage_variable(stage) {
                return Err(MappingError::UnknownStageVariable { key: rule.key.clone(), name: name.into() });
            }
        }
        Ok(())
    }
}

/// The changes that delete what a client sent.
fn taken(mapping: Option<&ParameterMapping>) -> impl Iterator<Item = &Rule> {
    mapping.into_iter().flat_map(|mapping| &mapping.rules).filter(|rule| rule.takes())
}
