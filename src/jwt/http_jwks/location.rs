//! Places that may be asked for keys. They come from the configuration, or from the document of an issuer that does.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Reads the place of the keys in a document. An issuer elsewhere has no say about what listens on this machine, or beside it.
pub(super) fn named_by(document: &Url, place: &str) -> Result<Url, JwksConfigError> {
    let url = checked(place)?;
    let is_trusted = is_loopback(document) || (is_nearby(document) && !is_here(&url));
    if (is_here(&url) || is_nearby(&url)) && !is_trusted {
        return Err(JwksConfigError::Loopback);
    }
    Ok(url)
}

/// Whether a URL says that it is about this machine, in one way or another.
fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let is_any = matches!(host, "0.0.0.0" | "[::]" | "[::ffff:0:0]" | "ip6-localhost" | "ip6-loopback");
    is_any || host == "localhost" || host.ends_with(".localhost") || is_loopback(url)
}

/// Ends of names that are never or hardly ever registered and that networks give to their own, and of some that are and mean
/// whatever address is written in them.
const NEARBY: [&str; 23] = [
    ".cluster",
    ".consul",
    ".corp",
    ".default",
    ".home",
    ".home.arpa",
    ".internal",
    ".intra",
    ".intranet",
    ".kube-system",
    ".lan",
    ".local",
    ".localdomain",
    ".localdomain4",
    ".localdomain6",
    ".localtest.me",
    ".metadata.goog",
    ".nip.io",
    ".private",
    ".sslip.io",
    ".svc",
    ".test",
    ".ts.net",
];

/// Whether the host means something in one network only, such as the address of a cloud's metadata.
fn is_nearby(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => !is_global(address),
        Ok(IpAddr::V6(address)) => is_nearby_v6(address),
        // A name without a dot is completed by whoever asks.
        Err(_) => {
            let is = |end: &str| host.ends_with(end) || end.strip_prefix('.') == Some(host);
            !host.contains('.') || NEARBY.iter().any(|end| is(end))
        }
    }
}

/// Whether an address is the same for everybody.
fn is_global(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_of_protocols = (a, b, c) == (192, 0, 0);
    let is_of_benchmarks = a == 198 && (b == 18 || b == 19);
    let is_of_relays = (a, b, c) == (192, 88, 99);
    // Azure's: to each machine, the one that it runs on.
    let is_of_host = address.octets() == [168, 63, 129, 16];
    !(a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || is_shared
        || is_of_protocols
        || is_of_benchmarks
        || is_of_relays
        || is_of_host)
}

/// The same for IPv6, with the IPv4 addresses that some hold.
fn is_nearby_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let held = match (a, b) {
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => Some(v4(g, h)),
        // The same for a translator of one network.
        (0x64, 0xff9b) => return true,
        (0x2002, high) => Some(v4(high, c)),
        // Addresses within tunnels and of protocols, those that go nowhere, and those of routers.
        (0x2001, 0..0x200) | (0x100, 0) | (0x5f00, _) => return true,
        _ if e & 0xfdff == 0 && f == 0x5efe => return true,
        // Compatible, mapped or translated; these are also `::` and `::1`.
        (0, 0) if (c, d) == (0, 0) && ((e, f) == (0, 0) || f == 0xffff || e == 0xffff) => Some(v4(g, h)),
        _ => None,
    };
    let is_site_local = a & 0xffc0 == 0xfec0;
    held.is_some_and(|held| !is_global(held))
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
        || is_site_local
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
    fn a_document_from_elsewhere_names_no_place_on_this_machine() {
        let elsewhere = Url::parse("https://issuer.example/.well-known/openid-configuration").unwrap();
        let here = Url::parse("http://127.0.0.1:8080/.well-known/openid-configuration").unwrap();
        for place in [
            "https://localhost/keys",
            "https://localhost:8443/keys",
            "https://localhost./keys",
            "https://a.localhost/keys",
            "https://ip6-localhost/keys",
            "https://127.0.0.1/keys",
            "https://127.9.9.9/keys",
            "https://[::1]/keys",
            "https://[::ffff:127.0.0.1]/keys",
            "https://[::ffff:0.0.0.0]/keys",
            "https://0.0.0.0/keys",
            "https://[::]/keys",
            "https://0x7f.1/keys",
            "http://localhost/keys",
        ] {
            assert!(matches!(named_by(&elsewhere, place), Err(JwksConfigError::Loopback)), "{place}");
            assert!(named_by(&here, place).is_ok(), "{place}");
        }
        let inside = Url::parse("https://10.0.0.1/").unwrap();
        for place in [
            "https://10.1.2.3/keys",
            "https://172.16.0.1/keys",
            "https://192.168.1.1/keys",
            "https://169.254.169.254/keys",
            "https://[::ffff:169.254.169.254]/keys",
            "https://[fd00:ec2::254]/keys",
            "https://[fe80::1]/keys",
            "https://100.100.100.200/keys",
            "https://192.0.0.192/keys",
            "https://198.18.0.1/keys",
            "https://0.1.2.3/keys",
            "https://224.0.0.1/keys",
            "https://255.255.255.255/keys",
            "https://[64:ff9b::a9fe:a9fe]/keys",
            "https://[64:ff9b::7f00:1]/keys",
            "https://[::169.254.169.254]/keys",
            "https://[::ffff:0:10.0.0.1]/keys",
            "https://[2002:a9fe:a9fe::]/keys",
            "https://[fec0::1]/keys",
            "https://[ff02::1]/keys",
            "https://localhost.localdomain/keys",
            "https://metadata/keys",
            "https://vault:8200/keys",
            "https://kubernetes.default.svc/openid/v1/jwks",
            "https://idp.home.arpa/keys",
            "https://[64:ff9b:1:a9fe:a9:fe00:808:808]/keys",
            "https://metadata.google.internal/keys",
            "https://metadata.google.internal./keys",
            "https://vault.service.consul/keys",
            "https://10.0.0.1.nip.io/keys",
            "https://localtest.me/keys",
            "https://localhost4.localdomain4/keys",
            "https://localhost6.localdomain6/keys",
            "https://metadata.goog/keys",
            "https://168.63.129.16/keys",
            "https://[2001:1::1]/keys",
            "https://[2001:2::1]/keys",
            "https://kubernetes.default/keys",
            "https://metrics-server.kube-system/keys",
            "https://a.localtest.me/keys",
            "https://192.88.99.1/keys",
            "https://[2001::1]/keys",
            "https://[100::1]/keys",
            "https://[5f00::1]/keys",
            "https://[2a00:1450::5efe:10.0.0.1]/keys",
            "https://[2a00:1450::200:5efe:10.0.0.1]/keys",
        ] {
            assert!(matches!(named_by(&elsewhere, place), Err(JwksConfigError::Loopback)), "{place}");
            assert!(named_by(&inside, place).is_ok(), "{place}");
        }
        for place in [
            "https://192.0.2.1/keys",
            "https://8.8.8.8/keys",
            "https://[2001:db8::1]/keys",
            "https://[64:ff9b::808:808]/keys",
            "https://[2002:808:808::]/keys",
            "https://nip.io.example/keys",
            "https://latest.me/keys",
        ] {
            assert!(named_by(&elsewhere, place).is_ok(), "{place}");
        }
        assert!(named_by(&elsewhere, "https://keys.example/keys").is_ok());
        assert!(named_by(&here, "https://keys.example/keys").is_ok());
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
