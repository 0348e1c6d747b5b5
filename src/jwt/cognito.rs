//! Cognito user pools.
//!
//! ```
//! use tower_lambda_authorizer::jwt::{JwtAuthorizer, KeySet, TokenUse};
//! use tower_lambda_authorizer::jwt::cognito::UserPool;
//!
//! # let jwks = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
//! #     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! # fn keys(jwks: &[u8]) -> Result<KeySet, tower_lambda_authorizer::jwt::KeySetError> { KeySet::from_jwks(jwks) }
//! # fn example(keys: KeySet) -> Result<(), Box<dyn std::error::Error>> {
//! let pool = UserPool::new("eu-central-1", "eu-central-1_AbCdEfGhI")?
//!     .with_client_id("7abcdefghijklmnopqrstuvwxy")
//!     .with_token_use(TokenUse::Access);
//! assert_eq!(
//!     pool.jwks_uri(),
//!     "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI/.well-known/jwks.json"
//! );
//! let authorizer = JwtAuthorizer::new(pool.issuer(keys))?;
//! # Ok(()) }
//! ```

use std::fmt;

use super::algorithm::Algorithm;
use super::config_error::JwtConfigError;
#[cfg(feature = "jwks-http")]
use super::http_jwks::{HttpJwks, HttpJwksBuilder};
use super::issuer::{Issuer, TokenUse};
use super::keys::Keys;

/// A Cognito user pool: what its tokens are signed with, called and meant for.
///
/// A pool goes by two names, `https://cognito-idp.{region}.amazonaws.com/{id}` and, where that was switched on,
/// `https://issuer-cognito-idp.{region}.amazonaws.com/{id}`. Both are accepted, unless the pool was made
/// [from one](Self::from_issuer) of them. Its tokens are signed with RS256.
///
/// Which app clients a pool's tokens may belong to has to be said: with `aud` an ID token names its client, an access
/// token with `client_id`.
#[derive(Clone)]
#[must_use]
pub struct UserPool {
    name: String,
    other_name: Option<String>,
    client_ids: Vec<String>,
    takes_any_client: bool,
    token_use: TokenUse,
}

