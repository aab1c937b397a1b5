//! The host that a request asks for.

use http::{Request, header};

use super::Peer;

/// The host that a page was opened with, with its port if it has one: what a trusted proxy says, else what the request says.
pub fn of<B>(request: &Request<B>) -> Option<&str> {
    Peer::of(request).and_then(Peer::host).or_else(|| asked_for(request))
}

/// The host to show to whoever asks, for copying: none if it would mean their own machine instead of this one.
pub fn shown<B>(request: &Request<B>) -> Option<&str> {
    of(request).filter(|host| !is_this_machine(host) || Peer::is_private(request))
}

/// The host in the header of HTTP/1.1, or in the address of HTTP/2.
pub(super) fn asked_for<B>(request: &Request<B>) -> Option<&str> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

/// A host without its port, if it is one that may stand in an address.
pub fn name(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let name = host.get(..end)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '[' | ']');
    (!name.is_empty() && name.chars().all(fits)).then_some(name)
}

/// Whether it is a host, with or without a port.
pub(super) fn is_authority(host: &str) -> bool {
    name(host).is_some_and(|name| match &host[name.len()..] {
        "" => true,
        port => port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
    })
}

/// Whether the name means the machine that uses it: of no worth to anybody else.
pub fn is_this_machine(host: &str) -> bool {
    let name = name(host)
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_ascii_lowercase();
    let loopback = name
        .parse()
        .is_ok_and(|address: std::net::IpAddr| address.to_canonical().is_loopback());
    loopback || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_may_stand_in_an_address() {
        let cases = [
            ("live.example:8443", Some("live.example")),
            ("[2001:db8::1]:80", Some("[2001:db8::1]")),
            ("live.example/x", None),
            ("a@b", None),
            ("[::1", None),
            ("", None),
        ];
        for (host, expected) in cases {
            assert_eq!(name(host), expected, "{host}");
        }
    }

    #[test]
    fn this_machine_has_many_names() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "a.localhost",
            "127.0.0.1:1",
            "[::1]:8080",
            "127.9.9.9",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["localhost.example", "192.168.1.5", "live.example", ""] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
