use std::net::IpAddr;

use ipnet::IpNet;

/// Reads an address or a network; the bits behind the prefix do not count.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let Some(prefix) = prefix else { return Some(IpNet::from(address)) };
    let plain = prefix == "0" || !prefix.starts_with('0');
    if !plain || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    IpNet::new(address, prefix.parse().ok()?).ok().map(|network| network.trunc())
}

/// Whether the address lies in the network. An IPv4 address in IPv6 clothes is both.
pub(super) fn contains(network: &IpNet, address: IpAddr) -> bool {
    if network.contains(&address) {
        return true;
    }
    match address {
        IpAddr::V6(six) => six
            .to_ipv4_mapped()
            .is_some_and(|four| matches!(network, IpNet::V4(network) if network.contains(&four))),
        IpAddr::V4(four) => {
            let mapped = four.to_ipv6_mapped();
            matches!(network, IpNet::V6(network) if network.prefix_len() >= 96 && network.contains(&mapped))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{contains, parse};

    #[test]
    fn networks_are_read_strictly() {
        for bad in [
            "",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.4/33",
            "1.2.3.4/08",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "::1/129",
            "fe80::1%1",
            " 1.2.3.4",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert_eq!(parse("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
    }

    #[test]
    fn mapped_addresses_are_both() {
        for (network, address, expected) in [
            ("203.0.113.0/24", "203.0.113.9", true),
            ("203.0.113.0/24", "203.0.114.9", false),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("::ffff:203.0.113.0/120", "::ffff:203.0.113.9", true),
            ("::ffff:203.0.113.0/120", "203.0.113.9", true),
            ("::/0", "203.0.113.9", false),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8::1", true),
            ("203.0.113.9", "203.0.113.9", true),
        ] {
            assert_eq!(
                contains(&parse(network).unwrap(), address.parse().unwrap()),
                expected,
                "{network} {address}"
            );
        }
    }
}
