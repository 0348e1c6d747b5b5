//! Why a request was refused.

use std::error::Error;
use std::sync::Arc;

use http::StatusCode;

use super::advice;
use crate::authorizer::AuthorizerError;
use crate::contract::{ApiKind, Authorization, Challenge};
use crate::request::RequestId;

/// A refused request: what the client is told, and what it is not.
///
/// The client sees the [status](Self::status) and a fixed body. The rest is for the program: a `Rejection` is in
/// the extensions of every refusal, so that an outer layer can log or count it, and it is what a
/// [`ResponseForRejection`](super::ResponseForRejection) is given to shape the refusal by. It holds nothing of the caller's
/// credentials, and prints nothing of them; an authorizer's error may repeat what it was told, and is to be had by
/// [`source`](Error::source) alone.
#[derive(Clone)]
pub struct Rejection {
    cause: Arc<Cause>,
    request_id: RequestId,
    api: ApiKind,
    challenge: Option<Challenge>,
    /// What the client reads instead of the gateway's own words.
    message: Option<&'static str>,
    /// What the program should change, if the refusal looks like a mistake in its wiring.
    advice: Option<&'static str>,
    is_unshared: bool,
}

/// What several refusals may have in common.
struct Cause {
    kind: RejectionKind,
    detail: Option<Box<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    statement: Option<usize>,
    /// The answer that denies the request.
    authorization: Option<Arc<Authorization>>,
}

/// The kinds of refusal. Each has one place in the gateway's contract.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RejectionKind {
    /// An identity source is there more than once, or is not text, or is too long: 401.
    AmbiguousIdentity,
    /// The authorizer returned an error other than "unauthorized": 500.
    AuthorizerFailure,
    /// The authorizer panicked: 500.
    AuthorizerPanic,
    /// The authorizer did not answer in time: 500.
    AuthorizerTimeout,
    /// The gateway's authorizer answered for longer than its answer was good: 401. Only behind a real gateway.
    ExpiredAnswer,
    /// A statement of the policy denies the request: 403.
    ExplicitDeny,
    /// The request came through another API, another stage or no API at all: 403. Only behind a real gateway.
    ForeignEvent,
    /// No statement of the policy allows the request: 403.
    ImplicitDeny,
    /// The authorizer's answer is not one that a gateway accepts: 500.
    InvalidResponse,
    /// The request target is not canonical: 400.
    InvalidTarget,
    /// The gateway asked no authorizer about the request: 401. Only behind a real gateway.
    MissingAuthorizer,
    /// An identity source is missing or empty: 401.
    MissingIdentity,
    /// The path does not lie under the stage's base path: 404.
    OutsideBasePath,
    /// As many authorizers as may run at once are running: 500.
    Overloaded,
    /// The request was rewritten behind the back of the router that is to serve it: 500.
    TargetMoved,
    /// The request's ARN is over 1,600 bytes: 414.
    TargetTooLong,
    /// The authorizer says that the credentials are no good: 401.
    Unauthorized,
    /// A statement that may deny the request depends on something that cannot be known: 500.
    UnavailableKey,
}

impl RejectionKind {
    /// The gateway's status for it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidTarget => StatusCode::BAD_REQUEST,
            Self::AmbiguousIdentity
            | Self::ExpiredAnswer
            | Self::MissingAuthorizer
            | Self::MissingIdentity
            | Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ExplicitDeny | Self::ForeignEvent | Self::ImplicitDeny => StatusCode::FORBIDDEN,
            Self::OutsideBasePath => StatusCode::NOT_FOUND,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::AuthorizerFailure
            | Self::AuthorizerPanic
            | Self::AuthorizerTimeout
            | Self::InvalidResponse
            | Self::Overloaded
            | Self::TargetMoved
            | Self::UnavailableKey => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Every kind, in the order in which they are declared.
    #[cfg(feature = "metrics")]
    pub(super) const ALL: [Self; 18] = [
        Self::AmbiguousIdentity,
        Self::AuthorizerFailure,
        Self::AuthorizerPanic,
        Self::AuthorizerTimeout,
        Self::ExpiredAnswer,
        Self::ExplicitDeny,
        Self::ForeignEvent,
        Self::ImplicitDeny,
        Self::InvalidResponse,
        Self::InvalidTarget,
        Self::MissingAuthorizer,
        Self::MissingIdentity,
        Self::OutsideBasePath,
        Self::Overloaded,
        Self::TargetMoved,
        Self::TargetTooLong,
        Self::Unauthorized,
        Self::UnavailableKey,
    ];

