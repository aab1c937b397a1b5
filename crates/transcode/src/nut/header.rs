//! The main header, which says how frames are written, and the header of a stream.

use bytes::Bytes;

use super::Error;
use super::cursor::{Cursor, Stop};

const TIME_BASES_MAX: u64 = 16;
const ELIDED_MAX: u64 = 127;
pub(super) const INVALID: u64 = 8_192;

/// What a frame's first byte stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameCode {
    pub(super) flags: u64,
    pub(super) stream: u64,
    pub(super) size_mul: u64,
    pub(super) size_lsb: u64,
    pub(super) pts_delta: i64,
    pub(super) reserved: u64,
    pub(super) header: u64,
}

const NO_CODE: FrameCode = FrameCode {
    flags: INVALID,
    stream: 0,
    size_mul: 1,
    size_lsb: 0,
    pts_delta: 0,
    reserved: 0,
    header: 0,
};

/// A unit of time, in seconds as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeBase {
    pub(super) num: u64,
    pub(super) den: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Main {
    pub(super) time_bases: Vec<TimeBase>,
    pub(super) codes: Vec<FrameCode>,
    /// Beginnings that frames are written without.
    pub(super) elided: Vec<Vec<u8>>,
}

impl Main {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        let version = cursor.number()?;
        if version > 4 {
            return Err(Error::Invalid("version").into());
        }
        if version > 3 {
            cursor.number()?;
        }
        if cursor.number()? != 1 {
            return Err(Error::Invalid("an output with other than one stream").into());
        }
        cursor.number()?; // the greatest distance between synchronisation points
        let time_bases = time_bases(cursor)?;
        let codes = codes(cursor)?;
        Ok(Self {
            time_bases,
            codes,
            elided: elided(cursor)?,
        })
    }
}

fn time_bases(cursor: &mut Cursor<'_>) -> Result<Vec<TimeBase>, Stop> {
    let count = cursor.number()?;
    if count == 0 || count > TIME_BASES_MAX {
        return Err(Error::Invalid("the number of time bases").into());
    }
    let mut bases = Vec::new();
    for _ in 0..count {
        let base = TimeBase {
            num: cursor.number()?,
            den: cursor.number()?,
        };
        let limits = 1..1 << 31;
        if !limits.contains(&base.num) || !limits.contains(&base.den) {
            return Err(Error::Invalid("a time base").into());
        }
        bases.push(base);
    }
    Ok(bases)
}

fn codes(cursor: &mut Cursor<'_>) -> Result<Vec<FrameCode>, Stop> {
    let mut codes = Vec::with_capacity(256);
    let mut last = NO_CODE;
    while codes.len() < 256 {
        last.flags = cursor.number()?;
        let fields = cursor.number()?;
        let field = |cursor: &mut Cursor<'_>, nth: u64, otherwise: u64| match fields > nth {
            true => cursor.number(),
            false => Ok(otherwise),
        };
        if fields > 0 {
            last.pts_delta = cursor.signed()?;
        }
        last.size_mul = field(cursor, 1, last.size_mul)?;
        last.stream = field(cursor, 2, last.stream)?;
        last.size_lsb = field(cursor, 3, 0)?;
        last.reserved = field(cursor, 4, 0)?;
        let count = field(cursor, 5, last.size_mul.saturating_sub(last.size_lsb))?;
        field(cursor, 6, 0)?; // the time to match
        last.header = field(cursor, 7, last.header)?;
        for _ in 8..fields {
            cursor.number()?;
        }
        push_codes(&mut codes, last, count)?;
    }
    Ok(codes)
}

/// One code for each size from `code`'s on. `N` is left out: start codes begin with it.
fn push_codes(codes: &mut Vec<FrameCode>, code: FrameCode, count: u64) -> Result<(), Error> {
    if count == 0 || count > 256 {
        return Err(Error::Invalid("the table of frame codes"));
    }
    for nth in 0..count {
        if codes.len() == usize::from(b'N') {
            codes.push(NO_CODE);
        }
        if codes.len() >= 256 {
            return Err(Error::Invalid("the table of frame codes"));
        }
        codes.push(FrameCode {
            size_lsb: code.size_lsb.saturating_add(nth),
            ..code
        });
    }
    if codes.len() == usize::from(b'N') {
        codes.push(NO_CODE);
    }
    Ok(())
}

fn elided(cursor: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, Stop> {
    let more = cursor.number()?;
    if more > ELIDED_MAX {
        return Err(Error::Invalid("the number of elided headers").into());
    }
    let mut elided = vec![Vec::new()];
    for _ in 0..more {
        elided.push(cursor.counted()?.to_vec());
    }
    Ok(elided)
}

/// Whether a stream is seen or heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// What a file says of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Whether it is seen or heard.
    pub class: Class,
    /// The codec's name in the file: `H264`.
    pub fourcc: Bytes,
    /// Ticks per second, where a tick is a whole part of a second; times are given in them.
    pub timescale: u32,
    /// What the encoder says of the stream apart from its frames.
    pub extradata: Bytes,
}

/// A stream with what reading its frames takes.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) stream: Stream,
    pub(super) base: TimeBase,
    pub(super) msb_shift: u32,
}

impl Known {
    pub(super) fn read(cursor: &mut Cursor<'_>, main: &Main) -> Result<Self, Stop> {
        if cursor.number()? != 0 {
            return Err(Error::Invalid("a second stream").into());
        }
        let class = match cursor.number()? {
            0 => Class::Video,
            1 => Class::Audio,
            _ => return Err(Error::Invalid("a stream that is neither seen nor heard").into()),
        };
        let fourcc = Bytes::copy_from_slice(cursor.counted()?);
        let base = usize::try_from(cursor.number()?).ok();
        let base = base.and_then(|index| main.time_bases.get(index).copied());
        let base = base.ok_or(Error::Invalid("a stream's time base"))?;
        let msb_shift = cursor.number()?;
        if msb_shift >= 16 {
            return Err(Error::Invalid("the size of short times").into());
        }
        cursor.number()?; // the greatest distance of times
        cursor.number()?; // the decoder's delay
        cursor.number()?; // flags
        let extradata = Bytes::copy_from_slice(cursor.counted()?);
        let timescale = (base.num == 1).then(|| u32::try_from(base.den).ok()).flatten();
        Ok(Self {
            stream: Stream {
                class,
                fourcc,
                timescale: timescale.ok_or(Error::Invalid("a time base that is no part of a second"))?,
                extradata,
            },
            base,
            msb_shift: msb_shift as u32,
        })
    }
}
