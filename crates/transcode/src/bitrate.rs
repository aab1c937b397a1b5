//! How many bits a source has, measured as it comes.

/// One measurement takes so long.
const WINDOW_MICROS: i64 = 5_000_000;
/// A source may be still for a while: the most of so many measurements counts.
const WINDOWS: usize = 3;

/// Measures the bits per second of a picture.
#[derive(Debug, Default)]
pub struct Bitrate {
    began: Option<i64>,
    bytes: u64,
    windows: Vec<u32>,
}

impl Bitrate {
    /// Counts a frame at this time (microseconds). Gives the rate whenever a measurement ends, from the third on.
    pub fn push(&mut self, micros: i64, bytes: usize) -> Option<u32> {
        let began = *self.began.get_or_insert(micros);
        let span = micros - began;
        if !(0..WINDOW_MICROS).contains(&span) {
            let measured = self.measured(span);
            self.began = Some(micros);
            self.bytes = bytes as u64;
            return measured;
        }
        self.bytes += bytes as u64;
        None
    }

    fn measured(&mut self, span: i64) -> Option<u32> {
        // A hole or a jump is no measurement.
        let span = u64::try_from(span)
            .ok()
            .filter(|span| *span < 2 * WINDOW_MICROS as u64)?;
        let rate = u32::try_from(self.bytes * 8 * 1_000_000 / span.max(1)).unwrap_or(u32::MAX);
        self.windows.push(rate);
        if self.windows.len() > WINDOWS {
            self.windows.remove(0);
        }
        (self.windows.len() == WINDOWS)
            .then(|| self.windows.iter().copied().max())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_liveliest_of_three_measurements_counts() {
        let mut bitrate = Bitrate::default();
        let mut found = Vec::new();
        for frame in 0..20 * 30 {
            let lively = (150..300).contains(&frame);
            found.extend(bitrate.push(frame * 33_333, if lively { 10_000 } else { 1_000 }));
        }
        let [first] = found[..] else { panic!("{found:?}") };
        assert!((2_300_000..2_500_000).contains(&first), "{first}");
    }

    #[test]
    fn a_jump_is_no_measurement() {
        let mut bitrate = Bitrate::default();
        for jump in 0..10 {
            assert_eq!(bitrate.push(jump * 100_000_000, 1), None);
        }
    }
}
