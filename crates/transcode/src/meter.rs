//! How many bits and frames a source has, measured as it comes.

use media::FrameRate;

/// One measurement takes so long.
const WINDOW_MICROS: i64 = 5_000_000;
/// A source may be still for a while: the most of so many measurements counts.
const WINDOWS: usize = 3;

/// What was measured of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Frames per second of late.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second, once enough was measured.
    pub bitrate: Option<u32>,
}

/// Measures a picture.
#[derive(Debug, Default)]
pub struct Meter {
    began: Option<i64>,
    bytes: u64,
    frames: u32,
    windows: Vec<u32>,
}

impl Meter {
    /// Counts a frame at this decode time (microseconds). Tells whenever a measurement ends.
    pub fn push(&mut self, micros: i64, bytes: usize) -> Option<Measurement> {
        let began = *self.began.get_or_insert(micros);
        let span = micros - began;
        if !(0..WINDOW_MICROS).contains(&span) {
            let measured = self.measured(span);
            self.began = Some(micros);
            (self.bytes, self.frames) = (bytes as u64, 1);
            return measured;
        }
        self.bytes += bytes as u64;
        self.frames += 1;
        None
    }

    fn measured(&mut self, span: i64) -> Option<Measurement> {
        // A hole or a jump is no measurement.
        let span = u64::try_from(span)
            .ok()
            .filter(|span| *span < 2 * WINDOW_MICROS as u64)?;
        let rate = u32::try_from(self.bytes * 8 * 1_000_000 / span.max(1)).unwrap_or(u32::MAX);
        self.windows.push(rate);
        if self.windows.len() > WINDOWS {
            self.windows.remove(0);
        }
        let millihertz = u64::from(self.frames) * 1_000_000_000 / span.max(1);
        let full = self.windows.len() == WINDOWS;
        Some(Measurement {
            frame_rate: u32::try_from(millihertz)
                .ok()
                .and_then(|frames| FrameRate::new(frames, 1_000)),
            bitrate: full.then(|| self.windows.iter().copied().max()).flatten(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_liveliest_of_three_measurements_counts() {
        let mut meter = Meter::default();
        let mut found = Vec::new();
        for frame in 0..20 * 30 {
            let lively = (150..300).contains(&frame);
            let measured = meter.push(frame * 33_333, if lively { 10_000 } else { 1_000 });
            found.extend(measured.and_then(|measured| measured.bitrate));
        }
        let [first] = found[..] else { panic!("{found:?}") };
        assert!((2_300_000..2_500_000).contains(&first), "{first}");
    }

    #[test]
    fn frames_are_counted_from_the_first_measurement_on() {
        let mut meter = Meter::default();
        let measured: Vec<_> = (0..400).filter_map(|frame| meter.push(frame * 16_667, 1)).collect();
        let rate = measured[0].frame_rate.map(FrameRate::per_second).unwrap();
        assert!((59.5..60.5).contains(&rate), "{rate}");
    }

    #[test]
    fn a_jump_is_no_measurement() {
        let mut meter = Meter::default();
        for jump in 0..10 {
            assert_eq!(meter.push(jump * 100_000_000, 1), None);
        }
    }
}
