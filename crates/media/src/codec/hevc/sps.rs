//! The sequence parameter set, ISO/IEC 23008-2 §7.3.2.2.

use crate::codec::{avc, bits::BitReader, limits, nal};
use crate::{Error, FrameRate};

const BYTES_MAX: usize = 4_096;
const HEADER: usize = 2;

/// What a server must know of an SPS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SequenceParameterSet {
    /// Profile space, tier, profile, compatibility, constraints and level: byte for byte what `hvcC` begins with.
    pub(super) profile_tier_level: [u8; 12],
    pub(super) chroma_format: u8,
    pub(super) luma_depth_minus_8: u8,
    pub(super) chroma_depth_minus_8: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frame_rate: Option<FrameRate>,
    pub(super) reorders: bool,
}

impl SequenceParameterSet {
    pub(super) fn read(unit: &[u8]) -> Result<Self, Error> {
        let payload = nal::payload(unit, HEADER, BYTES_MAX);
        let mut reader = BitReader::new(&payload, "SPS");
        let mut sps = Self::default();
        let sub_layers = sps.read_profile_tier_level(&mut reader)?;
        reader.unsigned_up_to(15)?; // sps_seq_parameter_set_id
        sps.read_size(&mut reader)?;
        sps.luma_depth_minus_8 = reader.unsigned_up_to(8)? as u8;
        sps.chroma_depth_minus_8 = reader.unsigned_up_to(8)? as u8;
        let order_count_bits = reader.unsigned_up_to(12)?.saturating_add(4);
        sps.read_ordering(&mut reader, sub_layers)?;
        // What follows only leads to the frame rate, and pictures can be decoded without that.
        let _ = sps.read_frame_rate(&mut reader, order_count_bits);
        Ok(sps)
    }

    fn read_profile_tier_level(&mut self, reader: &mut BitReader<'_>) -> Result<u32, Error> {
        reader.skip(4)?; // sps_video_parameter_set_id
        let sub_layers = reader.bits(3)?;
        if sub_layers > 6 {
            return Err(Error::Invalid { what: "SPS" });
        }
        reader.flag()?; // sps_temporal_id_nesting_flag
        for byte in &mut self.profile_tier_level {
            *byte = reader.small(8)?;
        }
        skip_sub_layers(reader, sub_layers)?;
        Ok(sub_layers)
    }

    fn read_size(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        self.chroma_format = reader.unsigned_up_to(3)? as u8;
        if self.chroma_format == 3 {
            reader.flag()?; // separate_colour_plane_flag
        }
        let width = reader.unsigned()?;
        let height = reader.unsigned()?;
        let (right, bottom) = self.read_cropping(reader)?;
        self.width = width.saturating_sub(right);
        self.height = height.saturating_sub(bottom);
        Ok(())
    }

    /// How many pixels are cut off from width and height.
    fn read_cropping(&self, reader: &mut BitReader<'_>) -> Result<(u32, u32), Error> {
        if !reader.flag()? {
            return Ok((0, 0));
        }
        let horizontal = reader.unsigned()?.saturating_add(reader.unsigned()?);
        let vertical = reader.unsigned()?.saturating_add(reader.unsigned()?);
        let unit_x = if matches!(self.chroma_format, 1 | 2) { 2 } else { 1 };
        let unit_y = if self.chroma_format == 1 { 2 } else { 1 };
        Ok((horizontal.saturating_mul(unit_x), vertical.saturating_mul(unit_y)))
    }

    /// The last sub-layer's numbers are those of the whole stream.
    fn read_ordering(&mut self, reader: &mut BitReader<'_>, sub_layers: u32) -> Result<(), Error> {
        let first = if reader.flag()? { 0 } else { sub_layers };
        for _ in first..=sub_layers {
            reader.unsigned()?; // sps_max_dec_pic_buffering_minus1
            self.reorders = reader.unsigned()? > 0;
            reader.unsigned()?; // sps_max_latency_increase_plus1
        }
        Ok(())
    }

    fn read_frame_rate(&mut self, reader: &mut BitReader<'_>, order_count_bits: u32) -> Result<(), Error> {
        skip_coding_tools(reader)?;
        skip_reference_pictures(reader, order_count_bits)?;
        reader.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        if reader.flag()? {
            self.read_vui(reader)?;
        }
        Ok(())
    }

