//! H.265: the `hvcC` record of ISO/IEC 14496-15 §8.3.3 and the parameter sets in it.

mod sps;

use bytes::{BufMut, Bytes};

use super::{bits::BitReader, bytes::ByteReader, limits, nal};
use crate::{Error, VideoCodec, VideoParameters};
use sps::SequenceParameterSet;

const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
const ACCESS_UNIT_DELIMITER: u8 = 35;
/// In the order in which a record lists them.
const PARAMETER_SETS: [u8; 3] = [VPS, SPS, PPS];
const COUNT_MAX: usize = 64;

/// The parameters of a track whose configuration record is `hvcc`.
///
/// The record is written anew: `hvc1` wants its arrays marked complete, and encoders put kilobytes of SEI there.
pub fn parameters(hvcc: Bytes) -> Result<VideoParameters, Error> {
    let record = Record::read(&hvcc)?;
    let sps = SequenceParameterSet::read(record.sps.first().ok_or(Error::Invalid {
        what: "hvcC without an SPS",
    })?)?;
    let (width, height) = limits::picture_size(sps.width, sps.height)?;
    Ok(VideoParameters {
        codec: VideoCodec::Hevc,
        config: record.write(&sps),
        width,
        height,
        frame_rate: sps.frame_rate,
        reorders: sps.reorders,
        color: None,
        codec_string: codec_string(&sps.profile_tier_level),
    })
}

/// How many bytes stand before each NAL unit of a sample: 1 to 4, as `hvcc` says, and 4 if it says nothing.
pub fn length_size(hvcc: &[u8]) -> usize {
    hvcc.get(21).map_or(4, |byte| usize::from(byte & 3).saturating_add(1))
}

/// The record to go on with, if `sample` carries parameter sets that `hvcc` does not have. With an empty `hvcc` the
/// record is made from the sample alone, with lengths of 4 bytes.
///
/// A parameter set replaces the one of the same id. Damaged ones are ignored.
pub fn in_band_parameter_sets(hvcc: &[u8], sample: &[u8]) -> Option<Bytes> {
    let length_size = length_size(hvcc);
    nal::units(sample, length_size).find(|unit| is_parameter_set(unit))?;
    let empty = Record {
        length_size,
        ..Record::default()
    };
    let mut record = if hvcc.is_empty() {
        empty
    } else {
        Record::read(hvcc).ok()?
    };
    if !record.merge(sample) || record.vps.is_empty() || record.pps.is_empty() {
        return None;
    }
    let sps = SequenceParameterSet::read(record.sps.first()?).ok()?;
    Some(record.write(&sps))
}

/// `sample` without parameter sets and access unit delimiters: `hvc1` tracks carry them in the record only.
pub fn without_parameter_sets(sample: Bytes, length_size: usize) -> Bytes {
    nal::without(sample, length_size, |unit| {
        is_parameter_set(unit) || unit.is_empty() || unit_type(unit) == Some(ACCESS_UNIT_DELIMITER)
    })
}

/// Whether `sample` is a random access point: IDR, CRA or BLA (§7.4.2.2, types 16 to 21).
pub fn is_keyframe(sample: &[u8], length_size: usize) -> bool {
    nal::units(sample, length_size).any(|unit| matches!(unit_type(unit), Some(16..=21)))
}

fn unit_type(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| (header >> 1) & 0x3f)
}

fn is_parameter_set(unit: &[u8]) -> bool {
    unit_type(unit).is_some_and(|unit_type| PARAMETER_SETS.contains(&unit_type)) && u16::try_from(unit.len()).is_ok()
}

/// The codec as ISO/IEC 14496-15 annex E.3 spells it.
fn codec_string(profile_tier_level: &[u8; 12]) -> String {
    let [profile, compatibility @ .., level] = profile_tier_level;
    let [a, b, c, d, constraints @ ..] = compatibility;
    let space = ["", "A", "B", "C"]
        .get(usize::from(profile >> 6))
        .copied()
        .unwrap_or_default();
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let compatibility = u32::from_be_bytes([*a, *b, *c, *d]).reverse_bits();
    let mut string = format!("hvc1.{space}{}.{compatibility:X}.{tier}{level}", profile & 0x1f);
    let significant = constraints
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last.saturating_add(1));
    for constraint in constraints.iter().take(significant) {
        string.push_str(&format!(".{constraint:X}"));
    }
    string
}

/// An `hvcC` taken apart.
#[derive(Default)]
struct Record<'a> {
    length_size: usize,
    /// Bytes 13 to 21 as far as they are not in the SPS: segmentation, parallelism, average frame rate, layers.
    description: Option<Description>,
    vps: Vec<&'a [u8]>,
    sps: Vec<&'a [u8]>,
    pps: Vec<&'a [u8]>,
}

