//! What clients are told about a token that was not accepted.

use super::config_error::JwtConfigError;
use super::error::{JwtError, JwtReason};
use crate::authorizer::AuthorizerError;
use crate::contract::Challenge;

/// The challenges of RFC 6750. There are few, with fixed texts: a client learns that a token has expired, since it can
/// do something about that, and of everything else only that the token is not valid.
#[derive(Clone, Debug)]
pub(super) struct Challenges {
    realm: Option<String>,
    bare: Challenge,
    expired: Challenge,
    invalid: Challenge,
}

impl Challenges {
    pub(super) fn new(realm: Option<&str>) -> Result<Self, JwtConfigError> {
        let realm = realm.map(|realm| {
            let escaped: String = realm
                .chars()
                .flat_map(|letter| matches!(letter, '"' | '\\').then_some('\\').into_iter().chain([letter]))
                .collect();
            format!("realm=\"{escaped}\"")
        });
        let make =
            |attributes: &[&str]| challenge(realm.as_deref(), attributes).map_err(JwtConfigError::Challenge);
        let invalid = "error=\"invalid_token\"";
        Ok(Self {
            bare: make(&[])?,
            expired: make(&[invalid, "error_description=\"the token has expired\""])?,
            invalid: make(&[invalid, "error_description=\"the token is not valid\""])?,
            realm,
        })
    }

    /// For whoever shows nothing.
    pub(super) const fn bare(&self) -> &Challenge {
        &self.bare
    }

    /// For whoever lacks a scope.
    pub(super) fn insufficient(&self, scopes: &[Box<str>]) -> Option<Challenge> {
        let (error, scope) = ("error=\"insufficient_scope\"", format!("scope=\"{}\"", scopes.join(" ")));
        let with_scopes = challenge(self.realm.as_deref(), &[error, &scope]).ok();
        match with_scopes {
            Some(challenge) if !scopes.is_empty() => Some(challenge),
            // Too many to be named, or none in particular.
            _ => challenge(self.realm.as_deref(), &[error]).ok(),
        }
    }

    /// The answer to a token that was not accepted.
    pub(super) fn refuse(&self, error: JwtError) -> AuthorizerError {
        note(&error);
        if error.is_failure() {
            return AuthorizerError::failure(error);
        }
        let challenge = match error.reason() {
            JwtReason::Missing => &self.bare,
            JwtReason::Expired => &self.expired,
            _ => &self.invalid,
        };
        AuthorizerError::unauthorized().with_challenge(challenge.clone()).with_reason(error)
    }
}

fn challenge(realm: Option<&str>, attributes: &[&str]) -> Result<Challenge, crate::contract::ChallengeError> {
    let attributes: Vec<&str> = realm.into_iter().chain(attributes.iter().copied()).collect();
    match &*attributes {
        [] => Ok(Challenge::bearer()),
        attributes => Challenge::new(&format!("Bearer {}", attributes.join(", "))),
    }
}

/// Tells whoever listens why a token was refused, and nothing of the token.
#[cfg_attr(
    not(feature = "tracing"),
    expect(clippy::missing_const_for_fn, reason = "there is something to do with `tracing`")
)]
pub(super) fn note(error: &JwtError) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: crate::telemetry::target::JWT, reason = %error, "a token was refused");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
