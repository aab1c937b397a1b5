//! What is counted over all live streams.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counters for a metrics page; all only grow, but for `held`.
#[derive(Debug, Default)]
pub struct Stats {
    /// Requests for playlists and manifests.
    pub playlists: AtomicU64,
    /// Playlists and manifests that were written: the rest were answered with the same bytes.
    pub rendered: AtomicU64,
    /// Requests for initialisation segments, segments, parts and stills that found something.
    pub media: AtomicU64,
    /// Bytes of those.
    pub media_bytes: AtomicU64,
    /// Parts that were made.
    pub parts: AtomicU64,
    /// Requests that are held until something is there.
    pub held: AtomicUsize,
    /// Requests that were held for too long and got 503.
    pub timed_out: AtomicU64,
    /// How often packaging fell behind a source and lost samples.
    pub lagged: AtomicU64,
}

impl Stats {
    pub(super) fn count_parts(&self, parts: u64) {
        self.parts.fetch_add(parts, Ordering::Relaxed);
    }

    pub(super) fn count_media(&self, bytes: u64) {
        self.media.fetch_add(1, Ordering::Relaxed);
        self.media_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a held request until it is dropped.
    pub(super) fn hold(&self) -> Held<'_> {
        self.held.fetch_add(1, Ordering::Relaxed);
        Held(self)
    }
}

pub(super) struct Held<'a>(&'a Stats);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
    }
}
