//! The web app's pages and files.

mod pages;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use http::{HeaderMap, Method, Request, StatusCode, header};
use web_assets::{Asset, Route};

use self::pages::{Audience, Page};
use crate::server::host;

/// What a page shows of a stream before any script has run.
#[derive(Clone, Debug)]
pub struct Playback {
    /// The stream's title.
    pub title: String,
    /// What the player needs, as JSON: saves it the first question.
    pub json: String,
}

/// Finds what is known of a stream by its public name, and by the host that the page was opened with.
pub type Lookup = Arc<dyn Fn(&str, Option<&str>) -> Option<Playback> + Send + Sync>;

/// Serves the app at every path that nobody else takes: its files, and its one page for the routes of the browser.
///
/// `public_url` is the address that links carry to where they are pasted, without a slash at its end.
pub fn router(lookup: Lookup, public_url: Option<String>) -> Router {
    let public_url = public_url.map(|url| web_assets::escape(&url));
    let page = move |request: Request<Body>| {
        let response = match *request.method() {
            Method::GET | Method::HEAD => page(&request, &lookup, public_url.as_deref()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response(),
        };
        std::future::ready(response)
    };
    Router::new().fallback(routing::any(page))
}

fn page(request: &Request<Body>, lookup: &Lookup, public_url: Option<&str>) -> Response {
    match web_assets::get(request.uri().path()) {
        Some(asset) => file(&asset, request.headers()),
        None => shell(request, lookup, public_url),
    }
}

fn file(asset: &Asset, headers: &HeaderMap) -> Response {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let variant = asset.variant(accepted.unwrap_or_default());
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let seen = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = seen.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == variant.etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(variant.bytes).into_response()
    };
    let mut set = |name, value: &str| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, asset.content_type);
    set(header::CACHE_CONTROL, cache);
    set(header::ETAG, &variant.etag);
    set(header::VARY, "Accept-Encoding");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(token) = variant.encoding.token() {
        set(header::CONTENT_ENCODING, token);
    }
    response
}

/// The page for a path, with what its route needs in its head.
fn shell(request: &Request<Body>, lookup: &Lookup, public_url: Option<&str>) -> Response {
    let shell = web_assets::shell();
    let path = request.uri().path();
    let page = pages::find(path);
    let (status, head) = match path.strip_prefix("/watch/") {
        Some(name) => (StatusCode::OK, watch_head(name, lookup(name, host::shown(request)))),
        None if path == "/" => (StatusCode::OK, home_head()),
        None => match page {
            Some(page) => (StatusCode::OK, page_head(page, path)),
            None => (StatusCode::NOT_FOUND, String::new()),
        },
    };
    let audience = page.map_or(Audience::Everybody, |page| page.audience);
    let canonical = public_url
        .filter(|_| status == StatusCode::OK && audience == Audience::Everybody)
        .map(|url| canonical(url, path))
        .unwrap_or_default();
    let mut response = (status, shell.with_head(&(head + &canonical))).into_response();
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::CACHE_CONTROL, "no-cache");
    set(
        header::CONTENT_SECURITY_POLICY,
        &shell.content_security_policy("'self'"),
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, referrer_policy(audience));
    response
}

fn referrer_policy(audience: Audience) -> &'static str {
    match audience {
        Audience::Holder => "no-referrer",
        Audience::Everybody | Audience::Person => "strict-origin-when-cross-origin",
    }
}

