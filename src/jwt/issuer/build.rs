//! What an issuer's configuration must be.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;

use super::{Audience, AudienceRule, Check, Expected, Issuer, Leeway, TokenUse};
use crate::jwt::algorithm::{Algorithm, Family};
use crate::jwt::config_error::JwtConfigError;
use crate::jwt::keys::Keys;

/// An issuer whose configuration was checked.
pub(in crate::jwt) struct CheckedIssuer {
    pub(in crate::jwt) name: Box<str>,
    other_name: Option<String>,
    pub(super) keys: Keys,
    pub(super) algorithms: Box<[Algorithm]>,
    pub(super) audience: Audience,
    pub(super) claims: Vec<Expected>,
    pub(super) scopes: Box<[Box<str>]>,
    pub(super) leeway: Leeway,
    pub(super) max_token_age: Option<Duration>,
    pub(super) token_use: Option<TokenUse>,
    pub(super) needs_kid: bool,
    pub(super) checks: Vec<Check>,
}

impl Issuer {
    /// An issuer as API Gateway's own authorizers know it: by the URL at which its keys are found.
    pub(in crate::jwt) fn published(self) -> Result<Self, JwtConfigError> {
        let wrong = |problem| JwtConfigError::Issuer { issuer: self.name.as_str().into(), problem };
        if !is_safe_address(&self.name) || self.name.contains(['?', '#']) {
            return Err(wrong("its name has to be an https URL without query and fragment"));
        }
        if self.algorithms.iter().flatten().any(|algorithm| algorithm.is_symmetric()) {
            return Err(wrong("what is published is no secret: HMAC is not for it"));
        }
        Ok(self)
    }

    pub(in crate::jwt) fn check(self) -> Result<CheckedIssuer, JwtConfigError> {
        let name: Box<str> = self.name.into();
        let wrong = |problem: &'static str| JwtConfigError::Issuer { issuer: name.clone(), problem };
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(wrong("its name is empty or holds a control character"));
        }
        if self.keys.fixed().is_none() && !is_safe_address(&name) {
            return Err(wrong(
                "its keys are fetched, so its name has to be an https URL (http on a loopback address)",
            ));
        }
        if self.keys.fixed().is_some_and(|keys| keys.is_empty()) {
            return Err(wrong("none of its keys can be used"));
        }
        let Audience { rule, audiences, client_ids } = &self.audience;
        let names_nobody = match rule {
            AudienceRule::All => audiences.is_empty() && client_ids.is_empty(),
            AudienceRule::Any => false,
            AudienceRule::AudienceElseClient => audiences.is_empty() || !client_ids.is_empty(),
            AudienceRule::PoolClient { takes_any } => !takes_any && client_ids.is_empty(),
        };
        if names_nobody {
            return Err(wrong(match rule {
                AudienceRule::AudienceElseClient => "it needs an audience, and client ids are audiences, too",
                AudienceRule::PoolClient { .. } => {
                    "it needs a client id: name the app clients, or `accept_any_client`"
                }
                _ => {
                    "it has neither audience nor client id: name whom its tokens are for, or `accept_any_audience`"
                }
            }));
        }
        let takes_any = match rule {
            AudienceRule::Any => !(audiences.is_empty() && client_ids.is_empty()),
            AudienceRule::PoolClient { takes_any } => *takes_any && !client_ids.is_empty(),
            AudienceRule::All | AudienceRule::AudienceElseClient => false,
        };
        if takes_any {
            return Err(wrong("it accepts any audience or client, and names some: say one of the two"));
        }
        let is_blank = |text: &String| text.is_empty();
        if audiences.iter().chain(client_ids).any(is_blank) {
            return Err(wrong("an audience or a client id is empty"));
        }
        if self.scopes.iter().any(|scope| !is_scope(scope)) {
            return Err(wrong("a scope is not one word of printable ASCII"));
        }
        let is_void = |values: &Vec<_>| values.is_empty();
        if self.claims.iter().any(|claim| claim.name.is_empty() || claim.values.as_ref().is_some_and(is_void))
        {
            return Err(wrong("a claim that is demanded has no name or no values"));
        }
        if self.leeway.expiry > Self::MAX_LEEWAY || self.leeway.start > Self::MAX_LEEWAY {
            return Err(wrong("its leeway is over 60 seconds"));
        }
        let algorithms = algorithms(self.algorithms, &self.keys).map_err(wrong)?;
        Ok(CheckedIssuer {
            algorithms,
            keys: self.keys,
            other_name: self.other_name,
            audience: self.audience,
            claims: self.claims,
            scopes: self.scopes.into_iter().map(String::into_boxed_str).collect(),
            leeway: self.leeway,
            max_token_age: self.max_token_age,
            token_use: self.token_use,
            needs_kid: self.needs_kid,
            checks: self.checks,
            name,
        })
    }
}

impl CheckedIssuer {
    /// Whether that is its name.
    pub(in crate::jwt) fn is_named(&self, name: &str) -> bool {
        *self.name == *name || self.other_name.as_deref() == Some(name)
    }

    /// Whether the two go by the same name.
    pub(in crate::jwt) fn is_confused_with(&self, other: &Self) -> bool {
        self.is_named(&other.name) || other.other_name.as_deref().is_some_and(|name| self.is_named(name))
    }
}

/// The algorithms that were named, or those that go without saying.
fn algorithms(named: Option<Vec<Algorithm>>, keys: &Keys) -> Result<Box<[Algorithm]>, &'static str> {
    let fixed = keys.fixed();
    let usual = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Hs256];
    let is_usable = |algorithm: Algorithm| {
        fixed.map_or(!algorithm.is_symmetric(), |keys| keys.algorithms().any(|known| known == algorithm))
    };
    let algorithms = match (named, fixed) {
        (Some(named), _) => named,
        (None, Some(_)) => usual.into_iter().filter(|algorithm| is_usable(*algorithm)).collect(),
        (None, None) => vec![Algorithm::Rs256],
    };
    if algorithms.is_empty() {
        return Err("it has no algorithms: name those it signs with");
    }
    let symmetric = algorithms.iter().filter(|algorithm| algorithm.family() == Family::Hmac).count();
    if symmetric != 0 && symmetric != algorithms.len() {
        return Err("HMAC and algorithms with public keys do not go together");
    }
    // Keys for the others may be on their way.
    if !algorithms.iter().any(|algorithm| is_usable(*algorithm)) {
        return Err("none of its keys is one for an algorithm that it signs with");
    }
    Ok(algorithms.into())
}

/// Whether keys may be believed that come from there: through TLS, or from this machine.
fn is_safe_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_loopback,
        _ => false,
    }
}

/// A word of `scope` (RFC 6749), which can be named in a challenge.
pub(in crate::jwt) fn is_scope(scope: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    !scope.is_empty() && scope.len() <= 256 && scope.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_through_tls_or_from_this_machine() {
        for good in
            ["https://id.example.com/", "http://localhost:8080", "http://127.0.0.1:1/x", "http://[::1]:1/"]
        {
            assert!(is_safe_address(good), "{good}");
        }
        for bad in [
            "id.example.com",
            "http://id.example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "https://",
            "",
            "/x",
        ] {
            assert!(!is_safe_address(bad), "{bad}");
        }
    }
}
