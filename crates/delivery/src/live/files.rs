//! `GET /live/NAME/ID/video/…`: initialisation segments, segments and parts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use media::{Kind, TrackId};
use packager::hls::names::{File, Stem};
use packager::request::{self, Found};
use packager::window::Segment;
use tokio::time::Instant;

use super::Live;
use super::answer::{self, Asked};
use super::body::{Growing, Whole};
use super::channel::Channel;

/// A box of nothing (`free`).
const EMPTY_SEGMENT: &[u8] = b"\0\0\0\x08free";

pub(super) async fn get(live: &Live, channel: &Arc<Channel>, track: TrackId, file: File, asked: &Asked) -> Response {
    let Some(window) = channel.window() else {
        return answer::not_found();
    };
    match request::find(&window, track, file) {
        Found::Soon if asked.head => answer::not_found(),
        Found::Soon => {
            let deadline = Instant::now() + window.targets.block_max();
            drop(window);
            Box::pin(held(live, channel, track, file, asked, deadline)).await
        }
        found => serve(live, channel, track, file, found, asked),
    }
}

/// A part that playlists hint at, or a segment that is about to begin.
async fn held(
    live: &Live,
    channel: &Arc<Channel>,
    track: TrackId,
    file: File,
    asked: &Asked,
    deadline: Instant,
) -> Response {
    let _held = live.stats().hold();
    let found = channel.wait(track, deadline, |window| match request::find(window, track, file) {
        Found::Soon => None,
        found => Some(found),
    });
    match found.await {
        Some(found) => serve(live, channel, track, file, found, asked),
        None => {
            live.stats().timed_out.fetch_add(1, Ordering::Relaxed);
            answer::later(1)
        }
    }
}

fn serve(live: &Live, channel: &Arc<Channel>, track: TrackId, file: File, found: Found, asked: &Asked) -> Response {
    let stem = Stem(track);
    let etag = format!("\"{stem}-{file}\"");
    let content_type = content_type(track.kind);
    match found {
        Found::Init(init) => whole(live, asked, &etag, content_type, &init.bytes),
        Found::Part(part) => whole(live, asked, &etag, content_type, &part.bytes),
        Found::Segment { segment, whole: true } => segment_answer(live, asked, &etag, content_type, segment),
        Found::Segment { segment, whole: false } => {
            live.stats().count_media(0);
            let body = if asked.head {
                Body::empty()
            } else {
                Body::new(Growing::new(live, Arc::clone(channel), track, segment.number))
            };
            answer::growing(&etag, content_type, body)
        }
        // A segment of no samples: an error would be tried again and again, and shown to viewers.
        Found::Past => answer::growing(&etag, content_type, Body::from(EMPTY_SEGMENT)),
        Found::Soon | Found::Nothing => answer::not_found(),
    }
}

fn whole(live: &Live, asked: &Asked, etag: &str, content_type: &'static str, content: &Bytes) -> Response {
    let length = content.len() as u64;
    answer::media(asked, etag, content_type, length, |range| {
        live.stats().count_media(range.end - range.start);
        answer::bytes(content, range)
    })
}

fn segment_answer(
    live: &Live,
    asked: &Asked,
    etag: &str,
    content_type: &'static str,
    segment: Arc<Segment>,
) -> Response {
    answer::media(asked, etag, content_type, segment.bytes(), |range| {
        live.stats().count_media(range.end - range.start);
        Body::new(Whole::new(segment, range))
    })
}

fn content_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video/mp4",
        Kind::Audio => "audio/mp4",
    }
}
