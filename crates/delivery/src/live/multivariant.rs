//! `GET /live/NAME.m3u8`

use std::sync::atomic::Ordering;

use axum::response::Response;
use hub::Name;
use packager::request::Query;

use super::answer::{self, Asked};
use super::{Live, playlist};

/// The playlist that leads to all others. A stream that is only starting is waited for; one that waits for its source after a
/// restart too, and whoever waited for nothing is told to come again.
pub(super) async fn get(live: &Live, name: &str, query: &str, asked: &Asked) -> Response {
    let Some(channel) = Name::parse(name).ok().and_then(|name| live.newest(&name)) else {
        return answer::not_found();
    };
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
        .multivariant(&window, &channel.folder(), query.choice, live.stats());
    answer::playlist(asked, &rendered, playlist::CONTENT_TYPE, "public, max-age=1")
}
