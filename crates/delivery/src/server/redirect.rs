//! Leads those who come by plain HTTP to HTTPS.

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode, header};

use super::{Peer, host};

/// What is answered over plain HTTP too: machines that look after the server, the authority that gives its certificate, and
/// players, of which some follow no redirect.
const STAYS: [&str; 7] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known/acme-challenge/",
    "/live/",
    "/hls/",
    "/time",
];

/// Where HTTPS is.
#[derive(Clone, Debug)]
pub enum Redirect {
    /// At one public address, such as `https://live.example.org`, without a slash at its end.
    Public(String),
    /// At the host that was asked for, on this port.
    Port(u16),
}

impl Redirect {
    /// Answers a request for a page or the API that came by plain HTTP from elsewhere.
    pub fn answer<B>(&self, request: &Request<B>) -> Option<Response> {
        let peer = Peer::of(request)?;
        let path = request.uri().path();
        let stays = |place: &str| match place.ends_with('/') {
            true => path.starts_with(place),
            false => path == place,
        };
        if peer.tls || peer.address.is_loopback() || STAYS.into_iter().any(stays) {
            return None;
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let location = format!("{}{target}", self.base(request)?);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, location.parse().ok()?);
        // The host was the asker's choice: nobody else is to be led there.
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        Some(response)
    }

    fn base<B>(&self, request: &Request<B>) -> Option<String> {
        match self {
            Self::Public(url) => Some(url.clone()),
            Self::Port(443) => Some(format!("https://{}", host::name(host::of(request)?)?)),
            Self::Port(port) => Some(format!("https://{}:{port}", host::name(host::of(request)?)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::Origin;
    use super::*;

    fn location(redirect: &Redirect, address: &str, uri: &str) -> Option<String> {
        let mut request = Request::post(uri).header("host", "live.example:8080").body(()).unwrap();
        let address = std::net::SocketAddr::new(address.parse().unwrap(), 1);
        let peer = Origin::new(address, &proxy::Trusted::default()).peer(request.headers());
        request.extensions_mut().insert(peer);
        let response = redirect.answer(&request)?;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        Some(response.headers()[header::LOCATION].to_str().unwrap().to_owned())
    }

    #[test]
    fn pages_and_the_api_lead_to_the_same_place_with_tls() {
        let cases = [
            (Redirect::Port(443), "https://live.example/api/v1/me?a=b"),
            (Redirect::Port(8443), "https://live.example:8443/api/v1/me?a=b"),
            (
                Redirect::Public("https://tv.example".into()),
                "https://tv.example/api/v1/me?a=b",
            ),
        ];
        for (redirect, expected) in cases {
            assert_eq!(
                location(&redirect, "203.0.113.9", "/api/v1/me?a=b").as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn what_must_work_without_tls_stays() {
        for uri in [
            "/healthz",
            "/readyz",
            "/metrics",
            "/.well-known/acme-challenge/x",
            "/live/a.m3u8",
        ] {
            assert_eq!(location(&Redirect::Port(443), "203.0.113.9", uri), None, "{uri}");
        }
        assert!(location(&Redirect::Port(443), "203.0.113.9", "/healthzz").is_some());
        assert_eq!(location(&Redirect::Port(443), "127.0.0.1", "/"), None, "this machine");
    }
}
