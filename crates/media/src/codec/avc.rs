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