#[derive(Clone, Copy)]
struct Description {
    segmentation: u16,
    parallelism: u8,
    average_frame_rate: u16,
    layers: u8,
}

impl Default for Description {
    /// Nothing known, one layer, nested.
    fn default() -> Self {
        Self {
            segmentation: 0xf000,
            parallelism: 0xfc,
            average_frame_rate: 0,
            layers: 0x0c,
        }
    }
}

impl<'a> Record<'a> {
    fn read(hvcc: &'a [u8]) -> Result<Self, Error> {
        let mut reader = ByteReader::new(hvcc, "hvcC");
        if reader.byte()? > 1 {
            // Version 0 was written by encoders before the standard was done.
            return Err(Error::Invalid { what: "hvcC version" });
        }
        reader.take(12)?;
        let segmentation = reader.u16()? | 0xf000;
        let parallelism = reader.byte()? | 0xfc;
        reader.take(3)?;
        let average_frame_rate = reader.u16()?;
        let layers = reader.byte()?;
        let mut record = Self {
            length_size: usize::from(layers & 3).saturating_add(1),
            description: Some(Description {
                segmentation,
                parallelism,
                average_frame_rate,
                layers: layers & 0xfc,
            }),
            ..Self::default()
        };
        for _ in 0..reader.byte()? {
            record.read_array(&mut reader)?;
        }
        Ok(record)
    }

    fn read_array(&mut self, reader: &mut ByteReader<'a>) -> Result<(), Error> {
        let unit_type = reader.byte()? & 0x3f;
        for _ in 0..reader.u16()? {
            let length = reader.u16()?;
            let unit = reader.take(usize::from(length))?;
            if let Some(units) = self.units_mut(unit_type).filter(|units| units.len() < COUNT_MAX) {
                units.push(unit);
            }
        }
        Ok(())
    }

    fn units_mut(&mut self, unit_type: u8) -> Option<&mut Vec<&'a [u8]>> {
        match unit_type {
            VPS => Some(&mut self.vps),
            SPS => Some(&mut self.sps),
            PPS => Some(&mut self.pps),
            _ => None,
        }
    }

    /// Takes over the parameter sets of `sample`; whether one of them was new.
    fn merge(&mut self, sample: &'a [u8]) -> bool {
        let mut changed = false;
        for unit in nal::units(sample, self.length_size).filter(|unit| is_parameter_set(unit)) {
            let units = unit_type(unit).and_then(|unit_type| self.units_mut(unit_type));
            changed |= units.is_some_and(|units| merge_unit(units, unit));
        }
        changed
    }

    fn write(&self, sps: &SequenceParameterSet) -> Bytes {
        let description = self.description.unwrap_or_default();
        let mut out = vec![1];
        out.extend(sps.profile_tier_level);
        out.put_u16(description.segmentation);
        out.put_u8(description.parallelism);
        out.extend([
            0xfc | sps.chroma_format,
            0xf8 | sps.luma_depth_minus_8,
            0xf8 | sps.chroma_depth_minus_8,
        ]);
        out.put_u16(description.average_frame_rate);
        out.put_u8(description.layers | self.length_size.saturating_sub(1) as u8);
        let arrays = [(VPS, &self.vps), (SPS, &self.sps), (PPS, &self.pps)];
        let arrays = arrays.into_iter().filter(|(_, units)| !units.is_empty());
        out.put_u8(arrays.clone().count() as u8);
        for (unit_type, units) in arrays {
            write_array(&mut out, unit_type, units);
        }
        out.into()
    }
}

fn write_array(out: &mut Vec<u8>, unit_type: u8, units: &[&[u8]]) {
    const COMPLETE: u8 = 0x80;
    out.put_u8(COMPLETE | unit_type);
    out.put_u16(units.len() as u16);
    for unit in units {
        out.put_u16(unit.len() as u16);
        out.extend_from_slice(unit);
    }
}

/// Puts `unit` first, in place of the one with the same id; whether anything changed.
fn merge_unit<'a>(units: &mut Vec<&'a [u8]>, unit: &'a [u8]) -> bool {
    let Some(new) = id(unit) else { return false };
    if units.contains(&unit) {
        return false;
    }
    units.retain(|old| id(old) != Some(new));
    units.insert(0, unit);
    units.truncate(COUNT_MAX);
    true
}

