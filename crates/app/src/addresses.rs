//! The addresses that people are shown.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use delivery::live::RtmpAddress;

use crate::config::Config;

/// Where the pages are: the public address if one is set, else where the server listens.
pub fn page(config: &Config) -> Option<String> {
    let plain = || Some(format!("http://{}", reachable(config.http_listen?)));
    config
        .http_public_url
        .clone()
        .or_else(plain)
        .or_else(|| secure_page(config))
}

/// Where the pages are with TLS, on this machine.
pub fn secure_page(config: &Config) -> Option<String> {
    Some(format!("https://{}", reachable(config.https_listen?)))
}

/// Where RTMP is, without an application.
pub fn rtmp(config: &Config) -> Option<String> {
    let plain = || Some(format!("rtmp://{}", reachable(config.rtmp_listen?)));
    let secure = || Some(format!("rtmps://{}", reachable(config.rtmps_listen?)));
    let public = config.rtmp_public_url.clone().or_else(|| beside_pages(config));
    public.or_else(plain).or_else(secure)
}

/// Where the pages are for other machines of this network, if the server listens for them.
pub fn network_page(config: &Config) -> Option<String> {
    let listen = config.http_listen.filter(|listen| listen.ip().is_unspecified())?;
    let address = own_address(listen.ip())?;
    Some(format!("http://{}", SocketAddr::new(address, listen.port())))
}

/// Where pages say that RTMP is: the public address, the host of the pages' public address, or the host that the page was
/// opened with.
pub fn shown_rtmp(config: &Config) -> Option<RtmpAddress> {
    let port = || Some(config.rtmp_listen?.port());
    let public = config.rtmp_public_url.clone().map(RtmpAddress::Public);
    let beside_pages = || beside_pages(config).map(RtmpAddress::Public);
    public.or_else(beside_pages).or_else(|| port().map(RtmpAddress::Port))
}

/// RTMP at the host of the pages' public address.
fn beside_pages(config: &Config) -> Option<String> {
    let host = host_of(config.http_public_url.as_deref()?)?;
    Some(format!("rtmp://{host}{}", suffix(config.rtmp_listen?.port(), 1935)))
}

/// The host of an address of pages.
pub fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    delivery::server::host::name(rest.split('/').next()?)
}

/// What stands behind a host where the port is not the usual one.
fn suffix(port: u16, usual: u16) -> String {
    if port == usual {
        String::new()
    } else {
        format!(":{port}")
    }
}

/// The address by which the network knows this machine. Nothing is sent to find it.
fn own_address(listen: IpAddr) -> Option<IpAddr> {
    let (any, far) = match listen {
        IpAddr::V4(_) => ("0.0.0.0:0", "192.0.2.1:9"),
        IpAddr::V6(_) => ("[::]:0", "[2001:db8::1]:9"),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Where to publish, as the platform's pages show it; `{host}` stands for the host that a page was opened at.
pub fn ingest(config: &Config) -> Option<String> {
    let plain = || Some(format!("rtmp://{{host}}:{}", config.rtmp_listen?.port()));
    let public = config.rtmp_public_url.clone().filter(|url| url.starts_with("rtmp://"));
    Some(format!("{}/live", public.or_else(plain)?.trim_end_matches('/')))
}

/// The same with TLS.
pub fn secure_ingest(config: &Config) -> Option<String> {
    let plain = || Some(format!("rtmps://{{host}}:{}", config.rtmps_listen?.port()));
    let public = config.rtmp_public_url.clone().filter(|url| url.starts_with("rtmps://"));
    Some(format!("{}/live", public.or_else(plain)?.trim_end_matches('/')))
}

/// An address that a browser on this machine can open: "any address" is none.
fn reachable(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() || listen.ip().is_loopback() {
        format!("localhost:{}", listen.port())
    } else {
        listen.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn shown(pairs: &[(&'static str, &str)]) -> Option<RtmpAddress> {
        let flags: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, Some((*value).to_owned())))
            .collect();
        shown_rtmp(&Settings::gather(None, &flags).unwrap().check().unwrap())
    }

    #[test]
    fn rtmp_is_shown_at_the_public_host_of_the_pages() {
        let pages = ("http.public_url", "https://live.example.org:8443");
        assert_eq!(
            shown(&[pages]),
            Some(RtmpAddress::Public("rtmp://live.example.org".into()))
        );
        let other_port = ("rtmp.listen", "0.0.0.0:2935");
        assert_eq!(
            shown(&[pages, other_port]),
            Some(RtmpAddress::Public("rtmp://live.example.org:2935".into()))
        );
        let said = ("rtmp.public_url", "rtmp://in.example.org");
        assert_eq!(
            shown(&[pages, said]),
            Some(RtmpAddress::Public("rtmp://in.example.org".into()))
        );
        assert_eq!(
            shown(&[other_port]),
            Some(RtmpAddress::Port(2935)),
            "the page's own host"
        );
        assert_eq!(shown(&[pages, ("rtmp.listen", "off")]), None);
    }
}
