//! The header of a frame.

use super::cursor::{Cursor, Stop};
use super::header::{INVALID, Known, Main};
use super::{Error, Limits};

const KEY: u64 = 1;
const CODED_PTS: u64 = 8;
const STREAM_ID: u64 = 16;
const SIZE_MSB: u64 = 32;
const CHECKSUM: u64 = 64;
const RESERVED: u64 = 128;
const SIDE_DATA: u64 = 256;
const HEADER_INDEX: u64 = 1_024;
const MATCH_TIME: u64 = 2_048;
const CODED: u64 = 4_096;
/// Longer frames are written whole.
const ELIDED_FRAME_MAX: u64 = 4_096;

#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) pts: i64,
    pub(super) keyframe: bool,
    /// Which elided beginning the frame has.
    pub(super) elided: usize,
    /// Bytes that follow.
    pub(super) len: usize,
}

impl FrameHeader {
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        main: &Main,
        stream: &Known,
        last_pts: i64,
        limits: Limits,
    ) -> Result<Self, Stop> {
        let code = main.codes.get(usize::from(cursor.byte()?));
        let code = *code.ok_or(Error::Invalid("a frame code"))?;
        let mut flags = code.flags;
        if flags & CODED != 0 {
            flags ^= cursor.number()?;
        }
        if flags & (INVALID | SIDE_DATA) != 0 {
            return Err(Error::Invalid("a frame's flags").into());
        }
        let number = if flags & STREAM_ID != 0 {
            cursor.number()?
        } else {
            code.stream
        };
        if number != 0 {
            return Err(Error::Invalid("a frame of another stream").into());
        }
        let pts = if flags & CODED_PTS != 0 {
            coded_pts(cursor.number()?, stream.msb_shift, last_pts)
        } else {
            last_pts.saturating_add(code.pts_delta)
        };
        let msb = if flags & SIZE_MSB != 0 { cursor.number()? } else { 0 };
        let size = code.size_lsb.saturating_add(code.size_mul.saturating_mul(msb));
        if flags & MATCH_TIME != 0 {
            cursor.signed()?;
        }
        let elided = if flags & HEADER_INDEX != 0 {
            cursor.number()?
        } else {
            code.header
        };
        let reserved = if flags & RESERVED != 0 {
            cursor.number()?
        } else {
            code.reserved
        };
        if reserved > 16 {
            return Err(Error::Invalid("the number of reserved fields").into());
        }
        for _ in 0..reserved {
            cursor.number()?;
        }
        if flags & CHECKSUM != 0 {
            cursor.take(4)?;
        }
        let (elided, len) = length(main, elided, size, limits)?;
        Ok(Self {
            pts,
            keyframe: flags & KEY != 0,
            elided,
            len,
        })
    }
}

fn length(main: &Main, elided: u64, size: u64, limits: Limits) -> Result<(usize, usize), Error> {
    let elided = if size > ELIDED_FRAME_MAX { 0 } else { elided };
    let elided = usize::try_from(elided).unwrap_or(usize::MAX);
    let header = main.elided.get(elided).ok_or(Error::Invalid("an elided header"))?;
    let len = usize::try_from(size).unwrap_or(usize::MAX);
    if len > limits.frame_bytes_max {
        return Err(Error::FrameTooLarge {
            len: size,
            max: limits.frame_bytes_max,
        });
    }
    let rest = len.checked_sub(header.len());
    Ok((elided, rest.ok_or(Error::Invalid("a frame shorter than its header"))?))
}

/// Small values are the low bits of a time near the last one; others the time itself.
fn coded_pts(coded: u64, shift: u32, last: i64) -> i64 {
    let range = 1_i64 << shift.min(62);
    let coded = i64::try_from(coded).unwrap_or(i64::MAX);
    if coded >= range {
        return coded.saturating_sub(range);
    }
    let mask = range.saturating_sub(1);
    let from = last.saturating_sub(mask >> 1);
    (coded.wrapping_sub(from) & mask).saturating_add(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_are_near_the_last_one_and_long_ones_are_whole() {
        assert_eq!(coded_pts(5, 7, 130), 133);
        assert_eq!(coded_pts(120, 7, 130), 120);
        assert_eq!(coded_pts(128 + 90_000, 7, 5), 90_000);
    }
}
