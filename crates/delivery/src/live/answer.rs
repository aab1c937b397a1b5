//! Answers and their headers: who may read them, how long they may be kept, and whether they are needed at all.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode};

use super::rendered::Rendered;
use super::viewers;
use crate::server::Peer;

/// Files whose name is never used for anything else.
pub(super) const FOR_EVER: &str = "public, max-age=86400, immutable";
/// Headers of an answer, with those that the server adds.
const HEADERS: usize = 14;
/// What may be there a moment later.
pub(super) const NOT_KEPT: &str = "no-store";

/// What matters of a request once its path is known; the rest of it need not be kept while it waits.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) head: bool,
    pub(super) gzip: bool,
    /// The player cannot begin before a whole segment is listed.
    pub(super) needs_segment: bool,
    pub(super) viewer: u64,
    known: Option<HeaderValue>,
    range: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn new<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        let peer = Peer::of(request).map(|peer| peer.address);
        let range = headers.get(header::RANGE);
        Self {
            head: request.method() == Method::HEAD,
            gzip: accepts_gzip(headers),
            needs_segment: needs_segment(headers),
            viewer: viewers::identity(peer, headers, request.uri().query().unwrap_or_default()),
            known: headers.get(header::IF_NONE_MATCH).cloned(),
            // A range of a version that may be another one is not worth telling apart: all of it is right in any case.
            range: range.filter(|_| !headers.contains_key(header::IF_RANGE)).cloned(),
        }
    }

    /// Whether the viewer already has what has this tag.
    fn has(&self, etag: &HeaderValue) -> bool {
        let Some(known) = self.known.as_ref().and_then(|known| known.to_str().ok()) else {
            return false;
        };
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let etag = opaque(etag.to_str().unwrap_or_default());
        known.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == etag)
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().trim_start_matches("q=").parse::<f32>() == Ok(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// hls.js and shaka (in browsers), and the players built on FFmpeg, VLC and GStreamer take a playlist without a whole segment
/// for an error. Apple's own player, which has no `Mozilla` in its name, begins with parts.
fn needs_segment(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 6] = ["Mozilla/", "Lavf/", "VLC/", "LibVLC", "GStreamer", "mpv"];
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    NAMES.into_iter().any(|name| agent.unwrap_or_default().contains(name))
}

/// An answer with a status and a sentence.
pub(super) fn sentence(status: StatusCode, text: impl Into<String>) -> Response {
    let mut response = Response::new(Body::from(text.into() + "\n"));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    set(&mut response, header::CACHE_CONTROL, NOT_KEPT);
    response
}

/// There is nothing of that name, now.
pub(super) fn not_found() -> Response {
    sentence(StatusCode::NOT_FOUND, "not found")
}

/// It will be there, but not soon enough.
pub(super) fn later(seconds: u32) -> Response {
    let mut response = sentence(StatusCode::SERVICE_UNAVAILABLE, "not there yet: try again");
    set(&mut response, header::RETRY_AFTER, &seconds.to_string());
    response
}

/// A playlist.
pub(super) fn playlist(asked: &Asked, rendered: &Rendered, content_type: &'static str, cache: &str) -> Response {
    let known = asked.has(rendered.etag());
    let mut response = if known {
        empty(StatusCode::NOT_MODIFIED)
    } else if asked.gzip {
        Response::new(Body::from(rendered.gzip()))
    } else {
        Response::new(Body::from(rendered.text()))
    };
    // Room for all of them at once.
    response.headers_mut().reserve(HEADERS);
    if asked.gzip && !known {
        fix(&mut response, header::CONTENT_ENCODING, "gzip");
    }
    fix(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::CACHE_CONTROL, cache);
    fix(&mut response, header::VARY, "Accept-Encoding");
    response.headers_mut().insert(header::ETAG, rendered.etag().clone());
    response
}

/// Bytes of media with a length, of which a range may be asked for. `body` makes the body of a range.
pub(super) fn media(
    asked: &Asked,
    etag: &str,
    content_type: &'static str,
    length: u64,
    body: impl FnOnce(std::ops::Range<u64>) -> Body,
) -> Response {
    let etag = HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\""));
    let mut response = if asked.has(&etag) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        match range(asked.range.as_ref(), length) {
            Range::Whole => Response::new(body(0..length)),
            Range::Part(from, to) => partial(from, to, length, body(from..to)),
            Range::None => unsatisfiable(length),
        }
    };
    response.headers_mut().reserve(HEADERS);
    response.headers_mut().insert(header::ETAG, etag);
    fix(&mut response, header::ACCEPT_RANGES, "bytes");
    fix(&mut response, header::CONTENT_TYPE, content_type);
    if response.status() != StatusCode::RANGE_NOT_SATISFIABLE {
        fix(&mut response, header::CACHE_CONTROL, FOR_EVER);
    }
    response
}

