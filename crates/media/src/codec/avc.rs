//! H.264: the `avcC` record of ISO/IEC 14496-15 §5.3.3 and the parameter sets in it.

mod sps;

use bytes::{BufMut, Bytes};

use super::{bits::BitReader, bytes::ByteReader, limits, nal};
use crate::{Error, VideoCodec, VideoParameters};
use sps::SequenceParameterSet;
pub(super) use sps::skip_picture_description;

const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const SPS_COUNT_MAX: usize = 31;
const PPS_COUNT_MAX: usize = 255;

/// The parameters of a track whose configuration record is `avcc`.
///
/// The record is written anew, since some encoders leave bytes behind it or leave out its last fields.
pub fn parameters(avcc: Bytes) -> Result<VideoParameters, Error> {
    let record = Record::read(&avcc)?;
    let sps = SequenceParameterSet::read(record.sps.first().ok_or(Error::Invalid {
        what: "avcC without an SPS",
    })?)?;
    let (width, height) = limits::picture_size(sps.width, sps.height)?;
    Ok(VideoParameters {
        codec: VideoCodec::Avc,
        config: record.write(&sps),
        width,
        height,
        frame_rate: sps.frame_rate,
        reorders: sps.reorders,
        color: None,
        codec_string: format!("avc1.{:02X}{:02X}{:02X}", sps.profile, sps.constraints, sps.level),
    })
}

/// How many bytes stand before each NAL unit of a sample: 1 to 4, as `avcc` says, and 4 if it says nothing.
pub fn length_size(avcc: &[u8]) -> usize {
    avcc.get(4).map_or(4, |byte| usize::from(byte & 3).saturating_add(1))
}

/// The record to go on with, if `sample` carries parameter sets that `avcc` does not have. With an empty `avcc` the
/// record is made from the sample alone, with lengths of 4 bytes.
///
/// A parameter set replaces the one of the same id. Damaged ones are ignored.
pub fn in_band_parameter_sets(avcc: &[u8], sample: &[u8]) -> Option<Bytes> {
    let length_size = length_size(avcc);
    nal::units(sample, length_size).find(|unit| is_parameter_set(unit))?;
    let empty = Record {
        length_size,
        ..Record::default()
    };
    let mut record = if avcc.is_empty() {
        empty
    } else {
        Record::read(avcc).ok()?
    };
    if !record.merge(sample) || record.pps.is_empty() {
        return None;
    }
    let sps = SequenceParameterSet::read(record.sps.first()?).ok()?;
    Some(record.write(&sps))
}

/// `sample` without parameter sets and access unit delimiters: `avc1` tracks carry them in the record only.
pub fn without_parameter_sets(sample: Bytes, length_size: usize) -> Bytes {
    nal::without(sample, length_size, |unit| {
        is_parameter_set(unit) || unit.is_empty() || unit_type(unit) == Some(ACCESS_UNIT_DELIMITER)
    })
}

/// Whether `sample` is an IDR picture, which is what players take for a keyframe.
pub fn is_keyframe(sample: &[u8], length_size: usize) -> bool {
    nal::units(sample, length_size).any(|unit| unit_type(unit) == Some(IDR_SLICE))
}

fn unit_type(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header & 0x1f)
}

fn is_parameter_set(unit: &[u8]) -> bool {
    matches!(unit_type(unit), Some(SPS | PPS)) && u16::try_from(unit.len()).is_ok()
}

/// An `avcC` taken apart.
#[derive(Default)]
struct Record<'a> {
    length_size: usize,
    sps: Vec<&'a [u8]>,
    pps: Vec<&'a [u8]>,
}

impl<'a> Record<'a> {
    fn read(avcc: &'a [u8]) -> Result<Self, Error> {
        let mut reader = ByteReader::new(avcc, "avcC");
        if reader.byte()? != 1 {
            return Err(Error::Invalid { what: "avcC version" });
        }
        reader.take(3)?;
        let length_size = usize::from(reader.byte()? & 3).saturating_add(1);
        let sps_count = reader.byte()? & 0x1f;
        let sps = read_units(&mut reader, sps_count)?;
        let pps_count = reader.byte()?;
        let pps = read_units(&mut reader, pps_count)?;
        Ok(Self { length_size, sps, pps })
    }

    /// Takes over the parameter sets of `sample`; whether one of them was new.
    fn merge(&mut self, sample: &'a [u8]) -> bool {
        let mut changed = false;
        for unit in nal::units(sample, self.length_size).filter(|unit| is_parameter_set(unit)) {
            changed |= match unit_type(unit) {
                Some(SPS) => merge_unit(&mut self.sps, unit, sps_id, SPS_COUNT_MAX),
                _ => merge_unit(&mut self.pps, unit, pps_id, PPS_COUNT_MAX),
            };
        }
        changed
    }

