//! A browser's cookie counts only for requests of our own pages.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, header};

use crate::actor::Client;
use crate::error::Error;

/// Refuses requests that change something and come from a page of somebody else (cross-site request forgery). A sign-in counts too: its
/// cookie would be somebody else's. A program shows a token, which no foreign page can.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let host = request
        .extensions()
        .get::<Client>()
        .and_then(|client| client.host.as_deref());
    if !safe && forged(request.headers(), host) {
        return Error::Forbidden("the request comes from another site".into()).into_response();
    }
    next.run(request).await
}

fn forged(headers: &HeaderMap, host: Option<&str>) -> bool {
    let by_token = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| is_bearer(value.as_bytes()));
    // Only browsers send cookies and say where a page is from: any other client forges nothing.
    let by_browser = ["cookie", "sec-fetch-site", "origin"]
        .iter()
        .any(|name| headers.contains_key(*name));
    by_browser && !by_token && !from_our_page(headers, host)
}

/// Basic is not enough: a browser that once was given such a password adds it by itself.
fn is_bearer(value: &[u8]) -> bool {
    value
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}

/// Fetch Metadata says it where the browser is current; the Origin header before that.
fn from_our_page(headers: &HeaderMap, host: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text("origin").and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| host == Some(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_no_page_and_a_page_adds_no_token() {
        let judged = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            forged(&headers, Some("live.example.org"))
        };
        assert!(!judged(&[]));
        assert!(!judged(&[("authorization", "Basic dG8xOnM=")]));
        assert!(!judged(&[
            ("authorization", "Bearer to1.s"),
            ("origin", "https://evil.example")
        ]));
        assert!(judged(&[
            ("authorization", "Basic dG8xOnM="),
            ("origin", "https://evil.example")
        ]));
        assert!(judged(&[("origin", "https://evil.example")]));
        assert!(judged(&[("cookie", "session=abc")]));
    }

    #[test]
    fn only_our_own_pages_may_use_the_cookie() {
        let judged = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            from_our_page(&headers, Some("live.example.org"))
        };
        assert!(judged(&[("sec-fetch-site", "same-origin")]));
        assert!(judged(&[("origin", "https://live.example.org")]));
        assert!(!judged(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://live.example.org")
        ]));
        assert!(!judged(&[("sec-fetch-site", "same-site")]));
        assert!(!judged(&[("origin", "https://evil.example")]));
        assert!(!judged(&[("origin", "null")]));
        assert!(!judged(&[]));
    }
}
