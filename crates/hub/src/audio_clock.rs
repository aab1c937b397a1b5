//! Decode times of audio, counted in samples.

/// Encoders' rounding and jitter stay within this many milliseconds; beyond it the source's clock is believed.
const DRIFT_MS_MAX: i64 = 40;

/// What to do with an audio frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It belongs at this time, in ticks.
    At(i64),
    /// It belongs there, after a gap that so many frames of silence fill from the given time on.
    After {
        /// Where the silence begins, in ticks.
        gap: i64,
        /// Whole frames of silence.
        frames: i64,
        /// Where the frame itself goes, in ticks.
        at: i64,
    },
    /// That time is already taken: the frame is left out.
    Late,
}

/// Counts samples, so that frames follow each other without a gap, and corrects the count against the source's clock only
/// beyond a drift of 40 ms.
#[derive(Debug)]
pub(crate) struct AudioClock {
    sample_rate: i64,
    /// Samples of a frame; zero where they differ.
    frame: i64,
    next: Option<i64>,
}

impl AudioClock {
    pub(crate) fn new(sample_rate: u32, frame_samples: u32) -> Self {
        Self {
            sample_rate: i64::from(sample_rate),
            frame: i64::from(frame_samples),
            next: None,
        }
    }

    /// Goes on at `ticks` of this clock, after another configuration or a first fill.
    pub(crate) fn resume_at(&mut self, ticks: i64) {
        self.next = Some(ticks);
    }

    /// When the next frame is due, in ticks; `None` before the first.
    pub(crate) fn end(&self) -> Option<i64> {
        self.next
    }

    /// Samples of a frame; zero where they differ.
    pub(crate) fn frame(&self) -> i64 {
        self.frame
    }

    /// Where a frame belongs that the source puts at `time`, and which lasts `duration` if the frames differ in length.
    pub(crate) fn place(&mut self, time: i64, duration: Option<i64>) -> Place {
        let frame = duration.filter(|_| self.frame == 0).unwrap_or(self.frame);
        let Some(next) = self.next else {
            self.next = Some(time + frame);
            return Place::At(time);
        };
        if frame == 0 {
            let at = time.max(next);
            self.next = Some(at + 1);
            return Place::At(at);
        }
        let drift = time - next;
        let drift_max = (self.sample_rate * DRIFT_MS_MAX / 1_000).max(frame);
        if drift < -drift_max {
            return Place::Late;
        }
        if drift <= drift_max {
            self.next = Some(next + frame);
            return Place::At(next);
        }
        let frames = drift / frame;
        let at = next + frames * frame;
        self.next = Some(at + frame);
        Place::After { gap: next, frames, at }
    }

    /// Frames of silence that fit before `until`, from the due time on; counts them as placed.
    pub(crate) fn fill(&mut self, until: i64) -> Option<(i64, i64)> {
        let next = self.next?;
        if self.frame == 0 || until - next < self.frame {
            return None;
        }
        let frames = (until - next) / self.frame;
        self.next = Some(next + frames * self.frame);
        Some((next, frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> AudioClock {
        AudioClock::new(48_000, 1_024)
    }

    #[test]
    fn rounded_milliseconds_become_gapless_frames() {
        let mut clock = clock();
        for frame in 0..10_000 {
            let rounded = frame * 1_024 * 1_000 / 48_000 * 48;
            assert_eq!(clock.place(rounded, None), Place::At(frame * 1_024));
        }
    }

    #[test]
    fn a_gap_becomes_silence() {
        let mut clock = clock();
        clock.place(0, None);
        assert_eq!(
            clock.place(48_000, None),
            Place::After {
                gap: 1_024,
                frames: 45,
                at: 46 * 1_024
            }
        );
        assert_eq!(clock.place(49_024, None), Place::At(47 * 1_024));
    }

    #[test]
    fn frames_that_would_overlap_are_left_out() {
        let mut clock = clock();
        for frame in 0..100 {
            clock.place(frame * 1_024, None);
        }
        assert_eq!(clock.place(90 * 1_024, None), Place::Late);
    }

    #[test]
    fn a_slow_clock_is_followed_a_frame_at_a_time() {
        let mut clock = clock();
        let mut corrections = 0;
        for frame in 0..200_000 {
            let time = frame * 1_024 + frame * 1_024 / 10_000;
            corrections += i64::from(matches!(clock.place(time, None), Place::After { .. }));
        }
        assert!(
            (15..=25).contains(&corrections),
            "{corrections} corrections at 100 ppm in 71 minutes"
        );
    }
}
