//! Places that may be asked for keys. They come from the configuration, or from the document of an issuer that does.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::error::JwksConfigError;

/// Where keys are found.
#[derive(Clone)]
pub(super) enum Location {
    /// At this place.
    Keys(Url),
    /// At the place that a document says.
    Discovered {
        /// As it was configured, to the letter.
        issuer: String,
        document: Url,
    },
}

impl Location {
    pub(super) fn keys(url: &str) -> Result<Self, JwksConfigError> {
        checked(url).map(Self::Keys)
    }

    pub(super) fn discovered(issuer: String) -> Result<Self, JwksConfigError> {
        if checked(&issuer)?.query().is_some() {
            return Err(JwksConfigError::Query);
        }
        // A slash at the end belongs to the issuer's name, and not to the path of its document.
        let base = issuer.strip_suffix('/').unwrap_or(&issuer);
        let document = checked(&format!("{base}/.well-known/openid-configuration"))?;
        Ok(Self::Discovered { issuer, document })
    }

    pub(super) const fn first(&self) -> &Url {
        match self {
            Self::Keys(url) | Self::Discovered { document: url, .. } => url,
        }
    }
}

/// The place without its query, which may be meant for the server alone.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.first();
        write!(f, "{}{}", url.origin().ascii_serialization(), url.path())
    }
}

/// Reads a URL that may be asked. What a URL parser would repair, such as a backslash or a line break, is refused: what
/// is configured is what is asked.
pub(super) fn checked(text: &str) -> Result<Url, JwksConfigError> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or(JwksConfigError::NotUrl)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(JwksConfigError::UserInfo);
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if authority.is_empty() || !is_plain {
        return Err(JwksConfigError::NotUrl);
    }
    let url = Url::parse(text).map_err(|_| JwksConfigError::NotUrl)?;
    if url.fragment().is_some() {
        return Err(JwksConfigError::Fragment);
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err(JwksConfigError::NotHttps);
    }
    Ok(url)
}

/// Whether the host is this machine whatever a name server says. The client has `localhost` wired to it.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_asked() {
        for good in [
            "https://issuer.example/jwks.json",
            "https://issuer.example:8443/a?b=c",
            "http://127.0.0.1:8080/jwks.json",
            "http://127.9.9.9/",
            "http://[::1]:8080/",
            "http://localhost:8080/",
            "https://localhost/",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://issuer.example/jwks.json", "https, unless"),
            ("http://localhost.example/", "https, unless"),
            ("http://127.0.0.1.example/", "https, unless"),
            ("http://10.0.0.1/", "https, unless"),
            ("http://[::2]/", "https, unless"),
            ("http://0.0.0.0/", "https, unless"),
            ("https://user@issuer.example/", "user name"),
            ("https://user:word@issuer.example/", "user name"),
            ("https://@issuer.example/", "user name"),
            ("http://127.0.0.1@evil.example/", "user name"),
            ("https://issuer.example/#a", "fragment"),
            ("https://issuer.example/#", "fragment"),
            ("https:issuer.example", "absolute"),
            ("https:///issuer.example", "absolute"),
            ("https://", "absolute"),
            ("https://issuer.example\\a", "absolute"),
            ("https://issuer.exam\nple/", "absolute"),
            (" https://issuer.example/", "absolute"),
            ("https://issuer.example/ ", "absolute"),
            ("HTTPS://issuer.example/", "absolute"),
            ("file:///etc/passwd", "absolute"),
            ("ftp://127.0.0.1/", "absolute"),
            ("issuer.example", "absolute"),
            ("", "absolute"),
        ] {
            let error = checked(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn the_document_lies_below_the_issuer() {
        for (issuer, document) in [
            ("https://a.example", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/b", "https://a.example/b/.well-known/openid-configuration"),
            ("https://a.example/b/", "https://a.example/b/.well-known/openid-configuration"),
        ] {
            assert_eq!(Location::discovered(issuer.into()).unwrap().first().as_str(), document);
        }
        assert!(Location::discovered("https://a.example/?b".into()).is_err());
    }

    #[test]
    fn queries_are_not_printed() {
        let location = Location::keys("https://a.example/keys?code=secret").unwrap();
        assert_eq!(location.to_string(), "https://a.example/keys");
    }
}
