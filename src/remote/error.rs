//! What can go wrong between an authorizer and its function.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::ResponseError;

/// Why a function gave no answer that counts: the source of the [`AuthorizerError`](crate::AuthorizerError) that a
/// [`RemoteAuthorizer`](super::RemoteAuthorizer) fails with. No client is shown it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RemoteError {
    /// The answer is not one that this kind of API accepts.
    Answer(ResponseError),
    /// There was no connection, also after the retries.
    Connect(Arc<dyn Error + Send + Sync>),
    /// The exchange broke off: the function may have run, or not.
    Exchange(Arc<dyn Error + Send + Sync>),
    /// The context says when the answer expires, but not in epoch seconds.
    Expiry {
        /// The name of that context value.
        key: Box<str>,
    },
    /// The function failed.
    Function(FunctionError),
    /// The endpoint answered with another status than 200; a redirect is one.
    Status {
        /// That status.
        status: u16,
    },
    /// There was an invocation too many, also after the retries.
    Throttled,
    /// There was no whole answer in time.
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The answer is longer than [it may be](super::RemoteAuthorizerBuilder::with_max_response_bytes).
    TooLarge {
        /// How long it may be.
        limit: usize,
    },
}

impl std::fmt::Display for RemoteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer(_) => f.write_str("the answer is not acceptable"),
            Self::Connect(_) => f.write_str("no connection to the endpoint"),
            Self::Exchange(_) => f.write_str("the exchange with the endpoint broke off"),
            Self::Expiry { key } => write!(
                f,
                "the context value `{key}` is to be the answer's expiry: it has to be a number of seconds since 1970"
            ),
            Self::Function(_) => f.write_str("the function failed"),
            Self::Status { status } => write!(f, "the endpoint answered with status {status}"),
            Self::Throttled => f.write_str("the function is throttled"),
            Self::TimedOut { after } => write!(f, "no answer after {after:?}"),
            Self::TooLarge { limit } => write!(f, "the answer has more than {limit} bytes"),
        }
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Answer(error) => Some(error),
            Self::Connect(error) | Self::Exchange(error) => Some(&**error),
            Self::Function(error) => Some(error),
            Self::Expiry { .. }
            | Self::Status { .. }
            | Self::Throttled
            | Self::TimedOut { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}

/// What a function says of its own failure: `errorType` and `errorMessage`, cut to a readable length.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FunctionError {
    pub(super) error_type: Box<str>,
    pub(super) message: Box<str>,
}

impl FunctionError {
    /// The longest text that is kept of each, in characters.
    pub(super) const MAX_CHARS: usize = 1024;

    /// `errorType`, such as `Runtime.UserCodeSyntaxError`; empty if there is none.
    #[must_use]
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// `errorMessage`; empty if there is none. It is the function's own, and may tell what no client should know.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::fmt::Display for FunctionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&*self.error_type, &*self.message) {
            ("", "") => f.write_str("no message"),
            ("", message) => f.write_str(message),
            (error_type, "") => f.write_str(error_type),
            (error_type, message) => write!(f, "{error_type}: {message}"),
        }
    }
}

impl Error for FunctionError {}

/// A [`RemoteError`], and whose it is.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) function: Box<str>,
    pub(super) error: RemoteError,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the authorizer function `{}` gave no answer that counts", self.function)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// A [`RemoteAuthorizer`](super::RemoteAuthorizer) that cannot be built, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RemoteConfigError {
    /// The HTTP client could not be made, mostly because of the roots that the system trusts.
    Client {
        /// What it says.
        message: Box<str>,
    },
    /// The endpoint is none.
    Endpoint {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is neither a function's name nor its ARN.
    FunctionName,
    /// A header that the client sets itself.
    Header {
        /// The name of that header.
        name: Box<str>,
    },
    /// The context key of [`with_max_age_from`](super::RemoteAuthorizerBuilder::with_max_age_from) is empty.
    MaxAgeKey,
    /// No answer has no bytes.
    MaxResponseBytes,
    /// It is neither a version nor an alias.
    Qualifier,
    /// The qualifier is given twice: in the name, and beside it.
    QualifierTwice,
    /// More retries than make sense.
    Retries {
        /// How many there may be.
        limit: u32,
    },
    /// A time-out is zero.
    Timeout,
}

impl std::fmt::Display for RemoteConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client { message } => write!(f, "the HTTP client could not be made: {message}"),
            Self::Endpoint { reason } => write!(f, "the endpoint {reason}"),
            Self::FunctionName => {
                f.write_str("the function is neither a name such as `orders-authorizer` nor a function's ARN")
            }
            Self::Header { name } => {
                write!(f, "the header `{name}` is set by the client itself: leave it out")
            }
            Self::MaxAgeKey => f.write_str("the context key of the expiry is empty: name one"),
            Self::MaxResponseBytes => f.write_str("answers may have 0 bytes: allow at least one"),
            Self::Qualifier => {
                f.write_str("the qualifier is neither a version such as `7`, nor an alias, nor `$LATEST`")
            }
            Self::QualifierTwice => {
                f.write_str("the function's name has a qualifier, and another is given: leave one out")
            }
            Self::Retries { limit } => write!(f, "too many retries: at most {limit} are allowed"),
            Self::Timeout => f.write_str("a time-out is zero: let the function have some time"),
        }
    }
}

impl Error for RemoteConfigError {}
