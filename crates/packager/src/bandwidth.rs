//! `BANDWIDTH` and `AVERAGE-BANDWIDTH`, measured.

use std::collections::VecDeque;
use std::time::Duration;

/// Bits per second of a rendition as playlists state them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// An upper bound of the peak: of any run of segments that lasts 0.5 to 1.5 target durations (RFC 8216 §4.1).
    pub peak: u64,
    /// The average.
    pub average: u64,
}

/// Bytes in a time.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    bytes: u64,
    micros: u64,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.micros += other.micros;
    }

    fn bits_per_second(self) -> u64 {
        let wide = u128::from(self.bytes) * 8_000_000 / u128::from(self.micros.max(1));
        u64::try_from(wide).unwrap_or(u64::MAX)
    }
}

/// Adds up segments as they end, and samples before the first has ended.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    recent: VecDeque<Amount>,
    total: Amount,
    peak: u64,
    segments: u32,
    keys: Amount,
    others: Amount,
}

/// The average is that of the last so many segments.
const RECENT: usize = 30;
/// Before a segment has ended, key frames are taken to come every two seconds.
const GROUP_MICROS: u64 = 2_000_000;

impl Meter {
    /// Counts a sample that lasts `micros`.
    pub(crate) fn sample(&mut self, keyframe: bool, bytes: usize, micros: u64) {
        let counted = if keyframe { &mut self.keys } else { &mut self.others };
        counted.add(Amount {
            bytes: bytes as u64,
            micros,
        });
    }

    /// Counts a segment that has ended.
    pub(crate) fn segment(&mut self, bytes: u64, micros: u64, target: Duration) {
        let amount = Amount { bytes, micros };
        self.segments = self.segments.saturating_add(1);
        self.recent.push_back(amount);
        self.total.add(amount);
        if self.recent.len() > RECENT {
            let left = self.recent.pop_front().unwrap_or_default();
            self.total.bytes -= left.bytes;
            self.total.micros -= left.micros;
        }
        self.peak = self.peak.max(self.newest_peak(target));
    }

    /// What to state now: generous, the more so the less was measured.
    pub(crate) fn state(&self, target: Duration) -> Bandwidth {
        let measured = self.total.micros >= target.as_micros() as u64;
        let average = if measured {
            self.total.bits_per_second()
        } else {
            self.estimate()
        };
        let peak = self.peak.max(average);
        let margin = 20 + 80 / (1 + u64::from(self.segments));
        Bandwidth {
            peak: peak + peak / 100 * margin,
            average,
        }
    }

    /// The highest rate of a run that ends with the newest segment.
    fn newest_peak(&self, target: Duration) -> u64 {
        let target = target.as_micros() as u64;
        let mut run = Amount::default();
        let mut peak = 0;
        for amount in self.recent.iter().rev() {
            run.add(*amount);
            if run.micros > target + target / 2 {
                break;
            }
            if run.micros >= target / 2 {
                peak = peak.max(run.bits_per_second());
            }
        }
        peak
    }

    /// From the samples alone: a key frame every two seconds, and the other frames in between.
    fn estimate(&self) -> u64 {
        if self.others.micros == 0 || self.keys.micros == 0 {
            let mut all = self.keys;
            all.add(self.others);
            return all.bits_per_second();
        }
        let group = Amount {
            bytes: self.keys.bytes + self.others.bytes * GROUP_MICROS / self.others.micros,
            micros: self.keys.micros + GROUP_MICROS,
        };
        group.bits_per_second()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(2);

    #[test]
    fn the_peak_is_that_of_runs_near_the_target() {
        let mut meter = Meter::default();
        for (bytes, micros) in [(250_000, 2_000_000), (500_000, 2_000_000), (250_000, 2_000_000)] {
            meter.segment(bytes, micros, TARGET);
        }
        assert_eq!(meter.peak, 2_000_000);
        let stated = meter.state(TARGET);
        assert_eq!(stated.average, 1_333_333);
        assert!(stated.peak >= 2_400_000);
    }

    #[test]
    fn short_segments_are_added_up() {
        let mut meter = Meter::default();
        meter.segment(500_000, 500_000, TARGET);
        assert_eq!(meter.peak, 0, "too short to count alone");
        meter.segment(100_000, 1_500_000, TARGET);
        assert_eq!(meter.peak, 2_400_000);
    }

    #[test]
    fn the_first_key_frame_does_not_make_the_average() {
        let mut meter = Meter::default();
        meter.sample(true, 100_000, 33_333);
        for _ in 0..4 {
            meter.sample(false, 10_000, 33_333);
        }
        let average = meter.state(TARGET).average;
        assert!((2_700_000..2_900_000).contains(&average), "{average}");
    }
}
