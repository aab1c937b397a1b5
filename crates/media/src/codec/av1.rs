//! AV1: the `av1C` record of the AV1 ISOBMFF binding, and the OBUs in it and in samples.

mod sequence;

use bytes::{Bytes, BytesMut};

use super::{bits::BitReader, limits};
use crate::{Error, VideoCodec, VideoParameters};
use sequence::SequenceHeader;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// The parameters of a track whose configuration record is `av1c`. The record must hold the sequence header; where an
/// encoder leaves it out, [`sequence_header_in`] makes a record from the first keyframe.
pub fn parameters(av1c: Bytes) -> Result<VideoParameters, Error> {
    if av1c.first() != Some(&0x81) {
        return Err(Error::Invalid { what: "av1C version" });
    }
    let payload = sequence_header(config_obus(&av1c)).ok_or(Error::Invalid {
        what: "av1C without a sequence header",
    })?;
    let header = SequenceHeader::read(payload)?;
    let (width, height) = limits::picture_size(header.width, header.height)?;
    Ok(VideoParameters {
        codec: VideoCodec::Av1,
        config: av1c,
        width,
        height,
        frame_rate: header.frame_rate,
        reorders: false,
        color: None,
        codec_string: codec_string(&header),
    })
}

/// The record to go on with, if `sample` carries a sequence header that `av1c` does not have. With an empty `av1c` the
/// record is made from the sample alone. A damaged sequence header is ignored.
pub fn sequence_header_in(av1c: &[u8], sample: &[u8]) -> Option<Bytes> {
    let payload = sequence_header(sample)?;
    if sequence_header(config_obus(av1c)) == Some(payload) {
        return None;
    }
    let header = SequenceHeader::read(payload).ok()?;
    Some(record(&header, payload))
}

/// `sample` without temporal delimiters, which MP4 leaves out. A slice where they stand at the front, as they do in
/// every correct stream; a copy otherwise.
pub fn strip_temporal_delimiters(sample: Bytes) -> Bytes {
    let is_delimiter = |obu: &Obu<'_>| obu.kind == TEMPORAL_DELIMITER;
    if !obus(&sample).any(|obu| is_delimiter(&obu)) {
        return sample;
    }
    let mut leading = 0_usize;
    for obu in obus(&sample).take_while(is_delimiter) {
        leading = leading.saturating_add(obu.whole.len());
    }
    let sample = if leading < sample.len() {
        sample.slice(leading..)
    } else {
        return Bytes::new();
    };
    if !obus(&sample).any(|obu| is_delimiter(&obu)) {
        return sample;
    }
    let mut kept = BytesMut::with_capacity(sample.len());
    for obu in obus(&sample).filter(|obu| !is_delimiter(obu)) {
        kept.extend_from_slice(obu.whole);
    }
    kept.freeze()
}

/// Whether the first frame of `sample` is a shown key frame.
pub fn is_keyframe(sample: &[u8]) -> bool {
    const KEY_FRAME: u32 = 0;
    let Some(frame) = obus(sample).find(|obu| matches!(obu.kind, FRAME_HEADER | FRAME)) else {
        return false;
    };
    let mut reader = BitReader::new(frame.payload, "frame header");
    // show_existing_frame, frame_type, show_frame (AV1 §5.9.2).
    matches!(
        (reader.flag(), reader.bits(2), reader.flag()),
        (Ok(false), Ok(KEY_FRAME), Ok(true))
    )
}

fn config_obus(av1c: &[u8]) -> &[u8] {
    av1c.get(4..).unwrap_or_default()
}

fn sequence_header(obus_of: &[u8]) -> Option<&[u8]> {
    obus(obus_of)
        .find(|obu| obu.kind == SEQUENCE_HEADER)
        .map(|obu| obu.payload)
}

fn codec_string(header: &SequenceHeader) -> String {
    let tier = if header.high_tier { 'H' } else { 'M' };
    format!(
        "av01.{}.{:02}{tier}.{:02}",
        header.profile,
        header.level,
        header.bit_depth()
    )
}

fn record(header: &SequenceHeader, payload: &[u8]) -> Bytes {
    let flag = |set: bool, shift: u32| u8::from(set).wrapping_shl(shift);
    let mut out = vec![0x81, (header.profile << 5) | header.level];
    out.push(
        flag(header.high_tier, 7)
            | flag(header.high_bit_depth, 6)
            | flag(header.twelve_bit, 5)
            | flag(header.monochrome, 4)
            | flag(header.subsampling_x, 3)
            | flag(header.subsampling_y, 2)
            | header.chroma_sample_position,
    );
    out.push(0);
    out.push((SEQUENCE_HEADER << 3) | 2);
    write_leb128(&mut out, payload.len());
    out.extend_from_slice(payload);
    out.into()
}

/// An open bitstream unit, AV1 §5.3.
struct Obu<'a> {
    kind: u8,
    /// With its header and size.
    whole: &'a [u8],
    payload: &'a [u8],
}

