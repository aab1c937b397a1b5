//! Playlists as they are sent: written at most once per change, compressed at most once, shared by all who ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;
use media::TrackId;
use packager::Window;
use packager::hls::{self, Choice, Form};
use packager::window::{Rendition, Version};

use super::stats::Stats;

/// Versions of one playlist that differ by their query or the name that was asked for; those of older windows make room.
pub(super) const FORMS_MAX: usize = 64;

/// A text and its compressed form.
pub(super) struct Rendered {
    text: Bytes,
    gzip: OnceLock<Bytes>,
    etag: HeaderValue,
}

impl Rendered {
    pub(super) fn new(text: String) -> Self {
        let etag = format!("W/\"{:016x}\"", fingerprint(text.as_bytes()));
        Self {
            text: text.into(),
            gzip: OnceLock::new(),
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits are a header value"),
        }
    }

    pub(super) fn text(&self) -> Bytes {
        self.text.clone()
    }

    pub(super) fn gzip(&self) -> Bytes {
        self.gzip.get_or_init(|| compressed(&self.text)).clone()
    }

    pub(super) fn etag(&self) -> &HeaderValue {
        &self.etag
    }
}

/// FNV-1a: it tells versions of one playlist apart, and nothing depends on it being hard to forge.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn compressed(text: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::new(4));
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("memory takes all that is written to it").into()
}

/// What a playlist was written from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Basis {
    version: Version,
    ended: bool,
    /// The next parts of the other renditions, which are reported on, all together.
    other: u64,
}

struct Kept {
    basis: Basis,
    rendered: Arc<Rendered>,
}

/// Whether a request names what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Waiting {
    /// All who wait for one part get the same text, even if the other rendition gets a part while they are answered.
    ForPart,
    /// Whoever asks for what is there gets the newest of everything.
    No,
}

impl Waiting {
    /// How many parts old the report on each other rendition may be.
    fn report_age(self) -> u64 {
        match self {
            Self::ForPart => 1,
            Self::No => 0,
        }
    }
}

/// All playlists of one broadcast that were asked for lately.
#[derive(Default)]
pub(super) struct Playlists {
    media: Mutex<HashMap<(TrackId, Form, Waiting), Kept>>,
    iframes: Mutex<HashMap<TrackId, Kept>>,
    /// By the name that was asked for.
    multivariant: Mutex<HashMap<(String, Choice), Kept>>,
}

impl Playlists {
    /// The media playlist of a rendition.
    pub(super) fn media(
        &self,
        window: &Window,
        rendition: &Rendition,
        form: Form,
        waiting: Waiting,
        stats: &Stats,
    ) -> Arc<Rendered> {
        let basis = basis(window, rendition);
        let key = (rendition.track, form, waiting);
        let others = window.renditions().count().saturating_sub(1) as u64;
        find_or_render(&self.media, key, basis, others * waiting.report_age(), || {
            stats.rendered.fetch_add(1, Ordering::Relaxed);
            hls::media(window, rendition, form)
        })
    }

    /// The playlist of a picture's key frames.
    pub(super) fn iframes(&self, window: &Window, rendition: &Rendition, stats: &Stats) -> Arc<Rendered> {
        let basis = Basis {
            version: Version::default(),
            ended: window.ended,
            other: rendition.next_whole(),
        };
        find_or_render(&self.iframes, rendition.track, basis, 0, || {
            stats.rendered.fetch_add(1, Ordering::Relaxed);
            hls::iframes(window, rendition)
        })
    }

    /// The multivariant playlist for who asked by this name; the media playlists are in the folder.
    pub(super) fn multivariant(
        &self,
        window: &Window,
        (name, folder): (&str, &str),
        choice: Choice,
        stats: &Stats,
    ) -> Arc<Rendered> {
        let mut basis = Basis {
            version: Version::default(),
            ended: window.ended,
            other: 0,
        };
        // Bit rates are measured anew with each segment, and parameters change with one.
        basis.other = window
            .renditions()
            .map(|rendition| rendition.next_segment + 1)
            .sum::<u64>();
        basis.other += window.planned.len() as u64;
        find_or_render(&self.multivariant, (name.to_owned(), choice), basis, 0, || {
            stats.rendered.fetch_add(1, Ordering::Relaxed);
            hls::multivariant(window, folder, choice)
        })
    }
}

fn basis(window: &Window, rendition: &Rendition) -> Basis {
    let others = window.renditions().filter(|other| other.track != rendition.track);
    Basis {
        version: rendition.version,
        ended: window.ended,
        other: others.map(|other| other.next_part).sum(),
    }
}

impl Basis {
    /// Whether what was written from this says as much as if it were written from `asked`, but for so many parts of the
    /// other rendition.
    fn serves(self, asked: Self, report_age: u64) -> bool {
        (self.version, self.ended) >= (asked.version, asked.ended) && self.other + report_age >= asked.other
    }
}

fn find_or_render<K: Eq + Hash>(
    kept: &Mutex<HashMap<K, Kept>>,
    key: K,
    basis: Basis,
    report_age: u64,
    render: impl FnOnce() -> String,
) -> Arc<Rendered> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept.get(&key).filter(|found| found.basis.serves(basis, report_age)) {
        return Arc::clone(&found.rendered);
    }
    if kept.len() >= FORMS_MAX {
        kept.clear();
    }
    let rendered = Arc::new(Rendered::new(render()));
    kept.insert(
        key,
        Kept {
            basis,
            rendered: Arc::clone(&rendered),
        },
    );
    rendered
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_reads_the_same() {
        let rendered = Rendered::new("#EXTM3U\n".repeat(100));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&rendered.gzip()[..])
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text.as_bytes(), &rendered.text()[..]);
        assert!(rendered.gzip().len() < 100);
    }

    #[test]
    fn a_playlist_is_written_once_until_it_changes() {
        let kept = Mutex::default();
        let basis = |other| Basis {
            version: Version::default(),
            ended: false,
            other,
        };
        let mut count = 0;
        for (other, expected) in [(10, 1), (10, 1), (11, 1), (12, 2), (11, 2)] {
            find_or_render(&kept, 0, basis(other), 1, || {
                count += 1;
                String::new()
            });
            assert_eq!(count, expected, "the other rendition's next part is {other}");
        }
    }
}
