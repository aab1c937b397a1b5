//! Who asks, and how: by the connection, or by what a trusted proxy says.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Request;
use http::header::{self, HeaderMap, HeaderName};
use proxy::Trusted;
use proxy::forwarded::Headers;
use proxy::protocol::{self, Start};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::host::{self, is_this_machine};

/// How soon a PROXY header that came in part is looked at again: proxies send it in one piece, so this is seldom.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Whoever asks: an extension of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The viewer's address: that of the connection, or what a trusted proxy says it is. An IPv4 address inside IPv6 is itself.
    pub address: IpAddr,
    /// TLS ends here, or a trusted proxy says that it ended there.
    pub tls: bool,
    /// A trusted proxy stands in between.
    pub proxied: bool,
    /// The host that was asked for, where a trusted proxy says it.
    host: Option<Box<str>>,
}

impl Peer {
    /// Who sent the request; `None` for one that no server received.
    pub fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }

    /// Whether what is said here stays between the viewer and this server: by TLS, or within this machine.
    ///
    /// A local proxy that is not trusted makes everybody look local; its headers and the host that was asked for tell.
    pub fn is_private<B>(request: &Request<B>) -> bool {
        let Some(peer) = Self::of(request) else { return false };
        let from_here = || peer.address.is_loopback() && !peer.proxied && headers(request.headers()).are_empty();
        peer.tls || (from_here() && host::asked_for(request).is_some_and(is_this_machine))
    }

    /// The host that was asked for, where a trusted proxy says it.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    /// TLS ends here, or ended at the proxy that made the connection.
    pub(super) tls: bool,
    /// Who is believed about requests on this connection, if its other end is a trusted proxy.
    pub(super) believed: Option<Trusted>,
}

impl Origin {
    /// A connection as it looks from here.
    pub(super) fn new(address: SocketAddr, trusted: &Trusted) -> Self {
        let believed = (!trusted.is_empty() && trusted.trusts(address.ip())).then(|| trusted.clone());
        Self {
            address,
            tls: false,
            believed,
        }
    }

    /// Reads what a trusted proxy says before anything else, if it speaks the PROXY protocol.
    ///
    /// # Errors
    /// If it says something that cannot be understood, or begins to and does not go on.
    pub(super) async fn introduced(self, stream: &mut TcpStream, time_max: Duration) -> io::Result<Self> {
        let Some(trusted) = self.believed.clone() else {
            return Ok(self);
        };
        let header = tokio::time::timeout(time_max, header(stream)).await??;
        let Some((header, source)) = header.and_then(|header| Some((header, header.source?))) else {
            return Ok(self);
        };
        Ok(Self {
            tls: header.tls,
            ..Self::new(source, &trusted)
        })
    }

    /// Who sent a request.
    pub(super) fn peer(&self, headers_of_request: &HeaderMap) -> Peer {
        let connection = Peer {
            address: self.address.ip().to_canonical(),
            tls: self.tls,
            proxied: false,
            host: None,
        };
        let Some(trusted) = &self.believed else {
            return connection;
        };
        let headers = headers(headers_of_request);
        if headers.are_empty() {
            return connection;
        }
        let said = headers.said(|address| trusted.trusts(address));
        Peer {
            address: said.address.unwrap_or(connection.address),
            tls: said.tls,
            proxied: true,
            host: said.host.filter(|host| host::is_authority(host)).map(Into::into),
        }
    }
}

/// Takes the PROXY header that a connection begins with.
async fn header(stream: &mut TcpStream) -> io::Result<Option<protocol::Header>> {
    let mut bytes = [0; protocol::BYTES_MAX];
    loop {
        // Looked at without being read: what is no header is the peer's own.
        let length = stream.peek(&mut bytes).await?;
        match protocol::start(&bytes[..length]).map_err(io::Error::other)? {
            Start::Other => return Ok(None),
            Start::Partial if length == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Start::Partial => tokio::time::sleep(LOOK_AGAIN).await,
            Start::Header(header) => {
                stream.read_exact(&mut bytes[..header.len]).await?;
                return Ok(Some(header));
            }
        }
    }
}