    /// Its one word, for logs and as the label of a metric: `implicit_deny`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousIdentity => "ambiguous_identity",
            Self::AuthorizerFailure => "authorizer_failure",
            Self::AuthorizerPanic => "authorizer_panic",
            Self::AuthorizerTimeout => "authorizer_timeout",
            Self::ExpiredAnswer => "expired_answer",
            Self::ExplicitDeny => "explicit_deny",
            Self::ForeignEvent => "foreign_event",
            Self::ImplicitDeny => "implicit_deny",
            Self::InvalidResponse => "invalid_response",
            Self::InvalidTarget => "invalid_target",
            Self::MissingAuthorizer => "missing_authorizer",
            Self::MissingIdentity => "missing_identity",
            Self::OutsideBasePath => "outside_base_path",
            Self::Overloaded => "overloaded",
            Self::TargetMoved => "target_moved",
            Self::TargetTooLong => "target_too_long",
            Self::Unauthorized => "unauthorized",
            Self::UnavailableKey => "unavailable_key",
        }
    }

    const fn summary(self) -> &'static str {
        match self {
            Self::AmbiguousIdentity => "an identity source is ambiguous",
            Self::AuthorizerFailure => "the authorizer failed",
            Self::AuthorizerPanic => "the authorizer panicked",
            Self::AuthorizerTimeout => "the authorizer did not answer in time",
            Self::ExpiredAnswer => "the authorizer's answer has expired",
            Self::ExplicitDeny => "the policy denies the request",
            Self::ForeignEvent => "the request did not come through the API and stage it has to come through",
            Self::ImplicitDeny => "no statement of the policy allows the request",
            Self::InvalidResponse => "the authorizer's answer is not acceptable",
            Self::InvalidTarget => "the request target is not canonical",
            Self::MissingAuthorizer => "the gateway asked no authorizer about the request",
            Self::MissingIdentity => "an identity source is missing or empty",
            Self::OutsideBasePath => "the path does not lie under the base path of the stage",
            Self::Overloaded => "too many authorizers are running",
            Self::TargetMoved => {
                "the path was rewritten after an outer router had seen it: rewrite outside of all routers"
            }
            Self::TargetTooLong => "the ARN of the request is longer than 1,600 bytes",
            Self::Unauthorized => "the authorizer does not accept the credentials",
            Self::UnavailableKey => "a statement that may deny the request depends on an unavailable key",
        }
    }
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind) -> Self {
        Self::build(Cause { kind, detail: None, source: None, statement: None, authorization: None })
    }

    /// A target that was accepted and could not be written anew.
    #[cfg(feature = "axum")]
    pub(crate) fn invalid_target() -> Self {
        Self::new(RejectionKind::InvalidTarget)
    }

    #[cfg(feature = "axum")]
    pub(crate) fn routed_elsewhere() -> Self {
        let detail = "a router around the protected one has read an escaped letter, digit or other unreserved character in the path";
        Self::with_detail(RejectionKind::InvalidTarget, detail)
    }

    pub(crate) fn path_out_of_sight() -> Self {
        let detail = "the layer stands inside of a router of another axum, or the feature `axum` is off, so that it cannot see the \
                      prefixes that are cut off the path: put it around the router";
        Self::with_detail(RejectionKind::TargetMoved, detail)
    }

    /// With a word more than the kind says: text of ours, never of the request.
    pub(crate) fn with_detail(kind: RejectionKind, detail: impl Into<Box<str>>) -> Self {
        let detail = Some(detail.into());
        Self::build(Cause { kind, detail, source: None, statement: None, authorization: None })
    }

    pub(crate) fn with_source(kind: RejectionKind, source: impl Error + Send + Sync + 'static) -> Self {
        let source: Option<Arc<dyn Error + Send + Sync>> = Some(Arc::new(source));
        Self::build(Cause { kind, detail: None, source, statement: None, authorization: None })
    }

    /// The authorizer's own refusal.
    pub(crate) fn unauthorized(error: AuthorizerError) -> Self {
        let (challenge, message, is_unshared) =
            (error.challenge().cloned(), error.message(), error.is_unshared());
        let (kind, source) = (RejectionKind::Unauthorized, error.into_reason());
        let cause = Cause { kind, detail: None, source, statement: None, authorization: None };
        Self { message, is_unshared, ..Self::build(cause).with_challenge(challenge) }
    }

    /// What an answer denies, by that statement or by none.
    pub(crate) fn denied(
        kind: RejectionKind,
        authorization: Arc<Authorization>,
        statement: Option<usize>,
        detail: Option<String>,
    ) -> Self {
        let challenge = authorization.denial_challenge().cloned();
        let (detail, authorization) = (detail.map(Box::from), Some(authorization));
        Self::build(Cause { kind, detail, source: None, statement, authorization }).with_challenge(challenge)
    }

    fn build(cause: Cause) -> Self {
        // The kind of API is filled in by whoever knows it: every refusal passes through one place on its way out.
        let (request_id, api) = (RequestId::random(), ApiKind::Rest);
        Self {
            cause: Arc::new(cause),
            request_id,
            api,
            challenge: None,
            message: None,
            advice: None,
            is_unshared: false,
        }
    }

    /// The same refusal, of the request with that id. A refusal that several requests share keeps an id for each.
    pub(crate) fn of_request(&self, request_id: RequestId) -> Self {
        Self { request_id, ..self.clone() }
    }

    /// The same refusal, by an API of that kind.
    pub(crate) fn of_api(self, api: ApiKind) -> Self {
        Self { api, ..self }
    }

    /// With that challenge, if it is one.
    pub(crate) fn with_challenge(mut self, challenge: Option<Challenge>) -> Self {
        self.challenge = challenge.or(self.challenge);
        self
    }

    /// The same refusal, of a browser's question whether it may send a request at all.
    pub(super) fn of_preflight(self) -> Self {
        Self { advice: Some(advice::PREFLIGHT), ..self }
    }

    /// What the client reads instead of the gateway's own words, if anything.
    pub(super) const fn message(&self) -> Option<&'static str> {
        self.message
    }

    /// Whether it is about the request that was asked about, and says nothing of others with the same identity.
    pub(super) const fn is_unshared(&self) -> bool {
        self.is_unshared
    }

    /// The answer that denies the request, if it is an answer that does.
    pub(crate) fn authorization(&self) -> Option<&Authorization> {
        self.cause.authorization.as_deref()
    }

    /// What kind of refusal this is.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.cause.kind
    }

    /// The gateway's status for it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().status()
    }

    /// Which kind of API refuses.
    #[must_use]
    pub fn api_kind(&self) -> ApiKind {
        self.api
    }

    /// What the client should be told about how to be let in, if anybody named a challenge.
    #[must_use]
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// Which statement of the policy denies the request, counted from zero.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        self.cause.statement
    }

    /// The `Sid` of that statement.
    #[cfg(any(feature = "debug-header", feature = "tracing"))]
    pub(super) fn sid(&self) -> Option<&str> {
        self.authorization()?.sid(self.statement()?)
    }

    /// The id of the refused request, as the client is told it and as the authorizer was.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.request_id.to_string()
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.cause.kind.summary())?;
        if let Some(detail) = &self.cause.detail {
            write!(f, ": {detail}")?;
        } else if self.kind() == RejectionKind::ImplicitDeny
            && self.authorization().is_some_and(Authorization::is_kept_for_one_arn)
        {
            write!(f, ": {}", advice::ECHO)?;
        }
        self.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl std::fmt::Debug for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.cause.kind)
            .field("detail", &self.cause.detail)
            .field("has_source", &self.cause.source.is_some())
            .field("statement", &self.cause.statement)
            .field("request_id", &self.request_id())
            .finish()
    }
}
