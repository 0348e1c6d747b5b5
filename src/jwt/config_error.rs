//! What is wrong with a configuration.

use std::fmt;

use crate::contract::ChallengeError;
use crate::policy::PolicyError;
use crate::request::ExpressionError;

/// A mistake in the configuration of an authorizer, found when it is built.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// The realm cannot stand in a challenge.
    Challenge(ChallengeError),
    /// A claim cannot go into the context under that name.
    ContextName {
        /// That name.
        name: Box<str>,
    },
    /// The backend for signatures does not do what it should.
    Crypto,
    /// Two issuers have the same name.
    DuplicateIssuer {
        /// That name.
        issuer: Box<str>,
    },
    /// `identityValidationExpression` cannot be used.
    Expression(ExpressionError),
    /// An issuer is not configured as it has to be.
    Issuer {
        /// Its name.
        issuer: Box<str>,
        /// What is wrong.
        problem: &'static str,
    },
    /// There is no issuer.
    NoIssuer,
    /// There are rules and a policy: one of them would have to be ignored.
    PolicyAndRules,
    /// A user pool is not one.
    Pool {
        /// What is wrong.
        problem: &'static str,
    },
    /// What a rule allows cannot be allowed.
    Rule(PolicyError),
    /// The name of a header or of a query parameter is none.
    Source,
    /// The limit of a token's length is 0 or over the largest.
    TokenLimit,
}

impl fmt::Display for JwtConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Challenge(error) => write!(f, "the realm cannot stand in a challenge: {error}"),
            Self::ContextName { name } => {
                write!(
                    f,
                    "the context name `{name}` is empty, there twice, or reserved by a gateway: choose another"
                )
            }
            Self::Crypto => f.write_str("the self-test of the signature backend failed"),
            Self::DuplicateIssuer { issuer } => write!(f, "the issuer `{issuer}` is there twice"),
            Self::Expression(error) => error.fmt(f),
            Self::Issuer { issuer, problem } => write!(f, "issuer `{issuer}`: {problem}"),
            Self::NoIssuer => f.write_str("there is no issuer: add one"),
            Self::PolicyAndRules => {
                f.write_str("there are rules and a policy: say what is allowed with one of them")
            }
            Self::Pool { problem } => write!(f, "user pool: {problem}"),
            Self::Rule(error) => write!(f, "a rule cannot be granted: {error}"),
            Self::Source => f.write_str("the name of the header or query parameter of the token is none"),
            Self::TokenLimit => f.write_str("the limit of a token's length is between 1 byte and 64 KiB"),
        }
    }
}

impl std::error::Error for JwtConfigError {}
