//! What is wrong with an answer.

use super::AuthorizerResponse;
use super::rules::MAX_DEPTH;
use crate::policy::{PolicyError, printable};

/// An answer that a gateway would not accept. It says where the mistake is, and repeats no value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The context holds a list or an object, and this kind of API takes scalars only.
    ContextNotScalar {
        /// The name of that value.
        key: Box<str>,
    },
    /// The lists and objects of the context are nested too deeply.
    ContextTooDeep {
        /// The name of that value.
        key: Box<str>,
    },
    /// The principal id holds a control character.
    ControlCharacterInPrincipalId,
    /// The principal id is empty.
    EmptyPrincipalId,
    /// The principal id is over [`AuthorizerResponse::MAX_PRINCIPAL_ID`].
    LongPrincipalId {
        /// How long it is.
        bytes: usize,
    },
    /// The text is not JSON, or a member of it is not what it has to be.
    Malformed {
        /// The way to the mistake, such as `context.roles[2]`; empty for the whole text.
        location: Box<str>,
        /// What was found and what would be right.
        message: Box<str>,
    },
    /// There is no principal id, and this kind of API needs one.
    MissingPrincipalId,
    /// The policy is malformed.
    Policy(PolicyError),
    /// There is a policy and `isAuthorized`: one of them would have to be ignored.
    PolicyAndSimple,
    /// It is a simple response, and those are not switched on.
    PolicyExpected,
    /// The context uses a name that belongs to the gateway.
    ReservedContextKey {
        /// That name.
        key: Box<str>,
    },
    /// It is a policy, and simple responses are switched on.
    SimpleExpected,
    /// The text is longer than [`ResponseRules::max_bytes`](super::ResponseRules::max_bytes).
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
}

impl ResponseError {
    pub(super) fn malformed(location: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self::Malformed { location: location.into(), message: message.into() }
    }

    /// The way to the mistake, such as `policyDocument.Statement[0].Effect`; empty for the answer as a whole.
    #[must_use]
    pub fn location(&self) -> String {
        match self {
            Self::ContextNotScalar { key }
            | Self::ContextTooDeep { key }
            | Self::ReservedContextKey { key } => format!("context.{}", shown(key)),
            Self::ControlCharacterInPrincipalId
            | Self::EmptyPrincipalId
            | Self::LongPrincipalId { .. }
            | Self::MissingPrincipalId => "principalId".to_owned(),
            Self::Malformed { location, .. } => location.to_string(),
            Self::Policy(error) if error.location().is_empty() => "policyDocument".to_owned(),
            Self::Policy(error) => format!("policyDocument.{}", error.location()),
            Self::PolicyAndSimple | Self::PolicyExpected | Self::SimpleExpected | Self::TooLarge { .. } => {
                String::new()
            }
        }
    }
}

impl std::fmt::Display for ResponseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ContextNotScalar { key } => write!(
                f,
                "the context value `{}` is a list or an object: this kind of API takes strings, numbers and booleans",
                shown(key)
            ),
            Self::ContextTooDeep { key } => {
                write!(
                    f,
                    "the context value `{}` is nested too deeply: at most {MAX_DEPTH} levels are allowed",
                    shown(key)
                )
            }
            Self::ControlCharacterInPrincipalId => {
                f.write_str("the principal id holds a control character: remove it or encode it")
            }
            Self::EmptyPrincipalId => f.write_str("the principal id is empty: name who is calling"),
            Self::LongPrincipalId { bytes } => write!(
                f,
                "the principal id has {bytes} bytes: at most {} are allowed",
                AuthorizerResponse::MAX_PRINCIPAL_ID
            ),
            Self::Malformed { location, message } if location.is_empty() => {
                write!(f, "malformed answer: {message}")
            }
            Self::Malformed { location, message } => write!(f, "malformed answer at `{location}`: {message}"),
            Self::MissingPrincipalId => {
                f.write_str("there is no principal id: only HTTP APIs accept a policy without one")
            }
            Self::Policy(error) => error.fmt(f),
            Self::PolicyAndSimple => {
                f.write_str("the answer has both `policyDocument` and `isAuthorized`: leave one out")
            }
            Self::PolicyExpected => f.write_str(
                "the answer is a simple response: answer with a policy, or switch simple responses on",
            ),
            Self::ReservedContextKey { key } => {
                write!(f, "the context key `{}` is reserved for the gateway: choose another name", shown(key))
            }
            Self::SimpleExpected => f.write_str(
                "the answer is not a simple response, and those are switched on: answer with `isAuthorized`",
            ),
            Self::TooLarge { bytes, limit } => {
                write!(f, "the answer has {bytes} bytes: at most {limit} are allowed")
            }
        }
    }
}

impl std::error::Error for ResponseError {}

/// A name for an error message: short and printable.
pub(super) fn shown(name: &str) -> String {
    printable(name, 64)
}

impl From<PolicyError> for ResponseError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}
