//! What no player could use is refused here, before a buffer is sized by it.

use crate::{Error, FrameRate};

const SIDE_MAX: u32 = 16_384;
const FRAMES_PER_SECOND_MAX: u32 = 1_000;

/// The size of a picture, if both sides are within 1..=16384.
pub(super) fn picture_size(width: u32, height: u32) -> Result<(u32, u32), Error> {
    let side = 1..=SIDE_MAX;
    if side.contains(&width) && side.contains(&height) {
        Ok((width, height))
    } else {
        Err(Error::Invalid { what: "picture size" })
    }
}

/// A sample rate within 8..=192 kHz.
pub(super) fn sample_rate(hertz: u32) -> Result<u32, Error> {
    if (8_000..=192_000).contains(&hertz) {
        Ok(hertz)
    } else {
        Err(Error::Invalid { what: "sample rate" })
    }
}

/// A channel count within 1..=8.
pub(super) fn channels(count: u16) -> Result<u16, Error> {
    if (1..=8).contains(&count) {
        Ok(count)
    } else {
        Err(Error::Invalid { what: "channel count" })
    }
}

/// A frame rate in lowest terms. `None` if it is no rate or an absurd one: some encoders write their clock there.
pub(super) fn frame_rate(frames: u64, seconds: u64) -> Option<FrameRate> {
    let divisor = greatest_common_divisor(frames, seconds);
    let frames = u32::try_from(frames.checked_div(divisor)?).ok()?;
    let seconds = u32::try_from(seconds.checked_div(divisor)?).ok()?;
    let limit = seconds.saturating_mul(FRAMES_PER_SECOND_MAX);
    FrameRate::new(frames, seconds).filter(|_| frames < limit)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_rate_is_reduced_to_lowest_terms() {
        assert_eq!(frame_rate(60_000, 2_002), FrameRate::new(30_000, 1_001));
        assert_eq!(frame_rate(50, 2), FrameRate::new(25, 1));
    }

    #[test]
    fn a_clock_in_place_of_a_frame_rate_is_no_frame_rate() {
        assert_eq!(frame_rate(1_000, 1), None);
        assert_eq!(frame_rate(0, 1), None);
        assert_eq!(frame_rate(30, 0), None);
        assert_eq!(frame_rate(u64::from(u32::MAX), 2), None);
    }

    #[test]
    fn sizes_beyond_any_player_are_refused() {
        assert!(picture_size(16_384, 1).is_ok());
        assert!(picture_size(0, 720).is_err());
        assert!(picture_size(1_280, 16_385).is_err());
        assert!(sample_rate(7_350).is_err());
        assert!(channels(9).is_err());
    }
}
