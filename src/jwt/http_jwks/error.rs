//! Why a key set cannot be fetched, now or ever.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::jwt::KeySetError;

/// Why a key set could not be fetched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JwksError {
    /// The fetch ended with the runtime it ran on, or it panicked.
    Abandoned,
    /// The answer broke off.
    Broken(Arc<dyn Error + Send + Sync>),
    /// The discovery document could not be fetched, or cannot be used.
    Discovery(Box<Self>),
    /// The discovery document says it is another issuer's.
    IssuerMismatch,
    /// The discovery document names no place of keys that may be asked: it is not `https`, for instance.
    JwksUri(JwksConfigError),
    /// What came is no key set.
    KeySet(KeySetError),
    /// The discovery document is no JSON object, or one with repeated members, or its `issuer` or `jwks_uri` is no
    /// string.
    MalformedDiscovery,
    /// There is no tokio runtime with a timer to fetch on.
    NoRuntime,
    /// The key set has no key that can be used, but so many that cannot.
    NoUsableKeys {
        /// How many keys were skipped.
        skipped: usize,
    },
    /// The answer had another status than 200. Redirects are not followed.
    Status(u16),
    /// The answer did not come in time, or not all of it.
    Timeout,
    /// The answer is too large.
    TooLarge,
    /// There is no connection to be had.
    Unreachable(Arc<dyn Error + Send + Sync>),
}

impl JwksError {
    /// `error` without the URL, whose query is nobody's business.
    pub(super) fn connection(error: reqwest::Error) -> Self {
        let is_connect = error.is_connect();
        let source = Arc::new(error.without_url());
        if is_connect { Self::Unreachable(source) } else { Self::Broken(source) }
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abandoned => f.write_str("the fetch was abandoned"),
            Self::Broken(_) => f.write_str("the answer broke off"),
            Self::Discovery(error) => write!(f, "discovery: {error}"),
            Self::IssuerMismatch => f.write_str("the document is another issuer's"),
            Self::JwksUri(error) => write!(f, "`jwks_uri`: {error}"),
            Self::KeySet(error) => write!(f, "not a key set: {error}"),
            Self::MalformedDiscovery => {
                f.write_str("the document is no JSON object with an issuer and its keys")
            }
            Self::NoRuntime => f.write_str("there is no tokio runtime with a timer"),
            Self::NoUsableKeys { skipped } => {
                write!(f, "the key set has no key that can be used ({skipped} cannot)")
            }
            Self::Status(status) => write!(f, "the answer was {status} rather than 200"),
            Self::Timeout => f.write_str("the answer did not come in time"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Unreachable(_) => f.write_str("the issuer cannot be reached"),
        }
    }
}

impl Error for JwksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(source) | Self::Unreachable(source) => Some(&**source),
            // These display what they hold, so what lies behind it comes next.
            Self::Discovery(error) => error.source(),
            Self::JwksUri(error) => error.source(),
            Self::KeySet(error) => error.source(),
            _ => None,
        }
    }
}

/// What is wrong with the configuration of an [`HttpJwks`](super::HttpJwks).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JwksConfigError {
    /// The certificates are no PEM file of certificates.
    Certificate,
    /// The HTTP client cannot be made: there are no root certificates, for instance.
    Client(Arc<dyn Error + Send + Sync>),
    /// The cool-down is shorter than a second or longer than the refresh interval.
    CoolDown,
    /// The initial set has no key that can be used.
    EmptyInitial,
    /// The URL has a fragment.
    Fragment,
    /// The URL is about this machine or an address of a private network, and stands in the document of an issuer
    /// elsewhere.
    Loopback,
    /// The maximum age is not longer than the refresh interval.
    MaxAge,
    /// The size limit is zero, or more than the largest key set.
    MaxBytes,
    /// The URL is not `https`, and its host is neither a loopback address nor `localhost`.
    NotHttps,
    /// Not an absolute `https` or `http` URL in its plain form.
    NotUrl,
    /// An issuer has no query.
    Query,
    /// The refresh interval is shorter than a minute.
    RefreshInterval,
    /// The time-out is zero or longer than 30 seconds.
    Timeout,
    /// The URL has a user name or a password.
    UserInfo,
}

impl fmt::Display for JwksConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "the root certificates are no PEM file of certificates",
            Self::Client(_) => "the HTTP client cannot be made",
            Self::CoolDown => {
                "the cool-down must be a second at least, and no longer than the refresh interval"
            }
            Self::EmptyInitial => "the initial key set has no key that can be used",
            Self::Fragment => "the URL must not have a fragment",
            Self::Loopback => {
                "the URL is about this machine or a private network, where an issuer elsewhere has no say"
            }
            Self::MaxAge => "the maximum age must be longer than the refresh interval",
            Self::MaxBytes => "the size limit must be from 1 byte to 512 KiB",
            Self::NotHttps => "the URL must be https, unless its host is a loopback address or localhost",
            Self::NotUrl => "not an absolute URL that begins with `https://`",
            Self::Query => "an issuer must not have a query",
            Self::RefreshInterval => "the refresh interval must be a minute at least",
            Self::Timeout => "the time-out must be longer than zero, and 30 seconds at most",
            Self::UserInfo => "the URL must not have a user name or a password",
        })
    }
}

impl Error for JwksConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Client(source) => Some(&**source),
            _ => None,
        }
    }
}
