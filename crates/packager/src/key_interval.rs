//! What an encoder says of the time between its key frames.
//!
//! x264 and x265 write their options as text into an SEI message before the first key frame: `… keyint=250 …`. With it, the
//! first broadcast of a stream already gets segments that fit.

use media::FrameRate;

/// The text stands at the beginning of the first key frame.
const SEARCHED: usize = 4_096;
const OPTION: &[u8] = b" keyint=";

/// How long `frames` frames last, in milliseconds.
pub(crate) fn millis(frames: u32, rate: FrameRate) -> u32 {
    let millis = u64::from(frames) * 1_000 * u64::from(rate.seconds) / u64::from(rate.frames);
    u32::try_from(millis).unwrap_or(u32::MAX)
}

/// The most frames from one key frame to the next that the encoder's options in this key frame allow.
pub(crate) fn stated(key_frame: &[u8]) -> Option<u32> {
    let head = key_frame.get(..SEARCHED).unwrap_or(key_frame);
    let at = head.windows(OPTION.len()).position(|window| window == OPTION)?;
    let digits = head.get(at + OPTION.len()..)?;
    let count = digits.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    // `keyint=infinite` has none.
    std::str::from_utf8(digits.get(..count)?)
        .ok()?
        .parse()
        .ok()
        .filter(|frames| *frames > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_x264_tell_the_longest_interval() {
        let sei =
            b"\0\0\x02\xad\x06\x05...x264 - core 164 - options: cabac=1 ref=3 keyint=250 keyint_min=25 scenecut=40";
        let rate = FrameRate::new(30, 1).expect("not zero");
        assert_eq!(stated(sei).map(|frames| millis(frames, rate)), Some(8_333));
    }

    #[test]
    fn other_key_frames_tell_nothing() {
        for frame in [&b""[..], b" keyint=", b" keyint=infinite", b" keyint=0", b"keyint=250"] {
            assert_eq!(stated(frame), None);
        }
    }
}
