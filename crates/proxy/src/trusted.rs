use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// The proxies whose word about others is believed. Cloning shares the list.
#[derive(Clone, Debug, Default)]
pub struct Trusted(Arc<[IpNet]>);

impl Trusted {
    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what comes from this address is believed. An IPv4 address inside IPv6 counts as itself.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromIterator<IpNet> for Trusted {
    fn from_iter<T: IntoIterator<Item = IpNet>>(networks: T) -> Self {
        Self(networks.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_proxy_is_known_on_an_ipv6_socket_too() {
        let trusted: Trusted = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
        assert!(trusted.trusts("10.1.2.3".parse().unwrap()));
        assert!(trusted.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!trusted.trusts("11.1.2.3".parse().unwrap()));
        assert!(!Trusted::default().trusts("127.0.0.1".parse().unwrap()));
    }
}
