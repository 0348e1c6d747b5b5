//! Key sets that are fetched from an issuer.

mod builder;
mod error;
mod fetch;
mod flight;
mod location;
mod state;
mod status;

use std::fmt;
use std::sync::Arc;

pub use builder::HttpJwksBuilder;
pub use error::{JwksConfigError, JwksError};
pub use status::JwksStatus;

use crate::jwt::KeySet;
use crate::jwt::keys::{KeySource, Keys, Refresh};
use flight::Reason;
use state::Shared;

/// A key set that is fetched over HTTP and kept fresh. Clones share it.
///
/// It is given the place of a key set, or the issuer whose [discovery document](Self::discover) names the place. What
/// a token says (`kid`, `jku`, `iss`) is never a place.
///
/// ```
/// use tower_lambda_authorizer::clock::ManualClock;
/// use tower_lambda_authorizer::jwt::HttpJwks;
/// # use tower_lambda_authorizer::jwt::KeySet;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let jwks = HttpJwks::new("https://issuer.example/jwks.json").build()?;
/// assert_eq!(jwks.status().keys().map_or(0, KeySet::len), 0); // nothing was fetched yet
/// # Ok(()) }
/// ```
///
/// # When it fetches
///
/// The first request that needs a key has the set fetched; call [`ready`](Self::ready) at start-up to have it before.
/// From then on a fetch begins
///
/// - when the set is about an [hour](HttpJwksBuilder::with_refresh_interval) old. Nobody waits for this one. What the
///   server says about caching is not asked: a key that the issuer takes back is refused after that hour.
/// - when a token names a key that is not in the set. Its request waits for the fetch, and so do others like it; those
///   whose keys are known do not. At most one such fetch begins in each
///   [cool-down](HttpJwksBuilder::with_cool_down), 30 seconds, which is counted from the last attempt, whoever caused
///   it and however it ended. So a flood of made-up names causes no flood of fetches. At most 256 such requests wait
///   at a time; more are a failure (500).
/// - when there are no keys that may be used. Requests wait for it. If it fails, the next may begin a second later, then
///   two, four, and so on up to the cool-down.
///
/// There is never more than one fetch under way. It runs in a task of the runtime that first needed it, and if that
/// runtime ends, the next one that needs it begins anew. Dropping the last clone ends everything.
///
/// # What it accepts
///
/// Only `https`, unless the host is a loopback address or `localhost`; only status 200, after no redirect; 150,000 bytes
/// in a second and a half at most; no proxy unless [asked for](HttpJwksBuilder::with_system_proxy). Of the document it
/// takes what [`KeySet::from_jwks`] takes. A document that is no key set, or has no key that can be used, does not replace
/// one that has: the last good set is kept, for [24 hours](HttpJwksBuilder::with_max_age). After that there are no keys,
/// and requests fail with 500.
#[derive(Clone)]
pub struct HttpJwks(Arc<Shared>);

impl HttpJwks {
    /// The key set at `url`.
    #[expect(clippy::new_ret_no_self, reason = "what is made of a URL has to be checked first")]
    pub fn new(url: impl Into<String>) -> HttpJwksBuilder {
        HttpJwksBuilder::keys_at(url.into())
    }

    /// The key set that an issuer's discovery document names: `/.well-known/openid-configuration` below `issuer`.
    ///
    /// The document must say that it is the one of exactly this issuer, letter for letter, and the place it names must
    /// be `https`; or on a loopback address, if the issuer is on one. It may be on another host, as the keys of many
    /// issuers are. The document is fetched anew with each set, and each of the two has the
    /// [whole time-out](HttpJwksBuilder::with_timeout) for itself.
    ///
    /// ```
    /// use tower_lambda_authorizer::jwt::HttpJwks;
    ///
    /// let jwks = HttpJwks::discover("https://accounts.google.com").build()?;
    /// # Ok::<(), tower_lambda_authorizer::jwt::JwksConfigError>(())
    /// ```
    pub fn discover(issuer: impl Into<String>) -> HttpJwksBuilder {
        HttpJwksBuilder::discovered_from(issuer.into())
    }

    /// Waits until there are keys, for one fetch at most: none if there are some already. Call it at start-up, and
    /// decide whether to go on without keys.
    ///
    /// # Errors
    ///
    /// Why there are none. Right after a failure, that is the same failure again: see [`HttpJwks`] for when the next
    /// fetch may begin.
    pub async fn ready(&self) -> Result<(), JwksError> {
        match self.0.current() {
            Some(_) => Ok(()),
            None => self.0.refresh(Reason::NoKeys).await,
        }
    }

    /// Fetches the set now, whatever the cool-down says, or waits for the fetch that is under way. For operators who
    /// know that the keys have changed.
    ///
    /// # Errors
    ///
    /// Why it could not be fetched. The last good set is then still in use.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        self.0.refresh(Reason::Asked).await
    }

    /// How it is doing: for health checks. Asking causes no fetch.
    #[must_use]
    pub fn status(&self) -> JwksStatus {
        self.0.status()
    }
}

impl fmt::Debug for HttpJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpJwks")
            .field("location", &format_args!("{}", self.0.location()))
            .field("status", &self.status())
            .finish()
    }
}

impl KeySource for HttpJwks {
    fn current(&self) -> Option<Arc<KeySet>> {
        self.0.current()
    }

    fn refreshed<'a>(&'a self, _: Option<&'a str>) -> Refresh<'a> {
        Box::pin(self.0.refreshed())
    }
}

impl From<HttpJwks> for Keys {
    fn from(jwks: HttpJwks) -> Self {
        Self::fetched(Arc::new(jwks))
    }
}
