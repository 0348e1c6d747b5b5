//! Why a function gave no answer.

use std::error::Error;

use lambda_runtime::Diagnostic;

use crate::authorizer::AuthorizerError;
use crate::contract::{EventError, ResponseError};

/// An invocation without an answer.
///
/// It displays as `Unauthorized` if the authorizer said so: of an error with exactly this message API Gateway makes a
/// 401. All others display as `authorizer failure`, which becomes a 500, and say no more to whoever invokes the
/// function. The cause is the [source](Error::source); the runtime logs it with `tracing`, to whatever subscriber there is.
#[non_exhaustive]
pub enum FunctionError {
    /// The authorizer failed.
    Failure(AuthorizerError),
    /// The gateway would not accept the answer.
    InvalidResponse(ResponseError),
    /// The event is not one of an authorizer.
    MalformedEvent(EventError),
    /// The authorizer panicked.
    Panic,
    /// The caller has no valid credentials.
    Unauthorized(AuthorizerError),
    /// The answer could not be printed.
    Unprintable(serde_json::Error),
}

/// Everything that is not the caller's fault.
const FAILURE: &str = "authorizer failure";

impl FunctionError {
    pub(super) fn of(error: AuthorizerError) -> Self {
        match error.is_unauthorized() {
            true => Self::Unauthorized(error),
            false => Self::Failure(error),
        }
    }

    /// Whether API Gateway makes a 401 of it, rather than a 500.
    #[must_use]
    pub const fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized(_))
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Failure(_) => "Failure",
            Self::InvalidResponse(_) => "InvalidResponse",
            Self::MalformedEvent(_) => "MalformedEvent",
            Self::Panic => "Panic",
            Self::Unauthorized(_) => "Unauthorized",
            Self::Unprintable(_) => "Unprintable",
        }
    }
}

impl std::fmt::Display for FunctionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // The one word of the contract, and it comes from where it is kept.
            Self::Unauthorized(error) => error.fmt(f),
            _ => f.write_str(FAILURE),
        }
    }
}

impl Error for FunctionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failure(error) => Some(error),
            Self::InvalidResponse(error) => Some(error),
            Self::MalformedEvent(error) => Some(error),
            Self::Panic => None,
            Self::Unauthorized(error) => error.source(),
            Self::Unprintable(error) => Some(error),
        }
    }
}

/// Names the cause in its own words, whatever an authorizer's error repeats of what it was told. This is what the runtime logs.
impl std::fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_tuple(self.name());
        if let Some(source) = self.source() {
            debug.field(&format_args!("{source}"));
        }
        debug.finish()
    }
}

/// What the runtime reports: two constant texts, whatever happened.
impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        let error_type = if error.is_unauthorized() { "Unauthorized" } else { "AuthorizerFailure" };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}
