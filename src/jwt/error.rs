//! Why a token was refused.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A token that was not accepted, or could not be judged. It says why in fixed words, and nothing of the token.
///
/// It is the [source](Error::source) of the [`AuthorizerError`](crate::AuthorizerError) that the authorizer answers
/// with. Clients are told less: that a token has expired, or that it is not valid.
#[derive(Clone, Debug)]
pub struct JwtError {
    reason: JwtReason,
    claim: Option<Arc<str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl JwtError {
    pub(super) const fn new(reason: JwtReason) -> Self {
        Self { reason, claim: None, source: None }
    }

    pub(super) fn of_claim(reason: JwtReason, name: &str) -> Self {
        Self { reason, claim: Some(name.into()), source: None }
    }

    pub(super) fn rejected(source: Box<dyn Error + Send + Sync>) -> Self {
        Self { reason: JwtReason::Rejected, claim: None, source: Some(source.into()) }
    }

    /// What was wrong.
    #[must_use]
    pub const fn reason(&self) -> JwtReason {
        self.reason
    }

    /// The claim that was wrong, by its name.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.claim.as_deref()
    }

    /// Whether nothing is known of the token, because there are no keys to check it with.
    pub(super) const fn is_failure(&self) -> bool {
        matches!(self.reason, JwtReason::NoKeys)
    }
}

impl From<JwtReason> for JwtError {
    fn from(reason: JwtReason) -> Self {
        Self::new(reason)
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.claim {
            Some(claim) => write!(f, "{} (`{claim}`)", self.reason),
            None => self.reason.fmt(f),
        }
    }
}

impl Error for JwtError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum JwtReason {
    /// It is signed with an algorithm that its issuer does not use, or with none.
    Algorithm,
    /// It is meant for somebody else.
    Audience,
    /// A claim is missing or is not what it has to be.
    Claim,
    /// It was issued to another client.
    Client,
    /// It has expired.
    Expired,
    /// Its header asks for what is not supported: `crit`, `b64` or `zip`.
    Extension,
    /// It was issued in the future.
    IssuedInFuture,
    /// Its issuer is none of those that are trusted, or is not said.
    Issuer,
    /// None of the issuer's keys has its `kid`, or it has none and there are several keys.
    Key,
    /// It is not three parts in base64url with a JSON object in each of the first two, in which no member is there
    /// twice.
    Malformed,
    /// There is none.
    Missing,
    /// There are no keys to check it with. That is no fault of the token's: clients see 500.
    NoKeys,
    /// It is not valid yet.
    NotYetValid,
    /// No principal can be named after it.
    Principal,
    /// A check of the program's own refused it.
    Rejected,
    /// It has none of the scopes that are needed.
    Scope,
    /// There is more than one.
    Several,
    /// The signature is not one of the issuer's.
    Signature,
    /// It was issued too long ago.
    TooOld,
    /// It is over the limit.
    TooLong,
    /// It is an ID token where an access token belongs, or the other way round.
    TokenUse,
    /// It is some other kind of token: its `typ` is neither `JWT` nor `at+jwt`.
    Type,
}

impl fmt::Display for JwtReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => {
                "the token is not signed with an algorithm of its issuer: that is RS256 where keys are fetched, \
                 unless `Issuer::with_algorithms` names others"
            },
            Self::Audience => "the token is meant for another audience",
            Self::Claim => "a claim of the token is missing or is not what it has to be",
            Self::Client => "the token was issued to another client",
            Self::Expired => "the token has expired",
            Self::Extension => "the header of the token asks for an extension",
            Self::IssuedInFuture => "the token was issued in the future",
            Self::Issuer => "the issuer of the token is not trusted",
            Self::Key => {
                "the key of the token is not known; keys that are fetched are not asked for again within their cool-down"
            },
            Self::Malformed => "the token is malformed",
            Self::Missing => "there is no token",
            Self::NoKeys => "there are no keys to check the token with",
            Self::NotYetValid => "the token is not valid yet",
            Self::Principal => "no principal can be named after the token",
            Self::Rejected => "the token was rejected by a check",
            Self::Scope => "the token has none of the scopes that are needed",
            Self::Several => "there is more than one token",
            Self::Signature => "the signature of the token is wrong",
            Self::TooOld => "the token was issued too long ago",
            Self::TooLong => "the token is too long",
            Self::TokenUse => "the token is for another use",
            Self::Type => "the type of the token is not that of a JWT",
        })
    }
}
