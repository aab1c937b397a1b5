//! Which address leads where.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing};
use http::{Method, Request, StatusCode, header};
use packager::hls::names::{File, Stem};
use packager::request::Query;

use super::admission::{self, Way};
use super::answer::{self, Asked};
use super::channel::Channel;
use super::{Live, api, files, manifest, multivariant, playlist, still};
use crate::server::host;

pub(super) fn router(live: &Live) -> Router {
    Router::new()
        .route("/live/{*path}", routing::any(media))
        .route("/hls/{*path}", routing::any(media))
        .route("/api/v1/live", routing::any(json))
        .route("/api/v1/live/{name}", routing::any(json))
        .route("/time", routing::any(json))
        .with_state(live.clone())
}

async fn media(State(live): State<Live>, request: Request<Body>) -> Response {
    if let Some(response) = other_method(&request) {
        return answer::open(response);
    }
    let asked = Asked::new(&request);
    // A slice of the request would keep the buffer that it was read into for as long as it waits.
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str())
        .to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path
        .trim_start_matches('/')
        .split_once('/')
        .map_or("", |(_, path)| path);
    let Some(way) = Way::find(&live, path) else {
        return answer::open(answer::not_found());
    };
    let shown = admission::shown(way.access, request.headers());
    drop(request);
    if !admission::admits(&live, way.channel.broadcast().name(), shown).await {
        return answer::open(answer::not_found());
    }
    admission::seal(way.access, dispatch(&live, &way, path, query, &asked).await)
}

/// Answers a request for a media playlist that is there: most requests are such, and the router would cost as much again.
pub(super) fn at_once<B>(live: &Live, request: &Request<B>) -> Option<Response> {
    let path = request.uri().path().strip_prefix("/live/")?;
    if request.method() != Method::GET || !path.ends_with(".m3u8") {
        return None;
    }
    let mut folders = path.splitn(3, '/');
    let (name, id, file) = (folders.next()?, folders.next()?, folders.next()?);
    let stem = Stem::parse(file.strip_suffix(".m3u8")?)?;
    let query = Query::parse(request.uri().query().unwrap_or_default()).ok()?;
    let channel = admission::open_to_everybody(live, name, id)?;
    playlist::at_once(live, &channel, stem.0, &query, &Asked::new(request)).map(answer::open)
}

/// Answers what is neither GET nor HEAD.
fn other_method(request: &Request<Body>) -> Option<Response> {
    match *request.method() {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => Some(answer::preflight()),
        _ => {
            let mut response = answer::sentence(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
            answer::set(&mut response, header::ALLOW, "GET, HEAD, OPTIONS");
            Some(response)
        }
    }
}

/// Answers for a place that whoever asks is admitted to.
async fn dispatch(live: &Live, way: &Way<'_>, path: &str, query: &str, asked: &Asked) -> Response {
    let (channel, name) = (&way.channel, way.name);
    let mut folders = path.split('/').skip(1);
    match (folders.next(), folders.next(), folders.next(), folders.next()) {
        (None, ..) if path.ends_with(".mpd") => Box::pin(manifest::get(live, channel, name, query, asked)).await,
        (None, ..) => Box::pin(multivariant::get(live, channel, name, query, asked)).await,
        (Some("still.mp4"), None, ..) => Box::pin(still::get(live, channel, asked)).await,
        (Some(_), Some(file), None, _) => match file.strip_suffix(".m3u8") {
            Some(stem) => listed(live, channel, stem, query, asked).await,
            None => answer::not_found(),
        },
        (Some(_), Some(folder), Some(file), None) => match (Stem::parse(folder), File::parse(file)) {
            (Some(stem), Some(file)) => files::get(live, channel, stem.0, file, asked).await,
            _ => answer::not_found(),
        },
        _ => answer::not_found(),
    }
}

/// The playlist of a rendition, or of its key frames.
async fn listed(live: &Live, channel: &Arc<Channel>, stem: &str, query: &str, asked: &Asked) -> Response {
    if let Some(stem) = stem.strip_suffix(".iframes").and_then(Stem::parse) {
        return playlist::iframes(live, channel, stem.0, asked);
    }
    match Stem::parse(stem) {
        Some(stem) => playlist::get(live, channel, stem.0, query, asked).await,
        None => answer::not_found(),
    }
}

async fn json(State(live): State<Live>, request: Request<Body>) -> Response {
    if let Some(response) = other_method(&request) {
        return answer::open(response);
    }
    let asked = Asked::new(&request);
    let path = match request.uri().path() {
        "/time" => return answer::open(api::time()),
        "/api/v1/live" => return answer::open(api::list(&live, host::shown(&request), &asked)),
        path => path.to_owned(),
    };
    let name = path.trim_start_matches("/api/v1/live/");
    let Some(place) = live.0.names.find(name) else {
        return answer::open(api::missing(name));
    };
    let shown = admission::shown(place.access, request.headers());
    let host = host::shown(&request).map(str::to_owned);
    drop(request);
    if !admission::admits(&live, &place.name, shown).await {
        return answer::open(api::missing(name));
    }
    admission::seal(place.access, api::one(&live, name, &place, host.as_deref(), &asked))
}
