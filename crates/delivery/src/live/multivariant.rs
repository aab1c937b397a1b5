//! `GET /live/NAME.m3u8`

use std::sync::atomic::Ordering;

use axum::response::Response;
use packager::request::Query;

use super::answer::{self, Asked};
use super::channel::Channel;
use super::{Live, playlist};

/// The playlist that leads to all others. A stream that is only starting is waited for; one that waits for its source after a
/// restart too, and whoever waited for nothing is told to come again.
pub(super) async fn get(live: &Live, channel: &Channel, name: &str, query: &str, asked: &Asked) -> Response {
    let Ok(query) = Query::parse(query) else {
        return playlist::bad_query("a number in the query cannot be read");
    };
    channel.seen(asked.viewer);
    let window = match channel.window() {
        None if !asked.head => {
            let _held = live.stats().hold();
            channel.started().await
        }
        window => window,
    };
    let Some(window) = window else {
        return answer::later(2);
    };
    live.stats().playlists.fetch_add(1, Ordering::Relaxed);
    let rendered = channel
        .playlists()
        .multivariant(&window, (name, &channel.folder(name)), query.choice, live.stats());
    answer::playlist(asked, &rendered, playlist::CONTENT_TYPE, "public, max-age=1")
}