    fn write(&self, sps: &SequenceParameterSet) -> Bytes {
        let length_size_minus_one = self.length_size.saturating_sub(1) as u8;
        let mut out = vec![1, sps.profile, sps.constraints, sps.level, 0xfc | length_size_minus_one];
        out.put_u8(0xe0 | self.sps.len() as u8);
        write_units(&mut out, &self.sps);
        out.put_u8(self.pps.len() as u8);
        write_units(&mut out, &self.pps);
        if sps.has_chroma_format() {
            out.extend([
                0xfc | sps.chroma_format,
                0xf8 | sps.luma_depth_minus_8,
                0xf8 | sps.chroma_depth_minus_8,
                0,
            ]);
        }
        out.into()
    }
}

fn read_units<'a>(reader: &mut ByteReader<'a>, count: u8) -> Result<Vec<&'a [u8]>, Error> {
    let mut units = Vec::new();
    for _ in 0..count {
        let length = reader.u16()?;
        units.push(reader.take(usize::from(length))?);
    }
    Ok(units)
}

fn write_units(out: &mut Vec<u8>, units: &[&[u8]]) {
    for unit in units {
        out.put_u16(unit.len() as u16);
        out.extend_from_slice(unit);
    }
}

/// Puts `unit` first, in place of the one with the same id; whether anything changed.
fn merge_unit<'a>(units: &mut Vec<&'a [u8]>, unit: &'a [u8], id: fn(&[u8]) -> Option<u32>, max: usize) -> bool {
    let Some(new) = id(unit) else { return false };
    if units.contains(&unit) {
        return false;
    }
    units.retain(|old| id(old) != Some(new));
    units.insert(0, unit);
    units.truncate(max);
    true
}

fn sps_id(unit: &[u8]) -> Option<u32> {
    // Profile, constraints and level stand before the id.
    let payload = nal::payload(unit, 4, 8);
    BitReader::new(&payload, "SPS").unsigned_up_to(31).ok()
}