/// Media whose length is not known yet.
pub(super) fn growing(etag: &str, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    set(&mut response, header::ETAG, etag);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::CACHE_CONTROL, FOR_EVER);
    response
}

fn partial(from: u64, to: u64, length: u64, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    set(
        &mut response,
        header::CONTENT_RANGE,
        &format!("bytes {from}-{}/{length}", to - 1),
    );
    response
}

fn unsatisfiable(length: u64) -> Response {
    let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
    set(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
    set(&mut response, header::CACHE_CONTROL, NOT_KEPT);
    response
}

/// The answer to a browser that asks what it may do.
pub(super) fn preflight() -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    set(
        &mut response,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, OPTIONS",
    );
    set(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, "86400");
    response
}

/// Keeps an answer for whoever asked: no cache and no page of another origin may have it.
pub(super) fn closed(mut response: Response) -> Response {
    fix(&mut response, header::CACHE_CONTROL, "private, no-store");
    fix(&mut response, header::VARY, "Accept-Encoding, Authorization, Cookie");
    fix(
        &mut response,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    fix(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Lets pages of any origin read an answer.
pub(super) fn open(mut response: Response) -> Response {
    fix(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    fix(
        &mut response,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Age, Content-Length, Content-Range, Date, ETag, Retry-After",
    );
    fix(&mut response, HeaderName::from_static("timing-allow-origin"), "*");
    fix(
        &mut response,
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    );
    fix(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

pub(super) fn bytes(content: &Bytes, range: std::ops::Range<u64>) -> Body {
    let (from, to) = (range.start as usize, range.end as usize);
    Body::from(content.slice(from.min(content.len())..to.min(content.len())))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The same for a value that is always there: nothing is copied or checked for each answer.
fn fix(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(u64, u64),
    None,
}

/// RFC 9110 §14: one range of bytes; a header that cannot be understood, or asks for several, is ignored.
fn range(header: Option<&HeaderValue>, length: u64) -> Range {
    let text = header.and_then(|header| header.to_str().ok()?.strip_prefix("bytes="));
    let Some((from, to)) = text.and_then(|text| text.split_once('-')) else {
        return Range::Whole;
    };
    match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => within(from, to.saturating_add(1).min(length)),
        (Ok(from), Err(_)) if to.trim().is_empty() => within(from, length),
        (Err(_), Ok(last)) if from.trim().is_empty() => within(length - last.min(length), length),
        _ => Range::Whole,
    }
}

fn within(from: u64, to: u64) -> Range {
    if from < to { Range::Part(from, to) } else { Range::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        for (text, expected) in [
            ("bytes=0-9", Range::Part(0, 10)),
            ("bytes=90-", Range::Part(90, 100)),
            ("bytes=90-1000", Range::Part(90, 100)),
            ("bytes=-10", Range::Part(90, 100)),
            ("bytes=-1000", Range::Part(0, 100)),
            ("bytes=100-", Range::None),
            ("bytes=-0", Range::None),
            ("bytes=9-0", Range::Whole),
            ("bytes=0-1,5-6", Range::Whole),
            ("bytes=", Range::Whole),
            ("bytes=-", Range::Whole),
            ("items=0-9", Range::Whole),
            ("bytes=18446744073709551615-18446744073709551615", Range::None),
        ] {
            let header = HeaderValue::from_static(text);
            assert_eq!(range(Some(&header), 100), expected, "{text}");
        }
        assert_eq!(range(None, 100), Range::Whole);
    }

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        for (text, accepted) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{text}");
        }
    }

    #[test]
    fn players_that_need_a_segment_are_known_by_name() {
        for (agent, needs) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0", true),
            ("Lavf/59.27.100", true),
            ("VLC/3.0.24 LibVLC/3.0.24", true),
            (
                "AppleCoreMedia/1.0.0.20E247 (iPhone; U; CPU OS 16_4 like Mac OS X)",
                false,
            ),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(agent))]);
            assert_eq!(needs_segment(&headers), needs, "{agent}");
        }
    }
}
