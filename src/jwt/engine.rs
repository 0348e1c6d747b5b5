//! A token's way from text to claims.

use std::time::Duration;

use serde_json::Value;

use super::claims::Claims;
use super::config_error::JwtConfigError;
use super::crypto;
use super::error::{JwtError, JwtReason};
use super::issuer::{CheckedIssuer, Issuer};
use super::token::Token;
use crate::clock::Clock;

/// The issuers that are trusted, and what the time is.
pub(super) struct Engine {
    issuers: Box<[CheckedIssuer]>,
    clock: Box<dyn Clock>,
    max_bytes: usize,
}

/// A token that is what it says.
pub(super) struct Verified<'a> {
    pub(super) claims: Claims,
    pub(super) issuer: &'a CheckedIssuer,
    /// How long it is good for still, without leeway.
    pub(super) remaining: Duration,
}

impl Engine {
    pub(super) const DEFAULT_MAX_BYTES: usize = 8 * 1024;
    pub(super) const MAX_BYTES: usize = 64 * 1024;

    pub(super) fn new(
        issuers: Vec<Issuer>,
        clock: Box<dyn Clock>,
        max_bytes: usize,
    ) -> Result<Self, JwtConfigError> {
        if !crypto::self_test_passed() {
            return Err(JwtConfigError::Crypto);
        }
        if issuers.is_empty() {
            return Err(JwtConfigError::NoIssuer);
        }
        if !(1..=Self::MAX_BYTES).contains(&max_bytes) {
            return Err(JwtConfigError::TokenLimit);
        }
        let mut checked: Vec<CheckedIssuer> = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            let issuer = issuer.check()?;
            if checked.iter().any(|known| known.is_confused_with(&issuer)) {
                return Err(JwtConfigError::DuplicateIssuer { issuer: issuer.name });
            }
            checked.push(issuer);
        }
        Ok(Self { issuers: checked.into(), clock, max_bytes })
    }

    /// From the cheap to the dear: form and header, the issuer, the key, the signature, and then what it says.
    pub(super) async fn verify(&self, text: &str) -> Result<Verified<'_>, JwtError> {
        let token = Token::parse(text, self.max_bytes)?;
        // Not believed yet: it only says which of the known issuers is to be held against it.
        let name = token.payload.get("iss").and_then(Value::as_str).ok_or(JwtReason::Issuer)?;
        let issuer = self.issuers.iter().find(|issuer| issuer.is_named(name)).ok_or(JwtReason::Issuer)?;
        issuer.check_signature(&token).await?;
        let claims = Claims::new(token.payload);
        // Read after a fetch that may have taken its time.
        let now = self.clock.wall();
        issuer.check_claims(&claims, now)?;
        let remaining = issuer.end_of(&claims).saturating_sub(now);
        Ok(Verified { claims, issuer, remaining })
    }

    pub(super) fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(|issuer| &*issuer.name)
    }
}
