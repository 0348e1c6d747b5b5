//! The two ways in which an authorizer can fail to answer.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

use crate::contract::{Challenge, ResponseError};
use crate::policy::PolicyError;

/// The word of the contract: an error with exactly this message is a 401, every other error is a 500.
const UNAUTHORIZED: &str = "Unauthorized";

/// An authorizer's error: [unauthorized](Self::unauthorized), or a [failure](Self::failure).
///
/// It displays as `Unauthorized`, the one word by which API Gateway tells the first from the second, or as the
/// failure's own message, which no client is ever shown.
#[derive(Clone, Debug)]
pub struct AuthorizerError(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Unauthorized(Refusal),
    Failure(Arc<dyn Error + Send + Sync>),
}

/// What is known of a refusal besides that it is one.
#[derive(Clone, Debug, Default)]
struct Refusal {
    challenge: Option<Challenge>,
    message: Option<&'static str>,
    reason: Option<Arc<dyn Error + Send + Sync>>,
    is_unshared: bool,
}

impl AuthorizerError {
    /// The caller has no valid credentials.
    #[must_use]
    pub const fn unauthorized() -> Self {
        let refusal = Refusal { challenge: None, message: None, reason: None, is_unshared: false };
        Self(Kind::Unauthorized(refusal))
    }

    /// The authorizer could not tell. Use it with `map_err` on whatever went wrong.
    ///
    /// An error whose message is exactly `Unauthorized` counts as [unauthorized](Self::unauthorized), as it does
    /// for a Lambda function that throws it.
    ///
    /// ```
    /// use tower_lambda_authorizer::AuthorizerError;
    ///
    /// let failed = "x".parse::<u8>().map_err(AuthorizerError::failure);
    /// assert!(!failed.unwrap_err().is_unauthorized());
    /// assert!(AuthorizerError::failure("Unauthorized").is_unauthorized());
    /// ```
    #[must_use]
    pub fn failure(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        let mut text = String::new();
        // An error that does not print is none that says this.
        if write!(text, "{source}").is_ok() && text == UNAUTHORIZED {
            return match source.downcast::<Self>() {
                Ok(error) => *error,
                Err(_) => Self::unauthorized(),
            };
        }
        Self(Kind::Failure(source.into()))
    }

    /// Tells the client how to be let in: `WWW-Authenticate`, in the place of the authorizer's
    /// [own challenge](super::Authorizer::challenge). A failure has no challenge, and keeps having none.
    ///
    /// ```
    /// use tower_lambda_authorizer::AuthorizerError;
    /// use tower_lambda_authorizer::contract::Challenge;
    ///
    /// let challenge = Challenge::new("Bearer error=\"invalid_token\"")?;
    /// let error = AuthorizerError::unauthorized().with_challenge(challenge.clone());
    /// assert_eq!(error.challenge(), Some(&challenge));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_challenge(mut self, challenge: Challenge) -> Self {
        if let Kind::Unauthorized(refusal) = &mut self.0 {
            refusal.challenge = Some(challenge);
        }
        self
    }

    /// Says why the caller is unauthorized: to the program, as the [source](Error::source) of this error and of the
    /// layer's [`Rejection`](crate::middleware::Rejection). No client is shown it. A failure keeps its own source.
    ///
    /// ```
    /// use std::error::Error;
    /// use tower_lambda_authorizer::AuthorizerError;
    ///
    /// let error = AuthorizerError::unauthorized().with_reason("the key was revoked");
    /// assert_eq!(error.to_string(), "Unauthorized");
    /// assert_eq!(error.source().unwrap().to_string(), "the key was revoked");
    /// ```
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let Kind::Unauthorized(refusal) = &mut self.0 {
            refusal.reason = Some(reason.into().into());
        }
        self
    }

    /// What the client reads in the place of `Unauthorized`, where the answer is made here: a layer's 401 then has
    /// the body `{"message":"…"}`. A Lambda function has no means to say it; there the gateway says its own.
    /// A failure has no message, and keeps having none.
    #[must_use]
    pub const fn with_message(mut self, message: &'static str) -> Self {
        if let Kind::Unauthorized(refusal) = &mut self.0 {
            refusal.message = Some(message);
        }
        self
    }

    /// Says that the caller is unauthorized for this request, and not with these credentials in general. With a cache,
    /// those who wait for the same answer are then not told so, but asked about one by one. A failure remains everybody's.
    ///
    /// Prefer a policy where there is one: it is kept, and says the same of every request.
    #[must_use]
    pub const fn unshared(mut self) -> Self {
        if let Kind::Unauthorized(refusal) = &mut self.0 {
            refusal.is_unshared = true;
        }
        self
    }

    /// Whether this is about one request only.
    pub(crate) const fn is_unshared(&self) -> bool {
        matches!(&self.0, Kind::Unauthorized(refusal) if refusal.is_unshared)
    }

    /// What the client reads in the place of `Unauthorized`, if anything.
    #[must_use]
    pub const fn message(&self) -> Option<&'static str> {
        match &self.0 {
            Kind::Unauthorized(refusal) => refusal.message,
            Kind::Failure(_) => None,
        }
    }

    /// The challenge this error names, if it names one.
    #[must_use]
    pub const fn challenge(&self) -> Option<&Challenge> {
        match &self.0 {
            Kind::Unauthorized(refusal) => refusal.challenge.as_ref(),
            Kind::Failure(_) => None,
        }
    }

    /// Whether this is a 401 rather than a 500.
    #[must_use]
    pub const fn is_unauthorized(&self) -> bool {
        matches!(self.0, Kind::Unauthorized(_))
    }

    /// Why the caller is unauthorized, if it was said.
    pub(crate) fn into_reason(self) -> Option<Arc<dyn Error + Send + Sync>> {
        match self.0 {
            Kind::Unauthorized(refusal) => refusal.reason,
            Kind::Failure(_) => None,
        }
    }
}

impl std::fmt::Display for AuthorizerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Unauthorized(_) => f.write_str(UNAUTHORIZED),
            Kind::Failure(source) => source.fmt(f),
        }
    }
}

impl Error for AuthorizerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Unauthorized(refusal) => {
                refusal.reason.as_deref().map(|reason| reason as &(dyn Error + 'static))
            }
            // The message above is the source's own, so what lies behind it comes next.
            Kind::Failure(source) => source.source(),
        }
    }
}

impl From<PolicyError> for AuthorizerError {
    fn from(error: PolicyError) -> Self {
        Self(Kind::Failure(Arc::new(error)))
    }
}

impl From<ResponseError> for AuthorizerError {
    fn from(error: ResponseError) -> Self {
        Self(Kind::Failure(Arc::new(error)))
    }
}