/// The id of a parameter set.
fn id(unit: &[u8]) -> Option<u32> {
    match unit_type(unit)? {
        VPS => unit.get(2).map(|byte| u32::from(byte >> 4)),
        SPS => sps::id(unit),
        _ => BitReader::new(&nal::payload(unit, 2, 8), "PPS").unsigned_up_to(63).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FrameRate;
    use crate::codec::hex;

    /// Of ffmpeg 9.0 with x265, default settings, 640x360; its SEI array is left out.
    const MAIN: &str = "0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff0160000003009000000300000300\
        3f959809210001002a42010101600000030090000003000003003fa00502016965959a4932bc05a020000003002000000303c12200010007\
        4401c172b46240";
    /// Likewise, 10 bits, ultrafast, without B-frames, 1920x1080 at 60 frames per second.
    const MAIN_10: &str = "0102200000009000000000007bf000fcfdfafa00000f03200001001840010c01ffff022000000300900000030000030\
        07bba0240210001002c42010102200000030090000003000003007ba003c0801107cad96e92930bc05a0200000300020000030078102200\
        0100064401c073c189";

    #[test]
    fn records_of_real_encoders_are_read() {
        let main = parameters(hex(MAIN)).unwrap();
        assert_eq!((main.width, main.height), (640, 360));
        assert_eq!(main.frame_rate, FrameRate::new(30, 1));
        assert!(main.reorders);
        assert_eq!(main.codec_string, "hvc1.1.6.L63.90");

        let main_10 = parameters(hex(MAIN_10)).unwrap();
        assert_eq!((main_10.width, main_10.height), (1_920, 1_080));
        assert_eq!(main_10.frame_rate, FrameRate::new(60, 1));
        assert!(!main_10.reorders);
        assert_eq!(main_10.codec_string, "hvc1.2.4.L123.90");
    }

    #[test]
    fn arrays_are_marked_complete_and_nothing_else_changes() {
        let written = parameters(hex(MAIN)).unwrap().config;
        let mut marked = hex(MAIN).to_vec();
        for array in [23, 52, 99] {
            marked[array] |= 0x80;
        }
        assert_eq!(written, marked);
    }

    #[test]
    fn sei_in_the_record_is_left_out() {
        let mut with_sei = hex(MAIN).to_vec();
        with_sei[22] = 4;
        with_sei.extend([0x27, 0, 1, 0, 4, 0x4e, 1, 5, 0]);
        assert_eq!(parameters(with_sei.into()), parameters(hex(MAIN)));
    }

    #[test]
    fn codec_strings_follow_annex_e() {
        let rows = [
            ([0x01, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93], "hvc1.1.6.L93.B0"),
            ([0x22, 0x20, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 153], "hvc1.2.4.H153.90"),
            ([0x41, 0x80, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 120], "hvc1.A1.1.L120.0.0.20"),
            ([0x01, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63], "hvc1.1.6.L63"),
        ];
        for (profile_tier_level, string) in rows {
            assert_eq!(codec_string(&profile_tier_level), string);
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_refused() {
        let whole = hex(MAIN);
        for length in 0..whole.len() {
            assert!(parameters(whole.slice(..length)).is_err(), "{length} bytes");
        }
    }

    fn sample_of(hvcc: &[u8], slice: &[u8]) -> Vec<u8> {
        let record = Record::read(hvcc).unwrap();
        let mut sample = Vec::new();
        for unit in record
            .vps
            .iter()
            .chain(&record.sps)
            .chain(&record.pps)
            .copied()
            .chain([slice])
        {
            sample.put_u32(unit.len() as u32);
            sample.extend_from_slice(unit);
        }
        sample
    }

    #[test]
    fn another_resolution_in_band_makes_another_record() {
        let (before, after) = (hex(MAIN), hex(MAIN_10));
        let changed = sample_of(&after, &[0x26, 1, 0xaf]);
        let record = in_band_parameter_sets(&before, &changed).unwrap();
        assert_eq!(parameters(record).unwrap().config, parameters(after).unwrap().config);
        assert_eq!(
            in_band_parameter_sets(&before, &sample_of(&before, &[0x26, 1, 0xaf])),
            None
        );
        let made = in_band_parameter_sets(&[], &changed).unwrap();
        assert_eq!(parameters(made).unwrap().codec_string, "hvc1.2.4.L123.90");
    }

    #[test]
    fn idr_cra_and_bla_pictures_are_keyframes() {
        for (unit_type, expected) in [(19, true), (20, true), (21, true), (16, true), (1, false), (39, false)] {
            let sample = [0, 0, 0, 3, unit_type << 1, 1, 0xaf];
            assert_eq!(is_keyframe(&sample, 4), expected, "type {unit_type}");
        }
    }

    #[test]
    fn samples_lose_parameter_sets() {
        let slice = [0x26, 1, 0xaf];
        let kept = without_parameter_sets(sample_of(&hex(MAIN), &slice).into(), 4);
        assert_eq!(kept, [&[0, 0, 0, 3][..], &slice].concat());
    }
}