fn pps_id(unit: &[u8]) -> Option<u32> {
    let payload = nal::payload(unit, 1, 8);
    BitReader::new(&payload, "PPS").unsigned_up_to(255).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FrameRate;
    use crate::codec::hex;

    /// Records of Debian's ffmpeg 5.1 with x264: name, `avcC`, size, frame rate, reorders, codec string.
    type Row = (
        &'static str,
        &'static str,
        (u32, u32),
        Option<FrameRate>,
        bool,
        &'static str,
    );
    const RECORDS: [Row; 5] = [
        (
            "default settings, 360p",
            "0164001effe1001a6764001eacd940a02ff970110000030001000003003c0f162d9601000668ebe3cb22c0fdf8f800",
            (640, 360),
            Some(FrameRate { frames: 30, seconds: 1 }),
            true,
            "avc1.64001E",
        ),
        (
            "ultrafast, 1080p at an NTSC rate, cropped from 1088 lines",
            "0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8",
            (1_920, 1_080),
            Some(FrameRate {
                frames: 30_000,
                seconds: 1_001,
            }),
            false,
            "avc1.42C028",
        ),
        (
            "baseline",
            "0142c01effe100196742c01ed900a02ff970110000030001000003003c0f162e4801000568cb83cb20",
            (640, 360),
            Some(FrameRate { frames: 30, seconds: 1 }),
            false,
            "avc1.42C01E",
        ),
        (
            "interlaced 1080 with a level that is too low for it",
            "014d401effe10019674d401ef403c0227ef011000003000100000300321f142aa001000468de0fc8",
            (1_920, 1_080),
            Some(FrameRate { frames: 25, seconds: 1 }),
            false,
            "avc1.4D401E",
        ),
        (
            "10 bits, 4:4:4, written without the last fields of the record",
            "01f4001effe1001a67f4001e90d9b281405ff1380880000003008000001e078b16cb01000668ebe3c44844",
            (640, 360),
            Some(FrameRate { frames: 30, seconds: 1 }),
            true,
            "avc1.F4001E",
        ),
    ];

    #[test]
    fn records_of_real_encoders_are_read() {
        for (name, avcc, size, frame_rate, reorders, codec_string) in RECORDS {
            let parameters = parameters(hex(avcc)).expect(name);
            assert_eq!((parameters.width, parameters.height), size, "{name}");
            assert_eq!(parameters.frame_rate, frame_rate, "{name}");
            assert_eq!(parameters.reorders, reorders, "{name}");
            assert_eq!(parameters.codec_string, codec_string, "{name}");
            assert!(parameters.config.starts_with(&hex(avcc)[..6]), "{name}");
        }
    }

    #[test]
    fn the_last_fields_of_a_record_are_added_where_an_encoder_leaves_them_out() {
        let config = parameters(hex(RECORDS[4].1)).unwrap().config;
        assert!(config.ends_with(&hex("fffafa00")));
        let complete = hex(RECORDS[0].1);
        assert_eq!(parameters(complete.clone()).unwrap().config, complete);
    }

    #[test]
    fn h264_reader_agrees() {
        use h264_reader::{nal::sps, rbsp};
        for (name, avcc, size, ..) in RECORDS.into_iter().filter(|row| !row.0.contains("too low")) {
            let avcc = hex(avcc);
            let record = Record::read(&avcc).unwrap();
            let payload = rbsp::decode_nal(record.sps[0]).unwrap();
            let sps = sps::SeqParameterSet::from_bits(rbsp::BitReader::new(&*payload)).expect(name);
            assert_eq!(sps.pixel_dimensions().unwrap(), size, "{name}");
            let rate = parameters(avcc.clone()).unwrap().frame_rate.unwrap().per_second();
            assert_eq!(sps.fps(), Some(rate), "{name}");
        }
    }

    #[test]
    fn what_h264_reader_refuses_is_read() {
        use h264_reader::{nal::sps, rbsp};
        let record = |avcc: &Bytes| Record::read(avcc).unwrap().sps[0].to_vec();
        let beyond_its_level = record(&hex(RECORDS[3].1));
        let mut cut_in_its_vui = record(&hex(RECORDS[0].1));
        cut_in_its_vui.truncate(16);
        for unit in [beyond_its_level, cut_in_its_vui] {
            let payload = rbsp::decode_nal(&unit).unwrap();
            assert!(sps::SeqParameterSet::from_bits(rbsp::BitReader::new(&*payload)).is_err());
            assert!(SequenceParameterSet::read(&unit).is_ok());
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_refused() {
        let whole = hex(RECORDS[1].1);
        for length in 0..whole.len() {
            assert!(parameters(whole.slice(..length)).is_err(), "{length} bytes");
        }
    }

    fn sample(units: &[&[u8]]) -> Vec<u8> {
        let mut sample = Vec::new();
        for unit in units {
            sample.put_u32(unit.len() as u32);
            sample.extend_from_slice(unit);
        }
        sample
    }

    #[test]
    fn another_resolution_in_band_makes_another_record() {
        let (small, large) = (hex(RECORDS[0].1), hex(RECORDS[1].1));
        let (before, after) = (Record::read(&small).unwrap(), Record::read(&large).unwrap());
        let unchanged = sample(&[before.sps[0], before.pps[0], &[0x65, 1]]);
        assert_eq!(in_band_parameter_sets(&small, &unchanged), None);
        let changed = sample(&[after.sps[0], after.pps[0], &[0x65, 1]]);
        assert_eq!(in_band_parameter_sets(&small, &changed), Some(large.clone()));
        assert_eq!(in_band_parameter_sets(&[], &changed), Some(large));
    }

    #[test]
    fn damaged_parameter_sets_in_band_change_nothing() {
        let record = hex(RECORDS[0].1);
        assert_eq!(
            in_band_parameter_sets(&record, &sample(&[&[0x67], &[0x68], &[0x65, 1]])),
            None
        );
        assert_eq!(
            in_band_parameter_sets(&record, &sample(&[&[0x67, 0x64, 0, 0x1f, 0x80], &[0x65, 1]])),
            None
        );
        assert_eq!(in_band_parameter_sets(&[], &sample(&[&[0x68, 0xeb, 0xe3]])), None);
    }

    #[test]
    fn alternating_parameter_set_ids_settle_in_one_record() {
        let record = hex(RECORDS[0].1);
        let other: &[u8] = &[0x68, 0b0101_1011, 0xe3, 0xcb, 0x22, 0xc0];
        let merged = in_band_parameter_sets(&record, &sample(&[other, &[0x65, 1]])).unwrap();
        assert_eq!(Record::read(&merged).unwrap().pps.len(), 2);
        let first = Record::read(&record).unwrap().pps[0].to_vec();
        assert_eq!(in_band_parameter_sets(&merged, &sample(&[&first, &[0x65, 1]])), None);
    }

    #[test]
    fn only_an_idr_picture_is_a_keyframe() {
        assert!(is_keyframe(&sample(&[&[9, 0xf0], &[6, 5], &[0x65, 1]]), 4));
        assert!(!is_keyframe(&sample(&[&[6, 5], &[0x41, 1]]), 4));
        assert!(!is_keyframe(&[], 4));
        assert!(!is_keyframe(&[0x65], 0));
    }

    #[test]
    fn samples_lose_parameter_sets_and_delimiters() {
        let whole = sample(&[&[9, 0xf0], &[0x67, 1], &[0x68, 1], &[6, 5], &[0x65, 1]]);
        assert_eq!(without_parameter_sets(whole.into(), 4), sample(&[&[6, 5], &[0x65, 1]]));
    }
}