    /// §E.2.1, as far as the timing.
    fn read_vui(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        avc::skip_picture_description(reader)?;
        reader.flag()?; // neutral_chroma_indication_flag
        let pictures_per_frame = if reader.flag()? { 2 } else { 1 };
        reader.flag()?; // frame_field_info_present_flag
        if reader.flag()? {
            for _ in 0..4 {
                reader.unsigned()?; // default display window
            }
        }
        if reader.flag()? {
            let units_in_tick = u64::from(reader.bits(32)?);
            let time_scale = u64::from(reader.bits(32)?);
            self.frame_rate = limits::frame_rate(time_scale, units_in_tick.saturating_mul(pictures_per_frame));
        }
        Ok(())
    }
}

/// The id of a sequence parameter set.
pub(super) fn id(unit: &[u8]) -> Option<u32> {
    let payload = nal::payload(unit, HEADER, 128);
    let mut reader = BitReader::new(&payload, "SPS");
    SequenceParameterSet::default()
        .read_profile_tier_level(&mut reader)
        .ok()?;
    reader.unsigned_up_to(15).ok()
}

/// §7.3.3, behind the general part.
fn skip_sub_layers(reader: &mut BitReader<'_>, sub_layers: u32) -> Result<(), Error> {
    let mut bits = 0_usize;
    for _ in 0..sub_layers {
        bits = bits.saturating_add(if reader.flag()? { 88 } else { 0 });
        bits = bits.saturating_add(if reader.flag()? { 8 } else { 0 });
    }
    if sub_layers > 0 {
        let padding = 8_usize.saturating_sub(sub_layers as usize).saturating_mul(2);
        bits = bits.saturating_add(padding);
    }
    reader.skip(bits)
}

fn skip_coding_tools(reader: &mut BitReader<'_>) -> Result<(), Error> {
    for _ in 0..6 {
        reader.unsigned()?; // sizes of coding and transform blocks
    }
    if reader.flag()? && reader.flag()? {
        skip_scaling_lists(reader)?;
    }
    reader.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if reader.flag()? {
        reader.skip(8)?; // bit depths of PCM
        reader.unsigned()?;
        reader.unsigned()?;
        reader.flag()?;
    }
    Ok(())
}

/// §7.3.4.
fn skip_scaling_lists(reader: &mut BitReader<'_>) -> Result<(), Error> {
    for (lists, coefficients, has_dc) in [(6, 16, false), (6, 64, false), (6, 64, true), (2, 64, true)] {
        for _ in 0..lists {
            if !reader.flag()? {
                reader.unsigned()?;
                continue;
            }
            for _ in 0..if has_dc { 65 } else { coefficients } {
                reader.signed()?;
            }
        }
    }
    Ok(())
}

fn skip_reference_pictures(reader: &mut BitReader<'_>, order_count_bits: u32) -> Result<(), Error> {
    let mut previous = 0_u32;
    for index in 0..reader.unsigned_up_to(64)? {
        previous = skip_short_term_set(reader, index, previous)?;
    }
    if reader.flag()? {
        for _ in 0..reader.unsigned_up_to(32)? {
            reader.bits(order_count_bits)?;
            reader.flag()?;
        }
    }
    Ok(())
}

/// Steps over a short-term reference picture set (§7.3.7) and returns how many pictures it names; `previous` is that
/// number of the set before.
fn skip_short_term_set(reader: &mut BitReader<'_>, index: u32, previous: u32) -> Result<u32, Error> {
    if index > 0 && reader.flag()? {
        reader.flag()?; // delta_rps_sign
        reader.unsigned()?; // abs_delta_rps_minus1
        let mut count = 0_u32;
        for _ in 0..=previous {
            let used = reader.flag()? || reader.flag()?;
            count = count.saturating_add(u32::from(used));
        }
        return Ok(count);
    }
    let count = reader.unsigned_up_to(16)?.saturating_add(reader.unsigned_up_to(16)?);
    for _ in 0..count {
        reader.unsigned()?;
        reader.flag()?;
    }
    Ok(count)
}
