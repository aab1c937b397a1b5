//! Decode and presentation times of video, from timestamps that were rounded to milliseconds on their way.

use media::{FrameRate, Parameters};

/// A millisecond's rounding in either direction, in ticks, and a little more.
const SNAP_TICKS: i64 = 100;
/// What a frame lasts while nothing is known of the rate: 1/30 s.
const FRAME_TICKS_DEFAULT: i64 = 3_000;

/// Puts frames onto the grid of the frame rate where they are near it, so that every frame lasts equally long.
#[derive(Debug, Default)]
pub(crate) struct VideoClock {
    rate: Option<FrameRate>,
    /// A frame's time, and how many frames after it the last one was.
    anchor: i64,
    frames: i64,
    last: Option<i64>,
    step: Option<i64>,
}

impl VideoClock {
    /// Takes the rate that the bitstream or the metadata states; frames that do not keep it are taken as they come.
    pub(crate) fn set_rate(&mut self, rate: Option<FrameRate>) {
        if self.rate != rate {
            self.rate = rate;
            self.anchor = self.last.unwrap_or(0);
            self.frames = 0;
        }
    }

    /// When the next frame is due, in ticks; `None` before the first.
    pub(crate) fn end(&self) -> Option<i64> {
        self.last.map(|last| last + self.frame_ticks())
    }

    /// What a frame lasts, in ticks, as far as is known.
    pub(crate) fn frame_ticks(&self) -> i64 {
        self.rate
            .map(|rate| ticks(rate, 1))
            .or(self.step)
            .unwrap_or(FRAME_TICKS_DEFAULT)
    }

    /// The decode time and composition offset of a frame that the source puts at `dts` and `pts`.
    pub(crate) fn place(&mut self, dts: i64, pts: i64) -> (i64, i32) {
        let placed = self
            .snap(dts)
            .filter(|&(_, frames)| frames > self.frames || self.last.is_none());
        let at = match placed {
            Some((at, frames)) => {
                self.frames = frames;
                at
            }
            None => {
                self.anchor = self.last.map_or(dts, |last| dts.max(last + 1));
                self.frames = 0;
                self.anchor
            }
        };
        self.advance_to(at);
        let pts = self.snap(pts).map_or(pts, |(snapped, _)| snapped);
        (at, i32::try_from(pts - at).unwrap_or(0))
    }

    /// Takes note of a frame that was put at `at` without a source, lasting `duration`.
    pub(crate) fn filled(&mut self, at: i64, duration: i64) {
        self.last = Some(at + duration - self.frame_ticks());
        self.anchor = at + duration;
        self.frames = -1;
    }

    fn advance_to(&mut self, at: i64) {
        if let Some(last) = self.last {
            self.step = Some((at - last).clamp(1, 10 * i64::from(Parameters::VIDEO_TIMESCALE)));
        }
        self.last = Some(at);
    }

    /// The grid's nearest point and its number, if `time` is within a millisecond's rounding of it.
    fn snap(&self, time: i64) -> Option<(i64, i64)> {
        let rate = self.rate?;
        self.last?;
        let scale = i64::from(Parameters::VIDEO_TIMESCALE) * i64::from(rate.seconds);
        let frames = ((time - self.anchor) * i64::from(rate.frames) + scale / 2).div_euclid(scale);
        let at = self.anchor + ticks(rate, frames);
        ((time - at).abs() <= SNAP_TICKS).then_some((at, frames))
    }
}

/// What `frames` frames last, in ticks of the video timescale.
fn ticks(rate: FrameRate, frames: i64) -> i64 {
    let scale = i64::from(Parameters::VIDEO_TIMESCALE) * i64::from(rate.seconds);
    (frames * scale).div_euclid(i64::from(rate.frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(frames: u32, seconds: u32) -> VideoClock {
        let mut clock = VideoClock::default();
        clock.set_rate(FrameRate::new(frames, seconds));
        clock
    }

    #[test]
    fn rounded_milliseconds_become_equal_frames() {
        for (frames, seconds, duration) in [(30, 1, 3_000), (25, 1, 3_600), (60, 1, 1_500), (24, 1, 3_750)] {
            for round in [0, 500] {
                let mut clock = clock(frames, seconds);
                let mut last = None;
                for frame in 0..10_000i64 {
                    let micros = frame * 1_000_000 * i64::from(seconds) / i64::from(frames);
                    let (dts, _) = clock.place((micros + round) / 1_000 * 90, 0);
                    assert!(
                        last.is_none_or(|last| dts - last == duration),
                        "{frames}/{seconds} frame {frame}"
                    );
                    last = Some(dts);
                }
            }
        }
    }

    #[test]
    fn ntsc_rates_never_drift() {
        let mut clock = clock(30_000, 1_001);
        for frame in 0..100_000i64 {
            let exact = frame * 3_003;
            let (dts, _) = clock.place(exact / 90 * 90, exact / 90 * 90);
            assert!((dts - exact).abs() <= 1, "frame {frame}: {dts} instead of {exact}");
        }
    }

    #[test]
    fn a_rate_that_lies_does_no_harm() {
        let mut clock = clock(30, 1);
        for frame in 0..1_000 {
            let at = frame * 3_600;
            let (dts, _) = clock.place(at, at);
            assert!((dts - at).abs() <= SNAP_TICKS, "frame {frame}");
        }
    }

    #[test]
    fn a_skipped_frame_leaves_its_place_empty() {
        let mut clock = clock(30, 1);
        clock.place(0, 0);
        assert_eq!(clock.place(67 * 90, 67 * 90).0, 6_000);
    }

    #[test]
    fn reordered_frames_are_presented_on_the_grid_too() {
        let mut clock = clock(30, 1);
        assert_eq!(clock.place(0, 66 * 90), (0, 6_000));
        assert_eq!(clock.place(33 * 90, 167 * 90), (3_000, 12_000));
        assert_eq!(clock.place(67 * 90, 100 * 90), (6_000, 3_000));
    }

    #[test]
    fn time_never_goes_back() {
        let mut clock = clock(30, 1);
        let mut last = -1;
        for at in [0, 0, 9_000, 3_000, 3_000, 12_000, 0] {
            let (dts, _) = clock.place(at, at);
            assert!(dts > last);
            last = dts;
        }
    }
}