fn canonical(public_url: &str, path: &str) -> String {
    let url = format!("{public_url}{}", web_assets::escape(path));
    format!(r#"<link rel="canonical" href="{url}"><meta property="og:url" content="{url}">"#)
}

fn home_head() -> String {
    let preloads = web_assets::shell().preload_tags(Route::Home);
    format!(r#"<title>Headwater</title><meta name="description" content="Live streams on this server">{preloads}"#)
}

fn page_head(page: Page, path: &str) -> String {
    let preloads = web_assets::shell().preload_tags(Route::App);
    let robots = match page.audience {
        Audience::Everybody => "",
        Audience::Person | Audience::Holder => r#"<meta name="robots" content="noindex">"#,
    };
    // A page without a title of its own is named after the last piece of its path, as a channel is.
    let title = match page.title {
        "" => web_assets::escape(path.rsplit('/').find(|piece| !piece.is_empty()).unwrap_or_default()),
        title => title.to_owned(),
    };
    format!("<title>{title} · Headwater</title>{robots}{preloads}")
}

fn watch_head(name: &str, playback: Option<Playback>) -> String {
    let preloads = web_assets::shell().preload_tags(Route::Watch);
    let title = web_assets::escape(playback.as_ref().map_or(name, |playback| &playback.title));
    let mut head = format!("<title>{title} · Headwater</title>{preloads}");
    let tags = [
        ("og:type", "video.other"),
        ("og:title", &title),
        ("og:site_name", "Headwater"),
    ];
    for (property, content) in tags {
        let _ = write!(head, r#"<meta property="{property}" content="{content}">"#);
    }
    if let Some(playback) = playback {
        head.push_str(&web_assets::json_script("playback", &playback.json));
    }
    head
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tower_service::Service;

    use super::*;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let lookup: Lookup = Arc::new(|name, _| {
            (name == "colors").then(|| Playback {
                title: "<Colors>".into(),
                json: r#"{"name":"colors"}"#.into(),
            })
        });
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(lookup, Some("https://live.example.org".into()))
            .call(request)
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_watch_page_carries_what_its_player_needs() {
        let (status, headers, page) = get("/watch/colors").await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("default-src 'self'")
        );
        assert!(page.contains("<title>&lt;Colors&gt; · Headwater</title>"), "{page}");
        assert!(page.contains(r#"{"name":"colors"}"#));
        assert!(page.contains(r#"<link rel="canonical" href="https://live.example.org/watch/colors">"#));
    }

    #[tokio::test]
    async fn a_name_in_a_path_cannot_write_tags() {
        let (_, _, page) = get("/watch/%3Cscript%3Ealert(1)%3C/script%3E").await;
        assert!(!page.contains("<script>alert"));
    }

    #[tokio::test]
    async fn the_address_of_a_mailed_link_is_told_to_nobody() {
        for path in [
            "/setup?token=abc",
            "/verify?token=abc",
            "/reset?token=abc",
            "/invite?token=abc",
        ] {
            let (status, headers, page) = get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            assert!(page.contains(r#"<meta name="robots" content="noindex">"#), "{path}");
            assert!(!page.contains("abc") && !page.contains("canonical"), "{path}: {page}");
        }
    }

    #[tokio::test]
    async fn pages_of_a_person_are_there_and_not_for_search_engines() {
        for (path, title) in [
            ("/login", "Sign in"),
            ("/me/security", "Security"),
            ("/studio/setup/st1", "Go live"),
            ("/admin/users", "People"),
        ] {
            let (status, headers, page) = get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::REFERRER_POLICY], "strict-origin-when-cross-origin");
            assert!(page.contains(&format!("<title>{title} · Headwater</title>")), "{page}");
            assert!(page.contains("noindex"), "{path}");
        }
    }

    #[tokio::test]
    async fn a_channel_page_is_for_search_engines_and_named_after_it() {
        let (status, _, page) = get("/c/harbour").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("<title>harbour · Headwater</title>"), "{page}");
        assert!(page.contains(r#"<link rel="canonical" href="https://live.example.org/c/harbour">"#));
        assert!(!page.contains("noindex"));
        let (_, _, page) = get("/c/%3Cscript%3E").await;
        assert!(!page.contains("<title><script>"), "{page}");
    }

    #[tokio::test]
    async fn an_unknown_path_is_not_found_and_still_a_page() {
        let (status, _, page) = get("/nothing/here").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(page.contains("<html"));
    }
}
