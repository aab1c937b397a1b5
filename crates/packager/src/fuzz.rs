//! Entry points of the fuzz targets; ordinary tests replay their corpora.

use std::sync::OnceLock;

use media::TrackId;

use crate::hls::names::{File, Stem};
use crate::request::{self, Found, Query, Verdict};
use crate::testing::{Broadcast, Source};
use crate::{Window, hls};

/// A request line as a viewer may send it, from the rendition's folder on: `video.m3u8?_HLS_msn=3`, `audio/p7.mp4`.
pub fn request(data: &[u8]) {
    static WINDOWS: OnceLock<[Window; 2]> = OnceLock::new();
    let windows = WINDOWS.get_or_init(|| {
        let mut broadcast = Broadcast::live(Source::default(), 90);
        let live = Window::clone(&broadcast.window());
        broadcast.packager.finish();
        [live, Window::clone(&broadcast.window())]
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    for window in windows {
        answer(window, text);
    }
}

fn answer(window: &Window, text: &str) {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if let Some(stem) = path.strip_suffix(".m3u8").and_then(Stem::parse) {
        playlist(window, stem.0, query);
    } else if let Some((folder, file)) = path.split_once('/') {
        let (Some(stem), Some(file)) = (Stem::parse(folder), File::parse(file)) else {
            return;
        };
        media(window, stem.0, file);
    }
}

fn playlist(window: &Window, track: TrackId, query: &str) {
    let (Some(rendition), Ok(query)) = (window.rendition(track), Query::parse(query)) else {
        return;
    };
    let verdict = request::judge(window, rendition, &query);
    assert!(
        !window.ended || verdict == Ok(Verdict::Serve),
        "directives are ignored after the end"
    );
    let text = hls::media(window, rendition, query.form());
    assert!(text.starts_with("#EXTM3U\n"));
    hls::multivariant(window, "x/", query.choice);
}

fn media(window: &Window, track: TrackId, file: File) {
    match request::find(window, track, file) {
        Found::Init(init) => assert!(!init.bytes.is_empty()),
        Found::Segment { segment, .. } => assert!(segment.bytes() > 0),
        Found::Part(part) => assert!(!part.bytes.is_empty()),
        Found::Past => {}
        Found::Soon => assert!(!window.ended, "nothing comes after the end"),
        Found::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn hostile_requests_do_no_harm() {
        for text in [
            "video.m3u8",
            "video.m3u8?_HLS_msn=18446744073709551615&_HLS_part=18446744073709551615",
            "video.m3u8?_HLS_msn=99999999999999999999999",
            "video.m3u8?_HLS_msn=-1",
            "video.m3u8?_HLS_skip=YES&_HLS_msn=44&window=0",
            "audio.m3u8?window=4294967295&latency=normal&&&=",
            "video/p18446744073709551615.mp4",
            "video/18446744073709551615.mp4",
            "audio/init-0.mp4",
            "../video/1.mp4",
            "video/1-18446744073709551615.mp4",
            "\u{1f600}",
        ] {
            super::request(text.as_bytes());
        }
    }

    #[test]
    fn the_committed_corpora_pass() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, target) in [("hls_request", super::request as fn(&[u8]))] {
            for input in std::fs::read_dir(corpora.join(name)).unwrap() {
                target(&std::fs::read(input.unwrap().path()).unwrap());
            }
        }
    }
}
