//! How a function is asked.

use std::time::Duration;

use super::error::RemoteConfigError;
use super::function::Function;
use super::retry::Retries;
use super::{Remote, RemoteAuthorizer, Transport};
use crate::clock::{Clock, SystemClock};
use crate::contract::{Challenge, ResponseRules};

/// A [`RemoteAuthorizer`] to be, and how it reaches its function: `T`, which is [`Http`](super::Http) or
/// [`Aws`](super::Aws).
#[must_use = "nothing is built before `build` is called"]
pub struct RemoteAuthorizerBuilder<T> {
    pub(super) transport: T,
    function: Box<str>,
    qualifier: Option<Box<str>>,
    has_simple_responses: bool,
    max_age_from: Option<Box<str>>,
    max_response_bytes: usize,
    timeout: Duration,
    max_retries: u32,
    challenge: Option<Challenge>,
    clock: Box<dyn Clock>,
}

impl<T> RemoteAuthorizerBuilder<T> {
    /// How long a function has for its answer, if not said otherwise. It is below the ten seconds that a layer waits
    /// for an authorizer, so that the failure says what happened.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);

    pub(super) fn new(transport: T, function: Box<str>) -> Self {
        Self {
            transport,
            function,
            qualifier: None,
            has_simple_responses: false,
            max_age_from: None,
            max_response_bytes: ResponseRules::DEFAULT_MAX_BYTES,
            timeout: Self::DEFAULT_TIMEOUT,
            max_retries: Retries::DEFAULT,
            challenge: None,
            clock: Box::new(SystemClock),
        }
    }

    /// Asks this version: a number, an alias or `$LATEST`.
    pub fn with_qualifier(mut self, qualifier: impl Into<String>) -> Self {
        self.qualifier = Some(qualifier.into().into_boxed_str());
        self
    }

    /// Takes simple responses for events of format 2.0, and nothing else: the counterpart of
    /// [the layer's switch](crate::middleware::AuthorizerLayerBuilder::with_simple_responses).
    pub fn with_simple_responses(mut self) -> Self {
        self.has_simple_responses = true;
        self
    }

    /// Takes the context value called `key` for the moment at which an answer expires, in seconds since 1970, as the
    /// claim `exp` of a token has it. Handlers see it all the same.
    ///
    /// An answer without that value is used once and not kept. One that holds something else there is a failure.
    pub fn with_max_age_from(mut self, key: impl Into<String>) -> Self {
        self.max_age_from = Some(key.into().into_boxed_str());
        self
    }

    /// How long an answer may be, in bytes. [256 KiB](ResponseRules::DEFAULT_MAX_BYTES) if not said; no more than
    /// that is read.
    pub fn with_max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// How long the function has for its answer, with all retries and the pauses between them.
    /// [Nine seconds](Self::DEFAULT_TIMEOUT) if not said.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often the function is asked again, two times if not said, at most ten. That happens only if it certainly
    /// did not run: there was no connection, or it was throttled. Between attempts there is a pause of a twentieth of
    /// a second, then of a tenth, and so on, less up to a half of it by chance.
    pub fn with_max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Names the [challenge](crate::Authorizer::challenge), which a function has no means to name.
    pub fn with_challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Takes the time from `clock`, to tell how long an answer is good.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    pub(super) fn build_with(
        self,
        transport: impl FnOnce(T, &Function) -> Result<Transport, RemoteConfigError>,
    ) -> Result<RemoteAuthorizer, RemoteConfigError> {
        if self.timeout.is_zero() {
            return Err(RemoteConfigError::Timeout);
        }
        if self.max_retries > Retries::LIMIT {
            return Err(RemoteConfigError::Retries { limit: Retries::LIMIT });
        }
        if self.max_response_bytes == 0 {
            return Err(RemoteConfigError::MaxResponseBytes);
        }
        if self.max_age_from.as_deref() == Some("") {
            return Err(RemoteConfigError::MaxAgeKey);
        }
        let function = Function::new(self.function, self.qualifier)?;
        Ok(RemoteAuthorizer(std::sync::Arc::new(Remote {
            transport: transport(self.transport, &function)?,
            function,
            has_simple_responses: self.has_simple_responses,
            max_age_from: self.max_age_from,
            max_response_bytes: self.max_response_bytes,
            timeout: self.timeout,
            retries: Retries { max: self.max_retries },
            challenge: self.challenge,
            clock: self.clock,
        })))
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for RemoteAuthorizerBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteAuthorizerBuilder")
            .field("through", &self.transport)
            .field("function", &self.function)
            .field("qualifier", &self.qualifier)
            .finish_non_exhaustive()
    }
}
