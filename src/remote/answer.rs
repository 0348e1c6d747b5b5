//! From what a function returned to an answer.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{FunctionError, RemoteError};
use crate::authorizer::AuthorizerError;
use crate::contract::reserved::EXPIRES_AT;
use crate::contract::{AuthorizerResponse, ContextValue, ResponseRules};

/// What came of one invocation.
pub(super) struct Invocation {
    /// 200; or 500, as which some local runtimes report that the function failed.
    pub(super) status: u16,
    /// Whether the endpoint says that the function failed.
    pub(super) function_failed: bool,
    pub(super) payload: Vec<u8>,
}

pub(super) const OK: u16 = 200;
pub(super) const INTERNAL_SERVER_ERROR: u16 = 500;
pub(super) const TOO_MANY_REQUESTS: u16 = 429;

/// How answers are read.
pub(super) struct Reading<'a> {
    pub(super) rules: ResponseRules,
    /// The context value that says when the answer expires, if one was named.
    pub(super) max_age_from: Option<&'a str>,
    /// The wall clock.
    pub(super) now: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    Unauthorized,
    Failed(RemoteError),
}

impl From<RemoteError> for NoAnswer {
    fn from(error: RemoteError) -> Self {
        Self::Failed(error)
    }
}

impl Invocation {
    pub(super) fn read(self, reading: &Reading<'_>) -> Result<AuthorizerResponse, NoAnswer> {
        let failure = serde_json::from_slice::<Failure<'_>>(&self.payload).ok();
        if let Some(failure) = failure.filter(|failure| self.function_failed || failure.is_one) {
            return Err(failure.into_no_answer());
        }
        if self.status != OK {
            return Err(RemoteError::Status { status: self.status }.into());
        }
        if self.function_failed {
            return Err(RemoteError::Function(FunctionError::default()).into());
        }
        let (response, expires_at) = AuthorizerResponse::from_function_json(&self.payload, &reading.rules)
            .map_err(RemoteError::Answer)?;
        Ok(reading.with_max_age(response, expires_at.as_ref())?)
    }
}

impl Reading<'_> {
    /// The earlier of the two expiries counts.
    fn with_max_age(
        &self,
        response: AuthorizerResponse,
        expires_at: Option<&ContextValue>,
    ) -> Result<AuthorizerResponse, RemoteError> {
        let own = expires_at.map(|value| match seconds(value) {
            Some(seconds) => Ok(self.until(seconds.min(LATEST)).saturating_sub(ROUNDED_UP)),
            None => Err(RemoteError::Expiry { key: EXPIRES_AT.into() }),
        });
        let own = own.transpose()?;
        let named = match self.max_age_from {
            None => None,
            Some(key) => match response.context().get(key).filter(|value| **value != ContextValue::Null) {
                Some(value) => match seconds(value).filter(|seconds| *seconds <= LATEST) {
                    Some(seconds) => Some(self.until(seconds)),
                    None => return Err(RemoteError::Expiry { key: key.into() }),
                },
                None if key == EXPIRES_AT && own.is_some() => None,
                // Where answers say how long they are good, one that does not say it is good for nobody else.
                None => Some(Duration::ZERO),
            },
        };
        Ok(match own.into_iter().chain(named).min() {
            Some(max_age) => response.with_max_age(max_age),
            None => response,
        })
    }

    /// How long it is from now until then. What has passed is now.
    fn until(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds).unwrap_or_default().saturating_sub(self.now)
    }
}

/// A moment, in whole seconds since 1970. A part of a second is cut off, and never lengthens a life.
fn seconds(value: &ContextValue) -> Option<f64> {
    let seconds = value.to_number()?.as_f64()?;
    seconds.is_finite().then(|| seconds.max(0.0).floor())
}

/// Our functions name the next whole second, so that an answer that is good only once is still good when the backend
/// reads it. What is kept must not live longer than the function said.
const ROUNDED_UP: Duration = Duration::from_secs(1);

/// The last moment that is taken for one: seconds since 1970 have eleven digits, for the next three thousand years.
/// Other functions may mean milliseconds by more; ours mean for ever.
const LATEST: f64 = 99_999_999_999.0;

/// What a function that failed says: an object with `errorMessage` and `errorType`.
struct Failure<'t> {
    /// Whether there is an `errorMessage`, whatever it is.
    is_one: bool,
    /// Whether a member is there twice, so that nobody can tell which is meant.
    is_ambiguous: bool,
    message: Option<&'t RawValue>,
    error_type: Option<&'t RawValue>,
}

impl Failure<'_> {
    fn into_no_answer(self) -> NoAnswer {
        let message = text(self.message);
        // Every other wording is a failure, as it is at the gateway.
        if message == "Unauthorized" && !self.is_ambiguous {
            return NoAnswer::Unauthorized;
        }
        let (error_type, message) = (shown(&text(self.error_type)), shown(&message));
        RemoteError::Function(FunctionError { error_type, message }).into()
    }
}

impl<'de> de::Deserialize<'de> for Failure<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Failure<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut message, mut error_type) = (None, None);
                let mut is_ambiguous = false;
                while let Some(name) = map.next_key::<String>()? {
                    let place = match &*name {
                        "errorMessage" => &mut message,
                        "errorType" => &mut error_type,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    is_ambiguous |= place.is_some();
                    *place = Some(map.next_value::<&RawValue>()?);
                }
                Ok(Failure { is_one: message.is_some(), is_ambiguous, message, error_type })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn text(value: Option<&RawValue>) -> String {
    value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

/// A text of somebody else's for a log: not long, and without control characters.
fn shown(text: &str) -> Box<str> {
    let printable = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().take(FunctionError::MAX_CHARS).map(printable).collect()
}

impl NoAnswer {
    pub(super) fn into_error(self, function: &str) -> AuthorizerError {
        match self {
            Self::Unauthorized => AuthorizerError::unauthorized(),
            Self::Failed(error) => {
                AuthorizerError::failure(super::error::Failed { function: function.into(), error })
            }
        }
    }
}
