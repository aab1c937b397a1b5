//! `GET /live/NAME.mpd`: the DASH manifest of the same segments.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use hub::Settings;
use media::TrackId;
use packager::Window;
use packager::dash::Timeline;
use packager::hls::Choice;
use packager::request::Query;
use tokio::time::Instant;

use super::answer::{self, Asked};
use super::channel::{Channel, START_WAIT};
use super::rendered::{FORMS_MAX, Rendered};
use super::{Live, playlist};

const CONTENT_TYPE: &str = "application/dash+xml";

/// One broadcast's manifest: written when it is asked for, and again only when it has changed.
pub(super) struct Manifest(Mutex<State>);

struct State {
    timeline: Timeline,
    window: Option<Arc<Window>>,
    /// By the folder that it leads to, and how it was asked for.
    written: HashMap<(String, Choice), Arc<Rendered>>,
}

impl Manifest {
    /// That of a broadcast with these settings.
    pub(super) fn new(settings: &Settings) -> Self {
        Self(Mutex::new(State {
            timeline: Timeline::new(settings.window, settings.segment),
            window: None,
            written: HashMap::new(),
        }))
    }

    /// Takes note of every window, in order.
    pub(super) fn observe(&self, window: &Arc<Window>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.timeline.observe(window) {
            state.written.clear();
        }
        state.window = Some(Arc::clone(window));
    }

    /// The manifest as it is now; `None` as long as it would hold nothing.
    fn get(&self, folder: &str, choice: Choice) -> Option<Arc<Rendered>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (folder.to_owned(), choice);
        if let Some(written) = state.written.get(&key) {
            return Some(Arc::clone(written));
        }
        if state.written.len() >= FORMS_MAX {
            state.written.clear();
        }
        let text = state.timeline.mpd(state.window.as_ref()?, folder, choice)?;
        let written = Arc::new(Rendered::new(text));
        state.written.insert(key, Arc::clone(&written));
        Some(written)
    }
}

/// Like the multivariant playlist, it is waited for while the stream is starting.
pub(super) async fn get(live: &Live, channel: &Channel, name: &str, query: &str, asked: &Asked) -> Response {
    let Ok(query) = Query::parse(query) else {
        return playlist::bad_query("a number in the query cannot be read");
    };
    channel.seen(asked.viewer);
    let (folder, choice) = (channel.folder(name), query.choice);
    let find = || channel.manifest().get(&folder, choice);
    let written = match find() {
        None if !asked.head => {
            let _held = live.stats().hold();
            // The leading track is waited for, whichever it is; before there is a window, both will change.
            let track = channel.window().map_or(TrackId::VIDEO, |window| leader(&window));
            channel.wait(track, Instant::now() + START_WAIT, |_| find()).await
        }
        written => written,
    };
    live.stats().playlists.fetch_add(1, Ordering::Relaxed);
    match written {
        Some(written) => answer::playlist(asked, &written, CONTENT_TYPE, "public, max-age=1"),
        None => answer::later(2),
    }
}

fn leader(window: &Window) -> TrackId {
    if window.video.is_some() {
        TrackId::VIDEO
    } else {
        TrackId::AUDIO
    }
}