impl UserPool {
    /// The pool of that id in that region.
    ///
    /// # Errors
    ///
    /// If the region is none, or the id does not begin with the region and `_`.
    pub fn new(region: &str, pool_id: &str) -> Result<Self, JwtConfigError> {
        let wrong = |problem| Err(JwtConfigError::Pool { problem });
        let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !region.contains('-') || region.len() > 32 || !region.bytes().all(is_region) {
            return wrong("its region is none");
        }
        let suffix = pool_id.strip_prefix(region).and_then(|rest| rest.strip_prefix('_'));
        let Some(suffix) = suffix else {
            return wrong("its id does not begin with its region and `_`");
        };
        if suffix.is_empty() || pool_id.len() > 55 || !suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return wrong("behind its region, its id has letters and digits, 55 in all");
        }
        let domain = domain(region);
        Ok(Self {
            name: format!("https://cognito-idp.{region}.{domain}/{pool_id}"),
            other_name: Some(format!("https://issuer-cognito-idp.{region}.{domain}/{pool_id}")),
            client_ids: Vec::new(),
            takes_any_client: false,
            token_use: TokenUse::Access,
        })
    }

    /// The pool whose tokens have exactly this `iss`, in one of its two spellings.
    ///
    /// # Errors
    ///
    /// If it is not the name of a pool.
    pub fn from_issuer(iss: &str) -> Result<Self, JwtConfigError> {
        let wrong = || JwtConfigError::Pool { problem: "its issuer is not the name of a user pool" };
        let rest = iss.strip_prefix("https://").ok_or_else(wrong)?;
        let rest = rest.strip_prefix("issuer-").unwrap_or(rest);
        let rest = rest.strip_prefix("cognito-idp.").ok_or_else(wrong)?;
        let (region, rest) = rest.split_once('.').ok_or_else(wrong)?;
        let (_, pool_id) = rest.split_once('/').ok_or_else(wrong)?;
        let pool = Self::new(region, pool_id)?;
        if pool.name != iss && pool.other_name.as_deref() != Some(iss) {
            return Err(wrong());
        }
        Ok(Self { name: iss.to_owned(), other_name: None, ..pool })
    }

    /// Adds an app client whose tokens are accepted.
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_ids.push(client_id.into());
        self
    }

    /// Takes tokens of every app client of the pool, those of other applications too.
    pub const fn accept_any_client(mut self) -> Self {
        self.takes_any_client = true;
        self
    }

    /// Which kind of token is accepted: access tokens if not said. ID tokens are for applications, and APIs are called
    /// with access tokens; both at once is for the time in which one is replaced by the other.
    pub const fn with_token_use(mut self, token_use: TokenUse) -> Self {
        self.token_use = token_use;
        self
    }

    /// `iss`, as the pool writes it if nothing else was switched on.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the pool publishes its keys.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        format!("{}/.well-known/jwks.json", self.name)
    }

    /// What fetches the pool's keys, to be built and given to [`issuer`](Self::issuer).
    ///
    /// ```
    /// # use tower_lambda_authorizer::jwt::JwtAuthorizer;
    /// # use tower_lambda_authorizer::jwt::cognito::UserPool;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = UserPool::new("eu-central-1", "eu-central-1_AbCdEfGhI")?.with_client_id("7abcdefghijkl");
    /// let keys = pool.http_jwks().build()?;
    /// let authorizer = JwtAuthorizer::new(pool.issuer(keys))?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "jwks-http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks-http")))]
    pub fn http_jwks(&self) -> HttpJwksBuilder {
        HttpJwks::new(self.jwks_uri())
    }

    /// The pool as an issuer, with its keys: a [`KeySet`](super::KeySet), or what fetches it from
    /// [`jwks_uri`](Self::jwks_uri).
    pub fn issuer(self, keys: impl Into<Keys>) -> Issuer {
        let issuer = Issuer::new(self.name, keys).with_algorithms([Algorithm::Rs256]);
        let issuer = issuer.of_pool(self.token_use, self.takes_any_client);
        let issuer = self.client_ids.into_iter().fold(issuer, Issuer::with_client_id);
        match self.other_name {
            Some(name) => issuer.also_named(name),
            None => issuer,
        }
    }
}

/// China has a domain of its own.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

impl fmt::Debug for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool")
            .field("name", &self.name)
            .field("client_ids", &self.client_ids)
            .field("token_use", &self.token_use)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_lives_in_its_region() {
        let name = |region: &str, id: &str| UserPool::new(region, id).map(|pool| pool.name);
        assert_eq!(
            name("us-east-1", "us-east-1_aB9").unwrap(),
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aB9"
        );
        assert_eq!(
            name("cn-north-1", "cn-north-1_a").unwrap(),
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a"
        );
        for (region, id) in [
            ("us-east-1", "us-west-2_a"),
            ("us-east-1", "us-east-1"),
            ("us-east-1", "us-east-1_"),
            ("us-east-1", "us-east-1_a/b"),
            ("us-east-1", "us-east-1_a#"),
            ("us-east-1", "us-east-12_a"),
            ("", "_a"),
            ("evil.example.com/us-east-1", "evil.example.com/us-east-1_a"),
            ("US-EAST-1", "US-EAST-1_a"),
        ] {
            assert!(name(region, id).is_err(), "{region} {id}");
        }
    }

    #[test]
    fn a_pool_made_from_a_name_goes_by_that_name_only() {
        for name in [
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
            "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a",
        ] {
            let pool = UserPool::from_issuer(name).unwrap();
            assert_eq!((pool.name(), pool.other_name.as_deref()), (name, None));
        }
        for name in [
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/",
            "http://cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
            "https://cognito-idp.us-east-1.amazonaws.com.evil.example/us-east-1_a",
            "https://cognito-idp.us-east-1.amazonaws.com.cn/us-east-1_a",
            "https://cognito-idp.us-west-2.amazonaws.com/us-east-1_a",
            "https://issuer-issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
        ] {
            assert!(UserPool::from_issuer(name).is_err(), "{name}");
        }
    }
}
