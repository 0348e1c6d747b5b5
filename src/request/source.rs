//! Who is at the other end of the connection.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Extensions, HeaderMap};
use ipnet::{IpNet, Ipv4Net};

/// How to find the client's address.
#[derive(Clone, Default)]
pub(crate) struct SourceAddress {
    peer: Peer,
    /// Who is believed about who is behind it.
    trusted: Vec<IpNet>,
}

/// How to find the peer of the accepted connection. Never a header.
#[derive(Clone, Default)]
enum Peer {
    /// What axum's `ConnectInfo<SocketAddr>` says, where it is there.
    #[default]
    ConnectInfo,
    /// What the server says.
    Custom(Arc<FindAddress>),
}

type FindAddress = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;

impl SourceAddress {
    pub(crate) fn custom(find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self { peer: Peer::Custom(Arc::new(find)), trusted: Vec::new() }
    }

    /// The same behind proxies; the error is a text that names no network.
    pub(crate) fn behind(self, proxies: Vec<Box<str>>) -> Result<Self, Box<str>> {
        let trusted = proxies.into_iter().map(|text| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map(in_plain_form).map_err(|_| text)
        });
        Ok(Self { trusted: trusted.collect::<Result<_, _>>()?, ..self })
    }

    /// Whether somebody else finds the peer, by whatever stands beside a request.
    #[cfg(feature = "axum")]
    pub(crate) const fn is_custom(&self) -> bool {
        matches!(self.peer, Peer::Custom(_))
    }

    /// The address in its plain form: `::ffff:192.0.2.1` is `192.0.2.1`.
    pub(crate) fn of(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        let peer = self.peer(extensions)?;
        if self.trusts(peer) { self.behind_proxies(headers) } else { Some(peer) }
    }

    /// The peer of the accepted connection, whoever is behind it, in its plain form.
    pub(crate) fn peer(&self, extensions: &Extensions) -> Option<IpAddr> {
        let peer = match &self.peer {
            Peer::ConnectInfo => connect_info(extensions),
            Peer::Custom(find) => find(extensions),
        };
        Some(peer?.to_canonical())
    }

    /// The last hop that is not one of ours. Each proxy of ours has added who it was called by, so whatever stands
    /// before that hop is only what somebody says. A proxy that says nothing leaves the client unknown.
    fn behind_proxies(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut nearest = None;
        for field in headers.get_all("x-forwarded-for").iter().rev() {
            for hop in field.to_str().ok()?.rsplit(',') {
                let hop = hop.trim_matches([' ', '\t']).parse::<IpAddr>().ok()?.to_canonical();
                if !self.trusts(hop) {
                    return Some(hop);
                }
                nearest = Some(hop);
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// A network of IPv4 addresses in their IPv6 form as what it is, because addresses are compared in their plain form.
fn in_plain_form(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let plain = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    plain.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

/// Says who the peer of a connection is, as axum's `serve` does.
#[cfg(all(feature = "axum", feature = "testing"))]
pub(crate) fn tell_peer(extensions: &mut Extensions, address: IpAddr) {
    extensions.insert(axum::extract::ConnectInfo(std::net::SocketAddr::from((address, 0))));
}

/// Nobody looks for it without axum.
#[cfg(all(not(feature = "axum"), feature = "testing"))]
pub(crate) const fn tell_peer(_extensions: &mut Extensions, _address: IpAddr) {}

#[cfg(feature = "axum")]
fn connect_info(extensions: &Extensions) -> Option<IpAddr> {
    use axum::extract::ConnectInfo;
    extensions.get::<ConnectInfo<std::net::SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

#[cfg(not(feature = "axum"))]
fn connect_info(_extensions: &Extensions) -> Option<IpAddr> {
    None
}

impl std::fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let peer = match self.peer {
            Peer::ConnectInfo => "ConnectInfo",
            Peer::Custom(_) => "Custom",
        };
        f.debug_struct("SourceAddress").field("peer", &peer).field("trusted", &self.trusted).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> Option<String> {
        let peer: IpAddr = peer.parse().unwrap();
        let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
        address_behind(&trusted, peer, forwarded)
    }

    fn address_behind(trusted: &[&str], peer: IpAddr, forwarded: &[&str]) -> Option<String> {
        let trusted = trusted.iter().map(|network| (*network).into()).collect();
        let source = SourceAddress::custom(move |_| Some(peer)).behind(trusted).unwrap();
        let mut headers = HeaderMap::new();
        for field in forwarded {
            headers.append("x-forwarded-for", field.parse().unwrap());
        }
        source.of(&headers, &Extensions::new()).map(|address| address.to_string())
    }

    #[test]
    fn a_header_counts_only_if_a_trusted_proxy_sent_it() {
        let client = || Some("203.0.113.9".to_owned());
        assert_eq!(address("203.0.113.9", &["198.51.100.7"]), client());
        assert_eq!(address("::ffff:203.0.113.9", &[]), client());
        assert_eq!(address("10.1.2.3", &["203.0.113.9"]), client());
        assert_eq!(address("::ffff:10.1.2.3", &["::ffff:203.0.113.9"]), client());
    }

    #[test]
    fn the_last_hop_that_is_not_ours_is_the_client() {
        let client = || Some("203.0.113.9".to_owned());
        assert_eq!(address("10.1.2.3", &["1.1.1.1, 203.0.113.9, 10.9.9.9,192.0.2.1"]), client());
        assert_eq!(address("10.1.2.3", &["1.1.1.1", "203.0.113.9", "2001:db8::7"]), client());
        assert_eq!(address("10.1.2.3", &["10.0.0.1, 10.0.0.2"]), Some("10.0.0.1".to_owned()));
        assert_eq!(address("10.1.2.3", &[]), None);
    }

    #[test]
    fn a_network_may_be_written_in_the_form_that_ipv4_has_in_ipv6() {
        let client = Some("203.0.113.9".to_owned());
        for network in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "::ffff:10.0.0.1/128"] {
            for peer in ["10.0.0.1", "::ffff:10.0.0.1"] {
                let behind = |peer: &str| address_behind(&[network], peer.parse().unwrap(), &["203.0.113.9"]);
                assert_eq!(behind(peer), client, "{network} {peer}");
                assert_eq!(behind("11.0.0.1"), Some("11.0.0.1".to_owned()), "{network}");
            }
        }
        let everybody =
            |peer: &str| address_behind(&["::ffff:0:0/96"], peer.parse().unwrap(), &["203.0.113.9"]);
        assert_eq!(everybody("192.0.2.1"), client);
        assert_eq!(everybody("2001:db8::1"), Some("2001:db8::1".to_owned()));
    }

    #[test]
    fn a_hop_that_is_no_address_makes_the_client_unknown() {
        for forwarded in ["unknown", "", "203.0.113.9:80", "10.0.0.1,", "203.0.113.9, nonsense", "_hidden"] {
            assert_eq!(address("10.1.2.3", &[forwarded]), None, "{forwarded}");
        }
        assert_eq!(address("10.1.2.3", &["nonsense, 203.0.113.9"]), Some("203.0.113.9".to_owned()));
    }
}
