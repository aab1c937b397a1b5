//! The addresses that people are shown.

use std::net::SocketAddr;

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
    config.rtmp_public_url.clone().or_else(plain).or_else(secure)
}

/// Where pages say that RTMP is.
pub fn shown_rtmp(config: &Config) -> Option<RtmpAddress> {
    let port = || Some(RtmpAddress::Port(config.rtmp_listen?.port()));
    config.rtmp_public_url.clone().map(RtmpAddress::Public).or_else(port)
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
