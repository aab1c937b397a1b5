//! HLS playlists as RFC 8216bis has them, written from a window.
//!
//! Every URI is relative. A multivariant playlist `NAME.m3u8` leads to `NAME/ID/video.m3u8`, `NAME/ID/audio.m3u8` and those
//! of further tracks, as `NAME/ID/video-16.m3u8`; what those list stands in the folders `video/` and so on beside them.

mod iframes;
mod media;
mod multivariant;
pub mod names;

pub use self::iframes::iframes;
pub use self::media::{Form, media};
pub use self::multivariant::multivariant;

/// How a viewer wants playlists; taken from the query of the multivariant playlist and handed on to its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choice {
    /// No low-latency tag at all (`latency=normal`).
    pub normal: bool,
    /// At most so many seconds, and no parts (`window=…`).
    pub window_seconds: Option<u32>,
    /// No quality with more lines (`max_resolution=720p`), 0 for no picture at all; children know nothing of it.
    pub resolution_max: Option<u32>,
    /// No quality with fewer lines (`min_resolution=360p`).
    pub resolution_min: Option<u32>,
    /// The best first, or last (`rendition_order=desc` or `asc`); unsaid: the source first.
    pub descending: Option<bool>,
}

impl Choice {
    /// Whether playlists hold no parts and take no delivery directives.
    pub fn is_plain(self) -> bool {
        self.normal || self.window_seconds.is_some()
    }

    /// The query that makes a child the same choice, with its question mark; empty for the usual one.
    pub fn query(self) -> String {
        match (self.normal, self.window_seconds) {
            (false, None) => String::new(),
            (true, None) => "?latency=normal".into(),
            (false, Some(seconds)) => format!("?window={seconds}"),
            (true, Some(seconds)) => format!("?latency=normal&window={seconds}"),
        }
    }
}