fn headers(map: &HeaderMap) -> Headers<'_> {
    let lines = |name: HeaderName| {
        map.get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect()
    };
    Headers {
        forwarded: lines(header::FORWARDED),
        x_for: lines(HeaderName::from_static("x-forwarded-for")),
        x_proto: lines(HeaderName::from_static("x-forwarded-proto")),
        x_host: lines(HeaderName::from_static("x-forwarded-host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        let trusted = ["10.0.0.0/8", "127.0.0.1/32"].map(|network| network.parse().unwrap());
        Origin::new(
            SocketAddr::new(address.parse().unwrap(), 4711),
            &trusted.into_iter().collect(),
        )
    }

    fn request(address: &str, lines: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::get("/").body(()).unwrap();
        for (name, value) in lines {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let peer = origin(address).peer(request.headers());
        request.extensions_mut().insert(peer);
        request
    }

    const FORGED: [(&str, &str); 4] = [
        ("host", "a.example"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
    ];

    #[test]
    fn forwarding_headers_of_a_stranger_are_not_believed() {
        let mut lines = FORGED.to_vec();
        lines.push(("forwarded", "for=127.0.0.1;proto=https;host=evil.example"));
        let request = request("203.0.113.9", &lines);
        let peer = Peer::of(&request).unwrap();
        assert_eq!((peer.address.to_string().as_str(), peer.tls), ("203.0.113.9", false));
        assert_eq!(host::of(&request), Some("a.example"));
        assert!(!Peer::is_private(&request));
    }

    #[test]
    fn a_trusted_proxy_tells_address_scheme_and_host() {
        let lines = [
            ("host", "localhost:8080"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "live.example:8443"),
        ];
        let request = request("10.0.0.2", &lines);
        let peer = Peer::of(&request).unwrap();
        assert_eq!((peer.address.to_string().as_str(), peer.tls), ("203.0.113.9", true));
        assert_eq!(host::of(&request), Some("live.example:8443"));
        assert!(Peer::is_private(&request));
    }

    #[test]
    fn a_viewer_behind_a_local_proxy_is_not_on_this_machine() {
        let local = [("host", "localhost:8080")];
        assert!(Peer::is_private(&request("127.0.0.1", &local)));
        let through = [("host", "localhost:8080"), ("x-forwarded-for", "unknown")];
        assert!(!Peer::is_private(&request("127.0.0.1", &through)), "a trusted proxy");
        assert!(
            !Peer::is_private(&request("::1", &through)),
            "a proxy that is not listed"
        );
        assert!(!Peer::is_private(&request("::1", &[("host", "live.example")])));
    }

    #[test]
    fn a_host_that_cannot_stand_in_an_address_is_not_taken() {
        let lines = [
            ("host", "a.example"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-host", "a.example/<x>"),
        ];
        assert_eq!(host::of(&request("10.0.0.2", &lines)), Some("a.example"));
    }

    /// What becomes of a connection from a trusted proxy that begins with these bytes and then waits, or ends.
    async fn introduced(bytes: &[u8], ends: bool) -> io::Result<Origin> {
        use tokio::io::AsyncWriteExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut proxy = TcpStream::connect(listener.local_addr()?).await?;
        let (mut stream, address) = listener.accept().await?;
        proxy.write_all(bytes).await?;
        let _open = if ends { None } else { Some(proxy) };
        let trusted = ["127.0.0.1/32".parse().unwrap()].into_iter().collect();
        let origin = Origin::new(address, &trusted);
        origin.introduced(&mut stream, Duration::from_millis(50)).await
    }

    #[tokio::test]
    async fn a_proxy_that_does_not_finish_what_it_says_is_left() {
        let header = b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n";
        let origin = introduced(header, false).await.unwrap();
        assert_eq!(origin.address, "203.0.113.9:4711".parse().unwrap());
        assert!(
            origin.believed.is_none(),
            "the viewer's own headers are not the proxy's"
        );
        let other = introduced(b"GET / HTTP/1.1\r\n", false).await.unwrap();
        assert!(other.address.ip().is_loopback());
        for (bytes, ends) in [
            (&header[..20], false),
            (&header[..20], true),
            (b"", true),
            (b"PROXY x\r\n", false),
        ] {
            assert!(introduced(bytes, ends).await.is_err(), "{bytes:?}");
        }
    }
}
