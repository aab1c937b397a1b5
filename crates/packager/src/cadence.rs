//! How long a track's frames last, learned from those that came.

use media::{FrameRate, Parameters};

/// So many steps between frames are remembered.
const STEPS: usize = 12;

/// Estimates what the newest frame lasts before the next one has come.
#[derive(Debug)]
pub(crate) struct Cadence {
    timescale: u32,
    /// What parameters say: ticks of an audio frame, or of a video frame at the stated rate.
    stated: Option<i64>,
    stated_rate: Option<FrameRate>,
    steps: [i64; STEPS],
    filled: usize,
    next: usize,
}

impl Cadence {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let timescale = parameters.timescale().max(1);
        let (stated, stated_rate) = match parameters {
            Parameters::Video(video) => (video.frame_rate.map(frame_ticks), video.frame_rate),
            Parameters::Audio(audio) => ((audio.frame_samples != 0).then_some(audio.frame_samples.into()), None),
        };
        Self {
            timescale,
            stated,
            stated_rate,
            steps: [0; STEPS],
            filled: 0,
            next: 0,
        }
    }

    /// Takes note of the time from one frame to the next.
    pub(crate) fn observe(&mut self, step: i64) {
        self.steps[self.next] = step.max(1);
        self.next = (self.next + 1) % STEPS;
        self.filled = (self.filled + 1).min(STEPS);
    }

    /// What a frame lasts, in ticks: the median of what was seen, so that a single gap changes nothing.
    pub(crate) fn frame(&self) -> i64 {
        if self.filled < 3 {
            let seen = self.steps[..self.filled].iter().min().copied();
            return self
                .stated
                .or(seen)
                .unwrap_or_else(|| i64::from(self.timescale) / 30)
                .max(1);
        }
        let mut seen = self.steps;
        let seen = &mut seen[..self.filled];
        seen.sort_unstable();
        seen[self.filled / 2]
    }

    /// Whether all frames seen lately last equally long, but for the rounding of their timestamps.
    pub(crate) fn is_steady(&self) -> bool {
        let frame = self.frame();
        let slack = i64::from(self.timescale) / 900;
        self.steps[..self.filled]
            .iter()
            .all(|step| (step - frame).abs() <= slack)
    }

    /// The frame rate: the stated or a usual one that is near what was seen.
    pub(crate) fn rate(&self) -> FrameRate {
        let seen = &self.steps[..self.filled];
        let frame = self.frame();
        let usual: Vec<i64> = seen.iter().copied().filter(|step| *step < 2 * frame).collect();
        let (count, ticks) = match usual.len() {
            0 | 1 => (1, frame),
            count => (count as i64, usual.iter().sum()),
        };
        let measured = f64::from(self.timescale) * count as f64 / ticks as f64;
        snap(measured, self.stated_rate)
    }
}

/// The stated rate if it is within 2 % of the measured one, otherwise the nearest usual one within 1 %, otherwise what was
/// measured.
pub(crate) fn snap(measured: f64, stated: Option<FrameRate>) -> FrameRate {
    let off = |rate: FrameRate| (rate.per_second() / measured - 1.0).abs();
    if let Some(stated) = stated.filter(|stated| off(*stated) < 0.02) {
        return stated;
    }
    let whole = measured.round().clamp(1.0, 1_000.0) as u32;
    let ntsc = FrameRate::new(whole * 1_000, 1_001).filter(|_| matches!(whole, 24 | 30 | 48 | 60 | 120));
    let usual = [FrameRate::new(whole, 1), ntsc].into_iter().flatten();
    let nearest = usual.min_by(|a, b| off(*a).total_cmp(&off(*b)));
    nearest.filter(|rate| off(*rate) < 0.01).unwrap_or(FrameRate {
        frames: (measured * 1_000.0).round().clamp(1.0, 1e9) as u32,
        seconds: 1_000,
    })
}

/// What a frame lasts at a rate, in ticks of the video timescale, rounded.
fn frame_ticks(rate: FrameRate) -> i64 {
    let scale = i64::from(Parameters::VIDEO_TIMESCALE) * i64::from(rate.seconds);
    (scale + i64::from(rate.frames) / 2) / i64::from(rate.frames)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_single_gap_does_not_change_the_estimate() {
        let mut cadence = Cadence::new(&testing::video(None));
        for step in [3_000, 3_000, 90_000, 3_000, 3_000] {
            cadence.observe(step);
        }
        assert_eq!(cadence.frame(), 3_000);
        assert_eq!(cadence.rate(), FrameRate { frames: 30, seconds: 1 });
        assert!(!cadence.is_steady());
    }

    #[test]
    fn before_the_first_step_the_parameters_tell() {
        assert_eq!(Cadence::new(&testing::video(FrameRate::new(25, 1))).frame(), 3_600);
        assert_eq!(Cadence::new(&testing::audio(44_100)).frame(), 1_024);
        assert_eq!(Cadence::new(&testing::video(None)).frame(), 3_000);
    }

    #[test]
    fn a_stated_rate_that_lies_is_not_believed() {
        let mut cadence = Cadence::new(&testing::video(FrameRate::new(60, 1)));
        for step in [3_600, 3_510, 3_690, 3_600] {
            cadence.observe(step);
        }
        assert_eq!(cadence.rate(), FrameRate { frames: 25, seconds: 1 });
    }

    #[test]
    fn usual_rates_are_found_from_rounded_timestamps() {
        for (measured, frames, seconds) in [
            (23.98, 24_000, 1_001),
            (24.0, 24, 1),
            (29.97, 30_000, 1_001),
            (59.9, 60_000, 1_001),
            (120.3, 120, 1),
            (12.5, 12_500, 1_000),
            (1.0, 1, 1),
        ] {
            assert_eq!(snap(measured, None), FrameRate { frames, seconds }, "{measured}");
        }
    }
}
