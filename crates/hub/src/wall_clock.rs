//! Which wall-clock time a point of the timeline stands for.

use std::collections::VecDeque;

/// Fastest slew of the mapping: 200 microseconds in a second.
const SLEW_PPM: i64 = 200;
/// The least-delayed arrival is taken over so many buckets of one second.
const BUCKETS_MAX: usize = 10;
const BUCKET_MICROS: i64 = 1_000_000;
/// The first samples of a source may have waited while it connected: for so long the mapping follows those that come after
/// them at once, by no more than the second value: a file that is pushed without pacing is ahead of its time, not late.
const SETTLING_MICROS: i64 = 1_000_000;
const SETTLED_BY_MICROS_MAX: i64 = 500_000;

/// Maps media time to wall-clock time by the least-delayed arrivals.
///
/// Samples can only be late, so the smallest difference between arrival and media time is the truest. The mapping follows
/// it by at most 200 ppm, so that date-times never jump within a run of one source; a source change may step it.
#[derive(Debug)]
pub(crate) struct WallClock {
    offset: i64,
    slewed_at: i64,
    /// Until when the mapping settles, and how far down it may; `None` before the first arrival.
    settling: Option<(i64, i64)>,
    buckets: VecDeque<(i64, i64)>,
}

impl WallClock {
    /// A mapping that puts media time 0 at `unix_micros`.
    pub(crate) fn new(unix_micros: i64) -> Self {
        Self {
            offset: unix_micros,
            slewed_at: 0,
            settling: None,
            buckets: VecDeque::with_capacity(BUCKETS_MAX + 1),
        }
    }

    /// Microseconds since 1970 of media time 0, as it is measured now.
    pub(crate) fn offset(&self) -> i64 {
        self.offset
    }

    /// Forgets what was measured, and steps at the next arrival: another source begins.
    pub(crate) fn restart(&mut self) {
        self.buckets.clear();
        self.settling = None;
    }

    /// Takes note that the sample of media time `media` came at `unix`, both in microseconds.
    pub(crate) fn arrived(&mut self, media: i64, unix: i64) {
        let seen = unix - media;
        match self.buckets.back_mut() {
            Some((start, least)) if unix - *start < BUCKET_MICROS => *least = seen.min(*least),
            _ => self.buckets.push_back((unix, seen)),
        }
        if self.buckets.len() > BUCKETS_MAX {
            self.buckets.pop_front();
        }
        match self.settling {
            None => {
                self.offset = seen;
                self.settling = Some((unix + SETTLING_MICROS, seen - SETTLED_BY_MICROS_MAX));
            }
            Some((until, least)) if unix < until => self.offset = seen.clamp(least, self.offset),
            Some(_) => return self.slew(unix),
        }
        self.slewed_at = unix;
    }

    fn slew(&mut self, unix: i64) {
        let step_max = (unix - self.slewed_at).max(0) * SLEW_PPM / 1_000_000;
        if step_max == 0 {
            return;
        }
        self.slewed_at = unix;
        let least = self
            .buckets
            .iter()
            .map(|&(_, least)| least)
            .min()
            .unwrap_or(self.offset);
        self.offset += (least - self.offset).clamp(-step_max, step_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// Runs a source whose clock is `ppm` off for a day, with `late` microseconds of delay that come and go.
    fn after_a_day(ppm: i64, late: impl Fn(i64) -> i64) -> (i64, i64) {
        let mut clock = WallClock::new(0);
        let mut worst = 0;
        for tick in 0..DAY * 10 {
            let wall = tick * 100_000;
            let media = wall + wall / 1_000_000 * ppm;
            clock.arrived(media, wall + late(tick));
            worst = worst.max((media + clock.offset() - wall).abs());
        }
        (worst, clock.offset())
    }

    #[test]
    fn a_clock_100_ppm_off_stays_within_200_ms_for_a_day() {
        for ppm in [-100, 100] {
            let (worst, _) = after_a_day(ppm, |_| 0);
            assert!(worst < 200_000, "{worst} microseconds at {ppm} ppm");
        }
    }

    #[test]
    fn late_samples_do_not_move_the_mapping() {
        let (worst, offset) = after_a_day(0, |tick| if tick % 7 == 0 { 0 } else { 150_000 });
        assert!(worst < 1_000 && offset.abs() < 1_000, "{worst} {offset}");
    }

    #[test]
    fn what_waited_while_the_source_connected_is_soon_forgotten() {
        let mut clock = WallClock::new(0);
        for sample in 0..300 {
            let media = sample * 33_333;
            let late = if sample < 8 { 220_000 - media } else { 0 };
            clock.arrived(media, media + late.max(0));
        }
        assert_eq!(clock.offset(), 0);
    }

    #[test]
    fn another_source_may_step_it() {
        let mut clock = WallClock::new(0);
        clock.arrived(0, 5_000_000);
        clock.restart();
        clock.arrived(1_000_000, 9_000_000);
        assert_eq!(clock.offset(), 8_000_000);
    }
}