/// The OBUs of a sample. Ends early where a size does not fit.
fn obus(data: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let obu = read_obu(rest)?;
        rest = rest.get(obu.whole.len()..)?;
        Some(obu)
    })
}

fn read_obu(data: &[u8]) -> Option<Obu<'_>> {
    let (&header, mut rest) = data.split_first()?;
    if header & 0x80 != 0 {
        return None;
    }
    if header & 4 != 0 {
        rest = rest.get(1..)?;
    }
    let size = if header & 2 != 0 {
        read_leb128(&mut rest)?
    } else {
        rest.len()
    };
    let payload = rest.get(..size)?;
    let whole = data.get(..data.len().checked_sub(rest.len())?.checked_add(size)?)?;
    Some(Obu {
        kind: (header >> 3) & 15,
        whole,
        payload,
    })
}

fn read_leb128(data: &mut &[u8]) -> Option<usize> {
    let mut value = 0_u64;
    for shift in (0..56).step_by(7) {
        let (&byte, rest) = data.split_first()?;
        *data = rest;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

fn write_leb128(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FrameRate;
    use crate::codec::hex;

    /// Of SVT-AV1 4.2 in ffmpeg 9.0, 640x360.
    const SVT: &str = "81010c000a0c0200000d2627fb3805f00080";
    /// What its first sample begins with: the sequence header is not quite the one of its record.
    const SVT_SAMPLE: &str = "12000a0c0200000d2627fb3895f20080320410008580";
    /// Of libaom in ffmpeg 9.0, 10 bits, real time.
    const AOM: &str = "81014c000a0b0000000cc4ff6736be5010";

    #[test]
    fn records_of_real_encoders_are_read() {
        let svt = parameters(hex(SVT)).unwrap();
        assert_eq!(
            (svt.width, svt.height, svt.codec_string.as_str()),
            (640, 360, "av01.0.01M.08")
        );
        let aom = parameters(hex(AOM)).unwrap();
        assert_eq!(
            (aom.width, aom.height, aom.codec_string.as_str()),
            (640, 360, "av01.0.01M.10")
        );
        assert_eq!(aom.config, hex(AOM));
        assert!(!aom.reorders);
    }

    #[test]
    fn a_made_record_equals_the_encoders_own() {
        for record in [hex(SVT), hex(AOM)] {
            assert_eq!(sequence_header_in(&[], &record[4..]), Some(record));
        }
    }

    #[test]
    fn another_sequence_header_in_band_makes_another_record() {
        let record = sequence_header_in(&hex(SVT), &hex(SVT_SAMPLE)).unwrap();
        assert_eq!(parameters(record.clone()).unwrap().codec_string, "av01.0.01M.08");
        assert_eq!(sequence_header_in(&record, &hex(SVT_SAMPLE)), None);
        assert_eq!(sequence_header_in(&hex(SVT), &hex("32053800")), None);
    }

    #[test]
    fn timing_info_gives_the_frame_rate() {
        use crate::codec::bits::BitWriter;
        let mut writer = BitWriter::default();
        let timing = [(0, 5), (1, 1), (1_001, 32), (30_000, 32), (1, 1), (1, 1), (0, 1)];
        let point = [(0, 1), (0, 5), (0, 12), (4, 5)];
        let size = [(15, 4), (15, 4), (1_919, 16), (1_079, 16)];
        for (value, bits) in timing.into_iter().chain(point).chain(size) {
            writer.put(value, bits);
        }
        writer.put(0, 32);
        let payload = writer.finish();
        let header = SequenceHeader::read(&payload).unwrap();
        assert_eq!((header.width, header.height), (1_920, 1_080));
        assert_eq!(header.frame_rate, FrameRate::new(30_000, 1_001));
    }

    #[test]
    fn a_record_without_a_sequence_header_is_refused() {
        assert!(parameters(hex("81010c00")).is_err());
        assert!(parameters(hex("01010c000a0c0200000d2627fb3805f00080")).is_err());
        let whole = hex(SVT);
        for length in 0..whole.len() {
            assert!(parameters(whole.slice(..length)).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn temporal_delimiters_at_the_front_are_sliced_away_without_a_copy() {
        let sample = hex(SVT_SAMPLE);
        let kept = strip_temporal_delimiters(sample.clone());
        assert_eq!(kept, sample.slice(2..));
        assert_eq!(kept.as_ptr(), sample.slice(2..).as_ptr());
        assert_eq!(strip_temporal_delimiters(hex("3201001200320138")), hex("320100320138"));
    }

    #[test]
    fn a_shown_key_frame_is_a_keyframe() {
        assert!(is_keyframe(&hex(SVT_SAMPLE)));
        assert!(!is_keyframe(&hex("320428100040")), "an inter frame");
        assert!(!is_keyframe(&hex("1a01e8")), "an existing frame shown again");
        assert!(!is_keyframe(&[]));
    }
}
