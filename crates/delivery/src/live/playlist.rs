//! `GET /live/NAME/ID/video.m3u8`: media playlists, held until they have what was asked for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use media::{Kind, TrackId};
use packager::Window;
use packager::hls::Form;
use packager::request::{self, Query, Verdict};
use tokio::time::Instant;

use super::Live;
use super::answer::{self, Asked};
use super::channel::Channel;
use super::rendered::Waiting;

/// As RFC 8216 has it.
pub(super) const CONTENT_TYPE: &str = "application/vnd.apple.mpegurl";
/// A player that needs a whole segment waits for the first one. hls.js gives up after ten seconds.
const FIRST_SEGMENT_WAIT: Duration = Duration::from_secs(9);

pub(super) async fn get(live: &Live, channel: &Arc<Channel>, track: TrackId, query: &str, asked: &Asked) -> Response {
    let query = match Query::parse(query) {
        Ok(query) => query,
        Err(error) => return bad_query(&error.to_string()),
    };
    channel.seen(asked.viewer);
    if asked.head {
        // Nobody waits for headers.
        return match channel.window() {
            Some(window) => serve(live, channel, &window, track, &query, asked),
            None => answer::later(1),
        };
    }
    match now(channel, track, &query, asked) {
        Some(Ok(window)) => serve(live, channel, &window, track, &query, asked),
        Some(Err(response)) => response,
        // Few requests of a player are held for long, but there may be many players: their futures are to be small.
        None => Box::pin(held(live, channel, track, &query, asked)).await,
    }
}

/// The playlist, if nothing keeps it from being sent now.
pub(super) fn at_once(
    live: &Live,
    channel: &Channel,
    track: TrackId,
    query: &Query,
    asked: &Asked,
) -> Option<Response> {
    let window = now(channel, track, query, asked)?.ok()?;
    channel.seen(asked.viewer);
    Some(serve(live, channel, &window, track, query, asked))
}

/// What can be said at once; `None` if the request must wait.
fn now(channel: &Channel, track: TrackId, query: &Query, asked: &Asked) -> Option<Result<Arc<Window>, Response>> {
    let window = channel.window()?;
    let found = judge(&window, track, query, asked)?;
    Some(found.map(|()| window))
}

fn judge(window: &Window, track: TrackId, query: &Query, asked: &Asked) -> Option<Result<(), Response>> {
    let Some(rendition) = window.rendition(track) else {
        // A quality that is planned is waited for.
        let comes = !window.ended && window.plan(track).is_some();
        return if comes { None } else { Some(Err(answer::not_found())) };
    };
    match request::judge(window, rendition, query) {
        Ok(Verdict::Serve) => {
            let playable = window.ended || !rendition.listed().is_empty() || !needs_segment(window, query, asked);
            playable.then_some(Ok(()))
        }
        Ok(Verdict::Wait) => None,
        Err(error) => Some(Err(bad_query(&error.to_string()))),
    }
}

/// Whether a playlist without a whole segment would be of no use.
fn needs_segment(window: &Window, query: &Query, asked: &Asked) -> bool {
    let has_parts = window.targets.low_latency() && matches!(query.form(), Form::LowLatency { .. });
    query.segment.is_none() && (asked.needs_segment || !has_parts)
}

async fn held(live: &Live, channel: &Arc<Channel>, track: TrackId, query: &Query, asked: &Asked) -> Response {
    let _held = live.stats().hold();
    let Some(first) = channel.started().await else {
        return answer::later(1);
    };
    let waits = match query.segment {
        Some(_) => first.targets.block_max(),
        None => FIRST_SEGMENT_WAIT,
    };
    drop(first);
    let found = channel.wait(track, Instant::now() + waits, |window| {
        let found = judge(window, track, query, asked)?;
        Some(found.map(|()| Arc::clone(window)))
    });
    match found.await {
        Some(Ok(window)) => serve(live, channel, &window, track, query, asked),
        Some(Err(response)) => response,
        None => {
            live.stats().timed_out.fetch_add(1, Ordering::Relaxed);
            answer::later(1)
        }
    }
}

fn serve(live: &Live, channel: &Channel, window: &Window, track: TrackId, query: &Query, asked: &Asked) -> Response {
    let Some(rendition) = window.rendition(track) else {
        return answer::not_found();
    };
    live.stats().playlists.fetch_add(1, Ordering::Relaxed);
    let waiting = match query.segment {
        Some(_) => Waiting::ForPart,
        None => Waiting::No,
    };
    let rendered = channel
        .playlists()
        .media(window, rendition, query.form(), waiting, live.stats());
    answer::playlist(asked, &rendered, CONTENT_TYPE, &cache(window, query))
}

/// `GET /live/NAME/ID/video.iframes.m3u8`: the key frames of a quality, of what is there now.
pub(super) fn iframes(live: &Live, channel: &Channel, track: TrackId, asked: &Asked) -> Response {
    let Some(window) = channel.window() else {
        return answer::later(1);
    };
    let pictures = window.rendition(track).filter(|_| track.kind == Kind::Video);
    let Some(rendition) = pictures else {
        return answer::not_found();
    };
    channel.seen(asked.viewer);
    live.stats().playlists.fetch_add(1, Ordering::Relaxed);
    let rendered = channel.playlists().iframes(&window, rendition, live.stats());
    answer::playlist(asked, &rendered, CONTENT_TYPE, "public, max-age=1")
}

/// What a cache may keep: the answer to a question that names a segment is right for good, and useful for a while; any other
/// is soon replaced.
fn cache(window: &Window, query: &Query) -> String {
    let seconds = match (window.ended, query.segment) {
        (true, _) => 60,
        (false, Some(_)) if !query.choice.is_plain() => 6 * window.targets.target_duration,
        (false, _) => 1,
    };
    format!("public, max-age={seconds}")
}

pub(super) fn bad_query(text: &str) -> Response {
    answer::sentence(StatusCode::BAD_REQUEST, text)
}
