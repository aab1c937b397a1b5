//! A browser's cookie counts only for requests of our own pages.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, header};

use crate::actor::Client;
use crate::error::Error;

/// Refuses requests that change something, carry a cookie and come from a page of somebody else (cross-site request forgery).
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let by_cookie = headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION);
    let host = request
        .extensions()
        .get::<Client>()
        .and_then(|client| client.host.as_deref());
    if !safe && by_cookie && !from_our_page(headers, host) {
        return Error::Forbidden("the request comes from another site".into()).into_response();
    }
    next.run(request).await
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
