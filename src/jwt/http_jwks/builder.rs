//! What a fetched key set may be told.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, redirect};

use super::HttpJwks;
use super::error::JwksConfigError;
use super::fetch::Fetcher;
use super::location::{Location, is_loopback};
use super::state::{Cadence, Shared};
use crate::clock::{Clock, SystemClock, Watch};
use crate::jwt::KeySet;

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(60);
const MIN_COOL_DOWN: Duration = Duration::from_secs(1);

/// An [`HttpJwks`] in the making.
#[must_use]
pub struct HttpJwksBuilder {
    origin: Origin,
    timeout: Duration,
    max_bytes: usize,
    cadence: Cadence,
    initial: Option<KeySet>,
    certificates: Vec<Vec<u8>>,
    system_proxy: bool,
    watch: Box<dyn FnOnce() -> Watch + Send>,
}

enum Origin {
    Keys(String),
    Issuer(String),
}

impl HttpJwksBuilder {
    pub(super) fn keys_at(url: String) -> Self {
        Self::new(Origin::Keys(url))
    }

    pub(super) fn discovered_from(issuer: String) -> Self {
        Self::new(Origin::Issuer(issuer))
    }

    fn new(origin: Origin) -> Self {
        Self {
            origin,
            timeout: Duration::from_millis(1500),
            max_bytes: 150_000,
            cadence: Cadence {
                refresh_interval: Duration::from_secs(3600),
                cool_down: Duration::from_secs(30),
                max_age: Duration::from_secs(24 * 3600),
            },
            initial: None,
            certificates: Vec::new(),
            system_proxy: false,
            watch: Box::new(|| Watch::new(SystemClock)),
        }
    }

    /// How long an answer may take, from the look-up of the name to the last byte; a second and a half if not said, as
    /// API Gateway gives it. At most 30 seconds.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest answer, in bytes; 150,000 if not said, as for API Gateway. At most [`KeySet::MAX_BYTES`].
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How old the set becomes before it is fetched again; an hour if not said, up to a tenth of it less by chance. A
    /// minute at least.
    pub const fn with_refresh_interval(mut self, interval: Duration) -> Self {
        self.cadence.refresh_interval = interval;
        self
    }

    /// How long after the beginning of a fetch unknown keys cause no other; 30 seconds if not said. A second at
    /// least, and no longer than the refresh interval.
    ///
    /// It is also how long a key that an issuer uses before it publishes it may be refused.
    pub const fn with_cool_down(mut self, cool_down: Duration) -> Self {
        self.cadence.cool_down = cool_down;
        self
    }

    /// How old the set may become while it cannot be fetched; 24 hours if not said. Longer than the refresh interval.
    pub const fn with_max_age(mut self, age: Duration) -> Self {
        self.cadence.max_age = age;
        self
    }

    /// The keys until the first fetch: from a file that is shipped with the service, for instance. They count as new
    /// when the builder is built, and the first request has them fetched without waiting for it.
    ///
    /// ```
    /// use tower_lambda_authorizer::jwt::{HttpJwks, KeySet};
    ///
    /// # let bytes = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    /// let keys = KeySet::from_jwks(bytes)?;
    /// let jwks = HttpJwks::new("https://issuer.example/jwks.json").with_initial(keys).build()?;
    /// assert!(jwks.status().is_usable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_initial(mut self, keys: KeySet) -> Self {
        self.initial = Some(keys);
        self
    }

    /// Trusts the certificate authorities of a PEM file besides those of the system.
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Goes through the proxy that `HTTPS_PROXY` and the like name. Not said, these are not read: whoever can set a
    /// variable should not choose who hands out keys. Loopback addresses are always asked directly.
    pub const fn with_system_proxy(mut self) -> Self {
        self.system_proxy = true;
        self
    }

    /// Takes the time from `clock`: it decides when a fetch may begin and how old a set is. The time-out is real time.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.watch = Box::new(move || Watch::new(clock));
        self
    }

    /// Checks everything. Nothing is fetched yet; no runtime is needed.
    ///
    /// # Errors
    ///
    /// If the place may not be asked, or a setting makes no sense.
    pub fn build(self) -> Result<HttpJwks, JwksConfigError> {
        let location = match self.origin {
            Origin::Keys(url) => Location::keys(&url)?,
            Origin::Issuer(issuer) => Location::discovered(issuer)?,
        };
        let Cadence { refresh_interval, cool_down, max_age } = self.cadence;
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(JwksConfigError::Timeout);
        }
        if self.max_bytes == 0 || self.max_bytes > KeySet::MAX_BYTES {
            return Err(JwksConfigError::MaxBytes);
        }
        if refresh_interval < MIN_REFRESH_INTERVAL {
            return Err(JwksConfigError::RefreshInterval);
        }
        if cool_down < MIN_COOL_DOWN || cool_down > refresh_interval {
            return Err(JwksConfigError::CoolDown);
        }
        if max_age <= refresh_interval {
            return Err(JwksConfigError::MaxAge);
        }
        if self.initial.as_ref().is_some_and(KeySet::is_empty) {
            return Err(JwksConfigError::EmptyInitial);
        }
        let is_direct = !self.system_proxy || is_loopback(location.first());
        let client = client(&self.certificates, is_direct)?;
        crate::telemetry::describe();
        let fetcher = Fetcher { client, location, timeout: self.timeout, max_bytes: self.max_bytes };
        Ok(HttpJwks(Arc::new(Shared::new((self.watch)(), fetcher, self.cadence, self.initial))))
    }
}

fn client(certificates: &[Vec<u8>], is_direct: bool) -> Result<Client, JwksConfigError> {
    let mut roots = Vec::new();
    for pem in certificates {
        let bundle = Certificate::from_pem_bundle(pem).map_err(|_| JwksConfigError::Certificate)?;
        if bundle.is_empty() {
            return Err(JwksConfigError::Certificate);
        }
        roots.extend(bundle);
    }
    // Port zero stands for the port of the URL.
    let localhost = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(USER_AGENT)
        // Fetches are far apart, and a connection would belong to a runtime that may be gone by the next.
        .pool_max_idle_per_host(0)
        .resolve_to_addrs("localhost", &localhost)
        // Another crate may have switched these on for everybody; sizes are then not what they seem.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    if !roots.is_empty() {
        builder = builder.tls_certs_merge(roots);
    }
    if is_direct {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| JwksConfigError::Client(Arc::new(error.without_url())))
}

impl fmt::Debug for HttpJwksBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpJwksBuilder")
            .field("timeout", &self.timeout)
            .field("max_bytes", &self.max_bytes)
            .field("cadence", &self.cadence)
            .field("initial", &self.initial)
            .field("system_proxy", &self.system_proxy)
            .finish_non_exhaustive()
    }
}
