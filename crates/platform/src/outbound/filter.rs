//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Lets through what is global unicast, and the networks that the operator named.
#[derive(Debug)]
pub(super) struct Filter {
    allow: Vec<IpNet>,
}

impl Filter {
    pub(super) fn new(allow: Vec<IpNet>) -> Self {
        Self { allow }
    }

    pub(super) fn permits(&self, address: IpAddr) -> bool {
        // ::ffff:10.0.0.1 reaches 10.0.0.1: an allowed network covers both ways to write it.
        let plain = address.to_canonical();
        is_global(address)
            || self
                .allow
                .iter()
                .any(|net| net.contains(&address) || net.contains(&plain))
    }
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|(base, bits)| within_v4(address, *base, *bits)),
        // Only 2000::/3 is given out. What stands outside (loopback, ULA, link-local, site-local, multicast, v4-mapped and v4-compatible
        // addresses, NAT64) is not global, or is another name for an address of IPv4.
        IpAddr::V6(address) => {
            within_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !SPECIAL_V6.iter().any(|(base, bits)| within_v6(address, *base, *bits))
        }
    }
}

/// From the special-purpose registry of IPv4 (RFC 6890 and its updates), multicast, and what is reserved.
#[rustfmt::skip]
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, with the metadata services of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // former 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// What inside 2000::/3 is special: 6to4 and Teredo carry an address of IPv4 that may be private, and nobody needs them.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

fn within_v4(address: Ipv4Addr, base: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ base.to_bits()) >> (32 - bits) == 0
}

fn within_v6(address: Ipv6Addr, base: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ base.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 \
        169.254.0.0 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.0 192.168.255.255 \
        198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 \
        :: ::1 ::7f00:1 ::808:808 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::a00:1 \
        100::1 2001::1 2001:0:a00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:c0a8:1::1 2002:808:808::1 3fff::1 \
        5f00::1 fc00::1 fd00:ec2::254 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1";

    const CALLED: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.0.1 \
        169.255.0.1 172.15.255.255 172.32.0.0 192.0.1.1 192.0.3.1 192.88.98.1 192.167.0.1 192.169.0.1 198.17.255.255 198.20.0.0 223.255.255.255 \
        2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00::1 3ffe::1";

    #[test]
    fn only_global_unicast_is_called() {
        let filter = Filter::new(Vec::new());
        for text in REFUSED.split_whitespace() {
            assert!(!filter.permits(text.parse().unwrap()), "{text}");
        }
        for text in CALLED.split_whitespace() {
            assert!(filter.permits(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_allowed_network_is_called_and_its_neighbours_are_not() {
        let filter = Filter::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        for (text, permitted) in [
            ("10.1.255.1", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("::ffff:10.2.0.1", false),
            ("64:ff9b::a01:203", false),
            ("fd00:1::9", true),
            ("fd00:2::9", false),
        ] {
            assert_eq!(filter.permits(text.parse().unwrap()), permitted, "{text}");
        }
    }
}
