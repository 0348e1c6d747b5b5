//! What a token has to say.

use std::time::Duration;

use serde_json::Value;

use super::build::CheckedIssuer;
use super::{Audience, AudienceRule, Expected, TokenUse};
use crate::jwt::claims::Claims;
use crate::jwt::error::{JwtError, JwtReason};
use crate::jwt::keys::Found;
use crate::jwt::token::Token;

impl CheckedIssuer {
    /// Checks that this issuer signed the token. Nothing in it is believed before.
    pub(in crate::jwt) async fn check_signature(&self, token: &Token<'_>) -> Result<(), JwtReason> {
        if !self.algorithms.contains(&token.algorithm) {
            return Err(JwtReason::Algorithm);
        }
        if self.needs_kid && token.kid.is_none() {
            return Err(JwtReason::Key);
        }
        let key = match self.keys.find(token.kid.as_deref()).await {
            Found::Key(key) => key,
            Found::NoSuchKey => return Err(JwtReason::Key),
            Found::NoKeys => return Err(JwtReason::NoKeys),
        };
        let verifier = key.of(token.algorithm).ok_or(JwtReason::Algorithm)?;
        let is_right = verifier.verify(token.message.as_bytes(), &token.signature);
        if is_right { Ok(()) } else { Err(JwtReason::Signature) }
    }

    /// Checks what the issuer says.
    pub(in crate::jwt) fn check_claims(&self, claims: &Claims, now: Duration) -> Result<(), JwtError> {
        self.check_times(claims, now)?;
        let token_use = self.token_use.map(|wanted| used_as(claims, wanted)).transpose()?;
        self.audience.check(claims, token_use)?;
        for Expected { name, values, may_be_missing } in &self.claims {
            let is_right = match (claims.get(name), values) {
                (None, _) => *may_be_missing,
                (Some(_), Some(values)) => values.iter().any(|value| claims.has_value(name, value)),
                (Some(found), None) => !found.is_null(),
            };
            if !is_right {
                return Err(JwtError::of_claim(JwtReason::Claim, name));
            }
        }
        self.checks.iter().try_for_each(|check| check(claims)).map_err(JwtError::rejected)
    }

    /// The scopes that every token of this issuer needs.
    pub(in crate::jwt) fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }

    /// When a token is no good any more, without leeway.
    pub(in crate::jwt) fn end_of(&self, claims: &Claims) -> Duration {
        let expiry = claims.expires_at().unwrap_or_default();
        let too_old =
            self.max_token_age.map(|age| claims.issued_at().unwrap_or_default().saturating_add(age));
        too_old.map_or(expiry, |too_old| expiry.min(too_old))
    }

    fn check_times(&self, claims: &Claims, now: Duration) -> Result<(), JwtError> {
        let expiry = claims.time("exp")?.ok_or_else(|| JwtError::of_claim(JwtReason::Claim, "exp"))?;
        let (start, issued) = (claims.time("nbf")?, claims.time("iat")?);
        if now >= expiry.saturating_add(self.leeway.expiry) {
            return Err(JwtReason::Expired.into());
        }
        let latest = now.saturating_add(self.leeway.start);
        if start.is_some_and(|start| start > latest) {
            return Err(JwtReason::NotYetValid.into());
        }
        if issued.is_some_and(|issued| issued > latest) {
            return Err(JwtReason::IssuedInFuture.into());
        }
        if let Some(age) = self.max_token_age {
            let issued = issued.ok_or_else(|| JwtError::of_claim(JwtReason::Claim, "iat"))?;
            if now.saturating_sub(issued) > age.saturating_add(self.leeway.expiry) {
                return Err(JwtReason::TooOld.into());
            }
        }
        Ok(())
    }
}

impl Audience {
    /// `token_use` is what a token of a user pool says of itself.
    fn check(&self, claims: &Claims, token_use: Option<TokenUse>) -> Result<(), JwtError> {
        let named = claims.strict_audiences()?;
        let is_for_us =
            |wanted: &[String]| named.iter().flatten().any(|name| wanted.iter().any(|wanted| wanted == name));
        let is_client = || {
            let client = claims.get_str("client_id");
            client.is_some_and(|client| self.client_ids.iter().any(|known| known == client))
        };
        match self.rule {
            AudienceRule::Any => Ok(()),
            AudienceRule::All if !self.audiences.is_empty() && !is_for_us(&self.audiences) => {
                Err(JwtReason::Audience.into())
            }
            AudienceRule::All if !self.client_ids.is_empty() && !is_client() => Err(JwtReason::Client.into()),
            AudienceRule::All => Ok(()),
            AudienceRule::AudienceElseClient => {
                let client = claims.get_str("client_id");
                let is_right = match (&named, client) {
                    (Some(_), _) => is_for_us(&self.audiences),
                    (None, Some(client)) => self.audiences.iter().any(|known| known == client),
                    (None, None) => false,
                };
                if is_right { Ok(()) } else { Err(JwtReason::Audience.into()) }
            }
            AudienceRule::PoolClient { .. } if !self.audiences.is_empty() && !is_for_us(&self.audiences) => {
                Err(JwtReason::Audience.into())
            }
            AudienceRule::PoolClient { takes_any: true } => Ok(()),
            // An app client is the audience of an ID token.
            AudienceRule::PoolClient { .. } if token_use == Some(TokenUse::Id) => {
                if is_for_us(&self.client_ids) { Ok(()) } else { Err(JwtReason::Audience.into()) }
            }
            AudienceRule::PoolClient { .. } if is_client() => Ok(()),
            AudienceRule::PoolClient { .. } => Err(JwtReason::Client.into()),
        }
    }
}

/// What kind of token of a user pool it is, if that kind is accepted.
fn used_as(claims: &Claims, wanted: TokenUse) -> Result<TokenUse, JwtError> {
    let found = match claims.get("token_use") {
        Some(Value::String(found)) if found == "access" => TokenUse::Access,
        Some(Value::String(found)) if found == "id" => TokenUse::Id,
        _ => return Err(JwtReason::TokenUse.into()),
    };
    if wanted == found || wanted == TokenUse::Either { Ok(found) } else { Err(JwtReason::TokenUse.into()) }
}
