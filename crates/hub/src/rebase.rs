//! From a source's raw timestamps to the broadcast's timeline.

use crate::SourceClock;

/// A timestamp this far behind the newest is still taken as interleaving, in microseconds.
const BACK_MAX: i64 = 1_500_000;
/// A timestamp this far ahead of the newest, beyond the time that passed, is taken as a gap and not as a jump.
const AHEAD_MAX: i64 = 3_000_000;

/// Unwraps a source's clock and keeps one offset for all its tracks, so that lip sync survives every rebase.
///
/// When the clock jumps, the newer offset makes the first sample after the jump follow what is on the timeline. The offset
/// before the jump is kept beside it, because the other track's samples from before the jump may still be on their way.
#[derive(Debug)]
pub(crate) struct Rebase {
    clock: SourceClock,
    raw: Option<u64>,
    ticks: i64,
    current: Option<Mapping>,
    previous: Option<Mapping>,
    jumps: u32,
}

#[derive(Clone, Copy, Debug)]
struct Mapping {
    offset: i64,
    newest: i64,
}

impl Mapping {
    fn holds(&self, micros: i64, idle: i64) -> bool {
        let step = micros - self.newest;
        -BACK_MAX <= step && step <= AHEAD_MAX.saturating_add(idle)
    }
}

impl Rebase {
    pub(crate) fn new(clock: SourceClock) -> Self {
        Self {
            clock,
            raw: None,
            ticks: 0,
            current: None,
            previous: None,
            jumps: 0,
        }
    }

    /// How often the clock jumped.
    pub(crate) fn jumps(&self) -> u32 {
        self.jumps
    }

    /// The source's time of a raw timestamp in microseconds, without any wrap.
    pub(crate) fn unwrap(&mut self, raw: u64) -> i64 {
        let mask = u64::MAX >> (64 - self.clock.bits.clamp(1, 63));
        let raw = raw & mask;
        if let Some(last) = self.raw.replace(raw) {
            let ahead = raw.wrapping_sub(last) & mask;
            let half = mask / 2 + 1;
            let step = if ahead < half {
                ahead.cast_signed()
            } else {
                -(last.wrapping_sub(raw) & mask).cast_signed()
            };
            self.ticks = self.ticks.saturating_add(step);
        } else {
            self.ticks = raw.cast_signed();
        }
        self.micros(self.ticks)
    }

    /// A span of source ticks in microseconds.
    pub(crate) fn micros(&self, ticks: i64) -> i64 {
        let wide = i128::from(ticks) * 1_000_000 / i128::from(self.clock.timescale.max(1));
        // Far from any overflow, whatever is added to it later.
        i64::try_from(wide).unwrap_or(0).clamp(i64::MIN / 8, i64::MAX / 8)
    }

    /// Moves everything that follows later by `micros`.
    pub(crate) fn shift(&mut self, micros: i64) {
        for mapping in [&mut self.current, &mut self.previous].into_iter().flatten() {
            mapping.offset += micros;
        }
    }

    /// The time on the timeline of source time `micros`; `origin` is where a first sample, or one after a jump, goes.
    /// `idle` is the time since the source's last sample.
    pub(crate) fn place(&mut self, micros: i64, idle: i64, origin: i64) -> i64 {
        let known = [self.current, self.previous]
            .into_iter()
            .position(|m| m.is_some_and(|m| m.holds(micros, idle)));
        let mapping = match known {
            Some(0) => &mut self.current,
            Some(_) => &mut self.previous,
            None => {
                self.jumps += u32::from(self.current.is_some());
                self.previous = self.current.replace(Mapping {
                    offset: origin - micros,
                    newest: micros,
                });
                &mut self.current
            }
        };
        let mapping = mapping.as_mut().expect("it was found or has just been set");
        mapping.newest = mapping.newest.max(micros);
        micros + mapping.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places millisecond timestamps as they come, each 33 ms after the one before; the origin follows the last.
    fn placed(raw: &[u64]) -> Vec<i64> {
        let mut rebase = Rebase::new(SourceClock::RTMP);
        let mut origin = 1_000_000;
        let mut out = Vec::new();
        for &raw in raw {
            let micros = rebase.unwrap(raw);
            let at = rebase.place(micros, 33_000, origin);
            origin = at + 33_000;
            out.push(at / 1_000);
        }
        out
    }

    #[test]
    fn the_first_sample_goes_where_the_timeline_is() {
        assert_eq!(placed(&[123_456, 123_489]), [1_000, 1_033]);
    }

    #[test]
    fn a_wrap_is_no_jump() {
        assert_eq!(placed(&[0xFFFF_FFFF, 32, 65]), [1_000, 1_033, 1_066]);
    }

    #[test]
    fn jumps_in_either_direction_follow_on() {
        assert_eq!(placed(&[0, 33, 900_000, 900_033]), [1_000, 1_033, 1_066, 1_099]);
        assert_eq!(placed(&[900_000, 900_033, 0, 33]), [1_000, 1_033, 1_066, 1_099]);
    }

    #[test]
    fn the_other_tracks_samples_from_before_a_jump_keep_their_place() {
        assert_eq!(
            placed(&[5_000, 5_033, 900_000, 5_040, 900_033]),
            [1_000, 1_033, 1_066, 1_040, 1_099]
        );
    }

    #[test]
    fn a_gap_of_seconds_stays_a_gap() {
        assert_eq!(placed(&[0, 2_500]), [1_000, 3_500]);
    }

    #[test]
    fn any_start_and_any_chaos_is_survived() {
        let chaos = [0, 1, 5, 10_000, 10_000_000, 1 << 31, (1 << 32) - 1, 0, 1 << 31, 77];
        assert_eq!(placed(&chaos).len(), chaos.len());
    }
}
