//! The PROXY protocol, versions 1 and 2: before anything else on a connection, a proxy says who is at its other end.
//!
//! After the text of HAProxy, "The PROXY protocol, versions 1 & 2".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::Error;

/// The longest header that is read, in bytes: addresses, and what a proxy adds about its TLS session.
pub const BYTES_MAX: usize = 2_048;

/// The longest line of version 1, with its end.
const LINE_MAX: usize = 107;
const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const V2_HEAD: usize = 16;

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Something else: nothing was said of the other end.
    Other,
    /// It may become a header: more bytes tell.
    Partial,
    /// A header.
    Header(Header),
}

/// Who is at the other end of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes that the header takes; what the peer itself sends comes after them.
    pub len: usize,
    /// The peer's address; `None` if the proxy speaks for itself or does not know.
    pub source: Option<SocketAddr>,
    /// The peer speaks TLS with the proxy.
    pub tls: bool,
}

/// Reads the first bytes of a connection, at most [`BYTES_MAX`] of them.
///
/// # Errors
/// If it begins like a header and is none: the connection is to be closed.
pub fn start(bytes: &[u8]) -> Result<Start, Error> {
    if bytes.starts_with(V2) {
        return second(bytes);
    }
    if bytes.starts_with(V1) {
        return first(bytes);
    }
    let begins = V2.starts_with(bytes) || V1.starts_with(bytes);
    Ok(if begins { Start::Partial } else { Start::Other })
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n`
fn first(bytes: &[u8]) -> Result<Start, Error> {
    let within = bytes.get(..LINE_MAX).unwrap_or(bytes);
    let Some(end) = within.windows(2).position(|pair| pair == b"\r\n") else {
        return if within.len() < LINE_MAX {
            Ok(Start::Partial)
        } else {
            Err(Error::Line)
        };
    };
    let line = within
        .get(V1.len()..end)
        .and_then(|line| std::str::from_utf8(line).ok());
    Ok(Start::Header(Header {
        len: end.saturating_add(2),
        source: source_of_line(line.ok_or(Error::Line)?)?,
        tls: false,
    }))
}

fn source_of_line(line: &str) -> Result<Option<SocketAddr>, Error> {
    let mut words = line.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(None);
    }
    let mut word = || words.next().ok_or(Error::Line);
    let (source, destination, port, to_port) = (word()?, word()?, word()?, word()?);
    let address = |text: &str| match family {
        Some("TCP4") => text.parse().map(IpAddr::V4).map_err(|_| Error::Line),
        Some("TCP6") => text.parse().map(IpAddr::V6).map_err(|_| Error::Line),
        _ => Err(Error::Line),
    };
    let (source, _, port, _) = (
        address(source)?,
        address(destination)?,
        port_of(port)?,
        port_of(to_port)?,
    );
    if words.next().is_some() {
        return Err(Error::Line);
    }
    Ok(Some(SocketAddr::new(source, port)))
}

fn port_of(text: &str) -> Result<u16, Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(Error::Line)
}

fn second(bytes: &[u8]) -> Result<Start, Error> {
    let Some(&[version_command, family, high, low]) = bytes.get(V2.len()..V2_HEAD) else {
        return Ok(Start::Partial);
    };
    if version_command >> 4 != 2 {
        return Err(Error::Version(version_command >> 4));
    }
    let len = V2_HEAD.saturating_add(usize::from(u16::from_be_bytes([high, low])));
    if len > BYTES_MAX {
        return Err(Error::TooLong { len, max: BYTES_MAX });
    }
    let Some(body) = bytes.get(V2_HEAD..len) else {
        return Ok(Start::Partial);
    };
    let (source, tls) = match version_command & 0xf {
        // LOCAL: the proxy asks for itself, to see whether we live.
        0 => (None, false),
        1 => proxied(family, body)?,
        command => return Err(Error::Command(command)),
    };
    Ok(Start::Header(Header { len, source, tls }))
}

/// The source, and whether it speaks TLS, of a body whose addresses are of this family.
fn proxied(family: u8, body: &[u8]) -> Result<(Option<SocketAddr>, bool), Error> {
    let addresses = match family {
        0x00 => 0,
        0x11 => 12,
        0x21 => 36,
        0x31 => 216,
        _ => return Err(Error::Family(family)),
    };
    let (addresses, rest) = body.split_at_checked(addresses).ok_or(Error::TooShort(body.len()))?;
    let source = match addresses {
        [a, b, c, d, _, _, _, _, high, low, _, _] => {
            let address = Ipv4Addr::new(*a, *b, *c, *d);
            Some((IpAddr::V4(address), u16::from_be_bytes([*high, *low])))
        }
        _ if family == 0x21 => ipv6(addresses),
        // The socket of a process, or something that the proxy cannot name.
        _ => None,
    };
    Ok((source.map(SocketAddr::from), speaks_tls(rest)))
}

fn ipv6(addresses: &[u8]) -> Option<(IpAddr, u16)> {
    let (source, rest) = addresses.split_first_chunk::<16>()?;
    let (_, ports) = rest.split_first_chunk::<16>()?;
    let (port, _) = ports.split_first_chunk::<2>()?;
    Some((Ipv6Addr::from(*source).to_canonical(), u16::from_be_bytes(*port)))
}

/// Looks for `PP2_TYPE_SSL` among the additions, and for `PP2_CLIENT_SSL` in it.
fn speaks_tls(mut additions: &[u8]) -> bool {
    while let [kind, high, low, rest @ ..] = additions {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = rest.split_at_checked(len) else {
            return false;
        };
        if let (0x20, Some(client)) = (kind, value.first()) {
            return client & 1 == 1;
        }
        additions = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of version 2.
    pub(crate) fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = V2.to_vec();
        bytes.extend([0x20 | command, family]);
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn header(bytes: &[u8]) -> Header {
        match start(bytes) {
            Ok(Start::Header(header)) => header,
            other => panic!("{other:?} of {bytes:?}"),
        }
    }

    const IPV4: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];

    fn ipv6_body() -> Vec<u8> {
        let mut body = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets().to_vec();
        body.extend("2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
        body.extend([0x12, 0x34, 0, 80]);
        body
    }

    #[test]
    fn both_versions_name_the_source() {
        let cases: [(&[u8], Option<&str>); 8] = [
            (
                b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
                Some("192.0.2.1:56324"),
            ),
            (
                b"PROXY TCP6 2001:db8::1 2001:db8::2 4660 80\r\n",
                Some("[2001:db8::1]:4660"),
            ),
            (b"PROXY UNKNOWN\r\n", None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
            (&v2(1, 0x11, IPV4), Some("192.0.2.1:56324")),
            (&v2(1, 0x21, &ipv6_body()), Some("[2001:db8::1]:4660")),
            (&v2(1, 0x31, &[7; 216]), None),
            (&v2(0, 0x11, IPV4), None),
        ];
        for (bytes, source) in cases {
            let mut with_more = bytes.to_vec();
            with_more.extend(b"GET / HTTP/1.1\r\n\r\n");
            let header = header(&with_more);
            assert_eq!(header.source, source.map(|source| source.parse().unwrap()), "{bytes:?}");
            assert_eq!(header.len, bytes.len());
            assert!(!header.tls);
        }
    }

    #[test]
    fn every_beginning_of_a_header_waits_for_more() {
        for bytes in [
            v2(1, 0x21, &ipv6_body()),
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(),
        ] {
            for len in 0..bytes.len() {
                assert_eq!(start(&bytes[..len]), Ok(Start::Partial), "{len} bytes");
            }
        }
    }

    #[test]
    fn what_other_protocols_begin_with_is_no_header() {
        let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"POST /",
            b"PROPFIND /",
            http2,
            b"\x03\0\0\0",
            b"\x16\x03\x01",
        ] {
            assert_eq!(start(bytes), Ok(Start::Other));
        }
    }

    #[test]
    fn tls_before_the_proxy_is_told() {
        let mut body = IPV4.to_vec();
        body.extend([0x04, 0, 1, 0]);
        body.extend([0x20, 0, 5, 1, 0, 0, 0, 0]);
        assert!(header(&v2(1, 0x11, &body)).tls);
        body.truncate(body.len() - 2);
        assert!(!header(&v2(1, 0x11, &body)).tls, "an addition that is cut off");
    }

    #[test]
    fn a_header_that_is_none_ends_the_connection() {
        let long = [&b"PROXY TCP4 "[..], &[b'1'; LINE_MAX]].concat();
        let mut version_3 = v2(1, 0x11, IPV4);
        version_3[12] = 0x31;
        let cases: [(&[u8], Error); 11] = [
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n", Error::Line),
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 x\r\n", Error::Line),
            (b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", Error::Line),
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n", Error::Line),
            (b"PROXY TCP4  192.0.2.1 198.51.100.1 1 443\r\n", Error::Line),
            (&long, Error::Line),
            (&version_3, Error::Version(3)),
            (&v2(2, 0x11, IPV4), Error::Command(2)),
            (&v2(1, 0x12, IPV4), Error::Family(0x12)),
            (&v2(1, 0x21, IPV4), Error::TooShort(12)),
            (
                &v2(1, 0x11, &[0; BYTES_MAX]),
                Error::TooLong {
                    len: BYTES_MAX + 16,
                    max: BYTES_MAX,
                },
            ),
        ];
        for (bytes, error) in cases {
            assert_eq!(start(bytes), Err(error), "{bytes:?}");
        }
    }
}
