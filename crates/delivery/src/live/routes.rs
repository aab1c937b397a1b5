//! Which address leads where.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing};
use http::{Method, Request, StatusCode, header};
use packager::hls::names::{self, File};
use packager::request::Query;

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
    drop(request);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path
        .trim_start_matches('/')
        .split_once('/')
        .map_or("", |(_, path)| path);
    let response = dispatch(&live, path, query, &asked).await;
    answer::open(response)
}

/// Answers a request for a media playlist that is there: most requests are such, and the router would cost as much again.
pub(super) fn at_once<B>(live: &Live, request: &Request<B>) -> Option<Response> {
    let path = request.uri().path().strip_prefix("/live/")?;
    if request.method() != Method::GET || !path.ends_with(".m3u8") {
        return None;
    }
    let mut folders = path.splitn(3, '/');
    let (name, id, file) = (folders.next()?, folders.next()?, folders.next()?);
    let kind = names::kind(file.strip_suffix(".m3u8")?)?;
    let query = Query::parse(request.uri().query().unwrap_or_default()).ok()?;
    let channel = channel(live, name, id)?;
    playlist::at_once(live, &channel, kind, &query, &Asked::new(request)).map(answer::open)
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

async fn dispatch(live: &Live, path: &str, query: &str, asked: &Asked) -> Response {
    let mut folders = path.split('/');
    match (
        folders.next(),
        folders.next(),
        folders.next(),
        folders.next(),
        folders.next(),
    ) {
        (Some(file), None, ..) => match (file.strip_suffix(".m3u8"), file.strip_suffix(".mpd")) {
            (Some(name), _) => Box::pin(multivariant::get(live, name, query, asked)).await,
            (_, Some(name)) => Box::pin(manifest::get(live, name, query, asked)).await,
            _ => answer::not_found(),
        },
        (Some(name), Some("still.mp4"), None, ..) => Box::pin(still::get(live, name, asked)).await,
        (Some(name), Some(id), Some(file), None, _) => {
            let kind = file.strip_suffix(".m3u8").and_then(names::kind);
            match (channel(live, name, id), kind) {
                (Some(channel), Some(kind)) => playlist::get(live, &channel, kind, query, asked).await,
                _ => answer::not_found(),
            }
        }
        (Some(name), Some(id), Some(folder), Some(file), None) => {
            match (channel(live, name, id), names::kind(folder), File::parse(file)) {
                (Some(channel), Some(kind), Some(file)) => files::get(live, &channel, kind, file, asked).await,
                _ => answer::not_found(),
            }
        }
        _ => answer::not_found(),
    }
}

/// The channel of a broadcast, if that is its name.
fn channel(live: &Live, name: &str, id: &str) -> Option<Arc<Channel>> {
    let channel = live.0.directory.by_id(id)?;
    (channel.broadcast().name().as_str() == name).then_some(channel)
}

async fn json(State(live): State<Live>, request: Request<Body>) -> Response {
    if let Some(response) = other_method(&request) {
        return answer::open(response);
    }
    let asked = Asked::new(&request);
    let response = match request.uri().path() {
        "/time" => api::time(),
        "/api/v1/live" => api::list(&live, host(&request), &asked),
        path => api::one(&live, path.trim_start_matches("/api/v1/live/"), host(&request), &asked),
    };
    answer::open(response)
}
