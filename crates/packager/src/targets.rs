//! The target durations of a broadcast: chosen once, at its start, because they may never change.

use std::time::Duration;

use media::{FrameRate, Kind};

use crate::{Learned, Settings, Span};

/// A segment that ends at a key frame may be longer than the target by so much: RFC 8216bis rounds to whole seconds, and
/// the audio beside it ends up to one frame later.
pub(crate) const OVER_TARGET: Duration = Duration::from_millis(380);

/// Key frames further apart than this do not make segments longer.
const SEGMENT_MAX: Duration = Duration::from_secs(12);

/// Below this rate a part would be a frame or two, and of no use.
const RATE_MIN: f64 = 6.0;

/// PART-HOLD-BACK in tenths of the longest part target. Three is what the specification asks for; a little more is what
/// players can hold without running dry.
const HOLD_BACK_TENTHS: u64 = 32;

/// What a broadcast's playlists promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// `EXT-X-TARGETDURATION`, in seconds.
    pub target_duration: u32,
    /// `PART-TARGET` of video; `None` where no video is, or no parts are listed.
    pub video_part: Option<Span>,
    /// `PART-TARGET` of audio; `None` where no audio is, or no parts are listed.
    pub audio_part: Option<Span>,
}

impl Targets {
    /// Whether parts are listed at all.
    pub fn low_latency(&self) -> bool {
        self.video_part.is_some() || self.audio_part.is_some()
    }

    /// `PART-TARGET` of one rendition.
    pub fn part(&self, kind: Kind) -> Option<Span> {
        match kind {
            Kind::Video => self.video_part,
            Kind::Audio => self.audio_part,
        }
    }

    /// `PART-HOLD-BACK`, the same for all renditions.
    pub fn part_hold_back(&self) -> Option<Span> {
        let longest = [self.video_part, self.audio_part].into_iter().flatten();
        let micros = longest.map(Span::micros).max()?;
        Some(Span {
            ticks: (micros * HOLD_BACK_TENTHS).div_ceil(10_000),
            timescale: 1_000,
        })
    }

    /// Segments further than this from the end of a playlist may be skipped in a delta update.
    pub fn skip_until(&self) -> Duration {
        self.seconds() * 6
    }

    /// How long a request may be held.
    pub fn block_max(&self) -> Duration {
        self.seconds() * 3
    }

    /// Parts of segments that end further than this from the end of a playlist are not listed.
    pub(crate) fn parts_listed(&self) -> Duration {
        self.seconds() * 3
    }

    /// The target duration.
    pub fn seconds(&self) -> Duration {
        Duration::from_secs(self.target_duration.into())
    }

    /// How long a segment may be.
    pub(crate) fn segment_max(&self) -> Duration {
        self.seconds() + OVER_TARGET
    }
}

/// The time between key frames to expect: what was seen last time, unless the encoder now says something else than then.
pub(crate) fn expected_interval(learned: Option<Learned>, stated_ms: Option<u32>) -> Option<Duration> {
    let ms = match learned {
        Some(learned) if learned.stated_ms == stated_ms => Some(learned.key_interval_ms),
        Some(learned) => stated_ms.or(Some(learned.key_interval_ms)),
        None => stated_ms,
    };
    ms.map(|ms| Duration::from_millis(ms.into()))
}

