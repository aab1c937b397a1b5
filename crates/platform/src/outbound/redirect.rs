//! Where a redirect leads, and what of the request may go there.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use http::{Method, StatusCode};

use super::{Error, Request, Response};

/// Where the answer sends the request, if it does.
pub(super) fn location(response: &Response) -> Option<&[u8]> {
    let status = response.status.as_u16();
    let leads_on = matches!(status, 301 | 302 | 303 | 307 | 308);
    response
        .headers
        .get(LOCATION)
        .filter(|_| leads_on)
        .map(http::HeaderValue::as_bytes)
}

/// The request that a redirect asks for. The address is judged anew when it is sent.
pub(super) fn follow(mut request: Request, status: StatusCode, location: &[u8]) -> Result<Request, Error> {
    let text = std::str::from_utf8(location).ok();
    let to = text
        .and_then(|text| request.url.join(text).ok())
        .ok_or(Error::Redirect("its address cannot be read"))?;
    if request.url.scheme() == "https" && to.scheme() != "https" {
        return Err(Error::Redirect("it leads from https:// to an address without"));
    }
    if becomes_get(&request.method, status) {
        request.method = Method::GET;
        request.body = Bytes::new();
        request.headers.remove(CONTENT_TYPE);
        request.headers.remove(CONTENT_ENCODING);
    }
    if to.origin() != request.url.origin() {
        // A body may hold a secret that was meant for the first host alone.
        if !request.body.is_empty() {
            return Err(Error::Redirect("it would hand the request's body to another host"));
        }
        for credential in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            request.headers.remove(credential);
        }
    }
    request.url = to;
    Ok(request)
}

/// As browsers do (Fetch §4.4): 303 always asks with GET, 301 and 302 turn a POST into one.
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::SEE_OTHER => method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, url: &str, body: &'static str) -> Request {
        let mut request = Request::post(url.parse().unwrap(), body);
        request.method = method;
        for name in [AUTHORIZATION, COOKIE, CONTENT_TYPE] {
            request.headers.insert(name, "x".parse().unwrap());
        }
        request
    }

    #[test]
    fn credentials_stay_with_the_origin_they_were_meant_for() {
        let follows = |to: &str| {
            let from = request(Method::GET, "https://a.test/x", "");
            follow(from, StatusCode::FOUND, to.as_bytes()).unwrap()
        };
        let same = follows("/y?z");
        assert_eq!(same.url.as_str(), "https://a.test/y?z");
        assert!(same.headers.contains_key(AUTHORIZATION));
        for other in ["https://b.test/", "https://a.test:8443/", "//sub.a.test/"] {
            let there = follows(other);
            assert!(!there.headers.contains_key(AUTHORIZATION), "{other}");
            assert!(!there.headers.contains_key(COOKIE), "{other}");
        }
    }

    #[test]
    fn a_redirect_never_leaves_encryption_and_never_carries_a_body_away() {
        let refused = |method: Method, to: &str, status: u16| {
            let from = request(method, "https://a.test/x", "secret");
            follow(from, StatusCode::from_u16(status).unwrap(), to.as_bytes()).is_err()
        };
        assert!(refused(Method::POST, "http://a.test/x", 302));
        assert!(refused(Method::POST, "ftp://a.test/x", 302));
        assert!(refused(Method::POST, "https://b.test/x", 307));
        assert!(refused(Method::PUT, "https://b.test/x", 302));
        assert!(refused(Method::POST, "https://", 302));
        assert!(!refused(Method::POST, "https://a.test/y", 308));
    }

    #[test]
    fn a_post_that_is_sent_elsewhere_becomes_a_get_without_its_body() {
        for (status, method, body) in [
            (302, Method::GET, ""),
            (303, Method::GET, ""),
            (307, Method::POST, "secret"),
        ] {
            let from = request(Method::POST, "https://a.test/x", "secret");
            let there = follow(from, StatusCode::from_u16(status).unwrap(), b"/y").unwrap();
            assert_eq!((there.method, &there.body[..]), (method, body.as_bytes()), "{status}");
            assert_eq!(there.headers.contains_key(CONTENT_TYPE), !body.is_empty(), "{status}");
        }
    }
}
