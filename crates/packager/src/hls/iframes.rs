//! I-frame playlists: the key frames alone, for players to show while somebody looks for a place (RFC 8216bis §4.4.3.6).
//!
//! A key frame is the beginning of a part, and is had as a byte range of its segment: from the part's start to the end of
//! the frame.

use std::fmt::Write;
use std::ops::Range;

use super::names::{File, Stem};
use crate::Window;
use crate::window::{Rendition, Segment};
use crate::{Span, window::Part};

/// A key frame in its segment.
struct Found {
    bytes: Range<u64>,
    /// From the segment's start, in ticks.
    at: u64,
}

/// Writes the I-frame playlist of a picture's rendition. Whole segments only are in it.
pub fn iframes(window: &Window, rendition: &Rendition) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:6\n");
    let listed = rendition.listed();
    let first = listed.first();
    let _ = write!(
        out,
        "#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-I-FRAMES-ONLY\n",
        window.targets.target_duration,
        first.map_or(0, |first| first.number)
    );
    let mut init = None;
    for segment in listed {
        if segment.discontinuities > 0 {
            out.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if segment.gap.is_none() && init.replace(segment.init.number) != Some(segment.init.number) {
            let file = File::Init(segment.init.number);
            let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}/{file}\"", Stem(rendition.track));
        }
        write_segment(&mut out, rendition, segment);
    }
    if window.ended {
        out.push_str("#EXT-X-ENDLIST\n");
    }
    out
}

fn write_segment(out: &mut String, rendition: &Rendition, segment: &Segment) {
    let found = key_frames(segment);
    let ends = found.iter().skip(1).map(|next| next.at).chain([segment.span().ticks]);
    let _ = writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{}", segment.date_time);
    for (frame, end) in found.iter().zip(ends) {
        let duration = Span {
            ticks: end.saturating_sub(frame.at),
            timescale: segment.timescale,
        };
        let (length, offset) = (frame.bytes.end - frame.bytes.start, frame.bytes.start);
        let file = File::of(segment);
        let _ = writeln!(
            out,
            "#EXTINF:{duration},\n#EXT-X-BYTERANGE:{length}@{offset}\n{}/{file}",
            Stem(rendition.track)
        );
    }
}

/// The most bits per second that these playlists need, were they played at once; `None` while nothing is in them.
pub(super) fn bandwidth(rendition: &Rendition) -> Option<u64> {
    let of = |segment: &Segment| {
        let bytes: u64 = key_frames(segment)
            .iter()
            .map(|frame| frame.bytes.end - frame.bytes.start)
            .sum();
        (bytes * 8 * 1_000_000).checked_div(segment.span().micros())
    };
    let rates = rendition.listed().iter().filter_map(|segment| of(segment));
    rates.max().filter(|&rate| rate > 0)
}

fn key_frames(segment: &Segment) -> Vec<Found> {
    let (mut offset, mut at, mut found) = (0, 0, Vec::new());
    for part in &segment.parts {
        if let Some(end) = part.key_frame_end() {
            found.push(Found {
                bytes: offset..offset + end,
                at,
            });
        }
        (offset, at) = (offset + part.bytes.len() as u64, at + ticks(part));
    }
    found
}

fn ticks(part: &Part) -> u64 {
    part.ticks.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Broadcast, Source};

    #[test]
    fn each_key_frame_is_a_range_that_a_decoder_can_begin_with() {
        let mut broadcast = Broadcast::live(Source::default(), 12);
        let window = broadcast.window();
        let video = window.video.as_ref().expect("video");
        let text = iframes(&window, video);
        let ranges = text.matches("#EXT-X-BYTERANGE:").count();
        let listed = video.listed();
        let keys: usize = listed.iter().map(|segment| key_frames(segment).len()).sum();
        assert_eq!((ranges, ranges), (keys, text.matches("#EXTINF:").count()));
        assert!(keys >= listed.len());
        for segment in listed {
            let bytes: Vec<u8> = segment.parts.iter().flat_map(|part| part.bytes.to_vec()).collect();
            for frame in key_frames(segment) {
                let range = &bytes[frame.bytes.start as usize..frame.bytes.end as usize];
                assert!([b"prft", b"moof"].contains(&range[4..8].try_into().expect("four bytes")));
                assert_eq!(range.windows(4).filter(|name| name == b"moof").count(), 1);
            }
        }
    }

    #[test]
    fn the_frames_last_as_long_as_their_segments() {
        let mut broadcast = Broadcast::live(Source::default(), 12);
        let window = broadcast.window();
        let text = iframes(&window, window.video.as_ref().expect("video"));
        let sum: f64 = text
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse::<f64>().ok())
            .sum();
        let listed = window.video.as_ref().expect("video").listed();
        let segments: f64 = listed.iter().map(|segment| segment.span().micros() as f64 / 1e6).sum();
        assert!((sum - segments).abs() < 0.01, "{sum} {segments}");
    }
}