/// The target duration in whole seconds.
///
/// With a known time between key frames, it is that of the segments which end at the first key frame after the segment
/// target. Without, twice the segment target: whatever interval up to that an encoder uses, each of its segments can end
/// at a key frame.
pub(crate) fn target_duration(settings: &Settings, interval: Option<Duration>) -> u32 {
    let segment = settings.segment.max(Duration::from_secs(1));
    let longest = match interval {
        Some(interval) => until_key_frame(segment, interval).saturating_sub(OVER_TARGET),
        None => segment * 2,
    };
    // Playlists must hold three target durations, and are worth little with less than five.
    let cap = SEGMENT_MAX.min(settings.window / 5);
    let chosen = longest.min(cap).max(segment);
    u32::try_from(chosen.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// The first multiple of `interval` that is not before `segment`.
fn until_key_frame(segment: Duration, interval: Duration) -> Duration {
    let interval = interval.max(Duration::from_millis(1));
    // Intervals of rounded timestamps are a little off.
    let count = segment
        .saturating_sub(Duration::from_millis(20))
        .as_micros()
        .div_ceil(interval.as_micros());
    interval * u32::try_from(count.max(1)).unwrap_or(u32::MAX)
}

/// The part target of a video track: a whole number of frames; `None` below the rate at which parts are of use.
pub(crate) fn video_part(aim: Duration, rate: FrameRate) -> Option<(u32, u32)> {
    let per_second = rate.per_second();
    if per_second < RATE_MIN {
        return None;
    }
    let frames = (aim.as_secs_f64() * per_second).round().max(1.0) as u32;
    let ticks = u64::from(frames) * u64::from(rate.seconds) * 90_000;
    let ticks = (ticks + u64::from(rate.frames) / 2) / u64::from(rate.frames);
    Some((frames, u32::try_from(ticks).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_duration_follows_the_key_frames() {
        let settings = Settings::default();
        for (interval_ms, target) in [
            (500, 2),
            (1_000, 2),
            (1_500, 3),
            (2_000, 2),
            (2_002, 2),
            (3_000, 3),
            (4_167, 4),
            (8_333, 8),
            (8_342, 8),
            (10_000, 10),
            (10_427, 11),
            (60_000, 12),
        ] {
            let interval = Some(Duration::from_millis(interval_ms));
            assert_eq!(target_duration(&settings, interval), target, "{interval_ms} ms");
        }
        assert_eq!(target_duration(&settings, None), 4);
    }

    #[test]
    fn a_short_window_bounds_the_target() {
        let settings = Settings {
            window: Duration::from_secs(20),
            ..Settings::default()
        };
        assert_eq!(target_duration(&settings, Some(Duration::from_secs(8))), 4);
    }

    #[test]
    fn what_was_seen_counts_until_the_encoder_says_something_new() {
        let learned = |key_interval_ms, stated_ms| {
            Some(Learned {
                key_interval_ms,
                stated_ms,
            })
        };
        for (learned, stated, expected) in [
            (None, None, None),
            (None, Some(8_333), Some(8_333)),
            (learned(2_000, Some(8_333)), Some(8_333), Some(2_000)),
            (learned(2_000, Some(2_000)), Some(8_333), Some(8_333)),
            (learned(2_000, Some(8_333)), None, Some(2_000)),
        ] {
            assert_eq!(expected_interval(learned, stated), expected.map(Duration::from_millis));
        }
    }

    #[test]
    fn a_part_is_a_whole_number_of_frames() {
        let aim = Duration::from_millis(333);
        for (frames, seconds, expected) in [
            (24_000, 1_001, Some((8, 30_030))),
            (25, 1, Some((8, 28_800))),
            (30_000, 1_001, Some((10, 30_030))),
            (30, 1, Some((10, 30_000))),
            (60_000, 1_001, Some((20, 30_030))),
            (120, 1, Some((40, 30_000))),
            (6, 1, Some((2, 30_000))),
            (5, 1, None),
        ] {
            let rate = FrameRate::new(frames, seconds).expect("not zero");
            assert_eq!(video_part(aim, rate), expected, "{frames}/{seconds}");
        }
    }

    #[test]
    fn the_hold_back_is_between_3_and_3_and_a_half_of_the_longest_part() {
        let targets = Targets {
            target_duration: 2,
            video_part: Some(Span::new(30_000, 90_000)),
            audio_part: Some(Span::new(15 * 1_024, 48_000)),
        };
        assert_eq!(targets.part_hold_back().expect("has parts").to_string(), "1.06700");
    }
}
