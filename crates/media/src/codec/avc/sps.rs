//! The sequence parameter set, ISO/IEC 14496-10 §7.3.2.1.
//!
//! Own code rather than `h264-reader`, which refuses what decoders do not mind: a picture over the limit of the level that
//! the user forced, a damaged VUI. The tests compare the two.

use crate::codec::{bits::BitReader, limits, nal};
use crate::{Error, FrameRate};

const BYTES_MAX: usize = 4_096;
const BASELINE: u8 = 66;

/// What a server must know of an SPS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SequenceParameterSet {
    pub(super) profile: u8,
    pub(super) constraints: u8,
    pub(super) level: u8,
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
        let payload = nal::payload(unit, 1, BYTES_MAX);
        let mut reader = BitReader::new(&payload, "SPS");
        let mut sps = Self {
            profile: reader.small(8)?,
            constraints: reader.small(8)?,
            level: reader.small(8)?,
            chroma_format: 1,
            ..Self::default()
        };
        reader.unsigned_up_to(31)?;
        if sps.has_chroma_format() {
            sps.read_chroma_format(&mut reader)?;
        }
        reader.unsigned_up_to(12)?; // log2_max_frame_num_minus4
        let order_count_type = skip_order_count(&mut reader)?;
        reader.unsigned()?; // max_num_ref_frames
        reader.flag()?; // gaps_in_frame_num_value_allowed_flag
        sps.read_size(&mut reader)?;
        sps.reorders = sps.may_reorder(order_count_type);
        if reader.flag().unwrap_or(false) {
            // A damaged VUI is only a pity: pictures can be decoded without it.
            let _ = sps.read_vui(&mut reader);
        }
        Ok(sps)
    }

    /// Whether the profile is one of those that state chroma format and bit depth (§7.3.2.1.1).
    pub(super) fn has_chroma_format(&self) -> bool {
        matches!(
            self.profile,
            100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
        )
    }

    fn read_chroma_format(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        self.chroma_format = reader.unsigned_up_to(3)? as u8;
        if self.chroma_format == 3 {
            reader.flag()?; // separate_colour_plane_flag
        }
        self.luma_depth_minus_8 = reader.unsigned_up_to(6)? as u8;
        self.chroma_depth_minus_8 = reader.unsigned_up_to(6)? as u8;
        reader.flag()?; // qpprime_y_zero_transform_bypass_flag
        if reader.flag()? {
            skip_scaling_matrix(reader, if self.chroma_format == 3 { 12 } else { 8 })?;
        }
        Ok(())
    }

    fn read_size(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        let columns = reader.unsigned_up_to(1_023)?.saturating_add(1);
        let rows = reader.unsigned_up_to(1_023)?.saturating_add(1);
        let frames_only = reader.flag()?;
        if !frames_only {
            reader.flag()?; // mb_adaptive_frame_field_flag
        }
        reader.flag()?; // direct_8x8_inference_flag
        let fields = if frames_only { 1 } else { 2 };
        let (right, bottom) = self.read_cropping(reader, fields)?;
        self.width = columns.saturating_mul(16).saturating_sub(right);
        self.height = rows.saturating_mul(16).saturating_mul(fields).saturating_sub(bottom);
        Ok(())
    }

    /// How many pixels are cut off from width and height.
    fn read_cropping(&self, reader: &mut BitReader<'_>, fields: u32) -> Result<(u32, u32), Error> {
        if !reader.flag()? {
            return Ok((0, 0));
        }
        let horizontal = reader.unsigned()?.saturating_add(reader.unsigned()?);
        let vertical = reader.unsigned()?.saturating_add(reader.unsigned()?);
        let unit_x = if matches!(self.chroma_format, 1 | 2) { 2 } else { 1 };
        let unit_y = if self.chroma_format == 1 { 2_u32 } else { 1 };
        Ok((
            horizontal.saturating_mul(unit_x),
            vertical.saturating_mul(unit_y.saturating_mul(fields)),
        ))
    }

    /// Whether frames may be reordered as long as the VUI does not say how many.
    fn may_reorder(&self, order_count_type: u32) -> bool {
        let intra_only = self.profile == 44 || (self.constraints & 0x10 != 0 && matches!(self.profile, 100..=244));
        self.profile != BASELINE && order_count_type != 2 && !intra_only
    }

    /// §E.1.1.
    fn read_vui(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        skip_picture_description(reader)?;
        if reader.flag()? {
            let units_in_tick = u64::from(reader.bits(32)?);
            let time_scale = u64::from(reader.bits(32)?);
            reader.flag()?; // fixed_frame_rate_flag
            // A tick is a field (§E.2.1).
            self.frame_rate = limits::frame_rate(time_scale, units_in_tick.saturating_mul(2));
        }
        let nal_hrd = skip_buffering(reader)?;
        let vcl_hrd = skip_buffering(reader)?;
        if nal_hrd || vcl_hrd {
            reader.flag()?; // low_delay_hrd_flag
        }
        reader.flag()?; // pic_struct_present_flag
        if reader.flag()? {
            reader.flag()?; // motion_vectors_over_pic_boundaries_flag
            for _ in 0..4 {
                reader.unsigned()?;
            }
            self.reorders = reader.unsigned()? > 0;
        }
        Ok(())
    }
}

fn skip_scaling_matrix(reader: &mut BitReader<'_>, lists: u32) -> Result<(), Error> {
    for list in 0..lists {
        if reader.flag()? {
            skip_scaling_list(reader, if list < 6 { 16 } else { 64 })?;
        }
    }
    Ok(())
}

fn skip_scaling_list(reader: &mut BitReader<'_>, size: u32) -> Result<(), Error> {
    let mut last = 8_i64;
    for _ in 0..size {
        let next = last.saturating_add(reader.signed()?) & 0xff;
        if next == 0 {
            break;
        }
        last = next;
    }
    Ok(())
}

/// Steps over the picture order count's fields and returns its type.
fn skip_order_count(reader: &mut BitReader<'_>) -> Result<u32, Error> {
    let order_count_type = reader.unsigned_up_to(2)?;
    match order_count_type {
        0 => {
            reader.unsigned_up_to(12)?;
        }
        1 => {
            reader.flag()?;
            reader.signed()?;
            reader.signed()?;
            for _ in 0..reader.unsigned_up_to(255)? {
                reader.signed()?;
            }
        }
        _ => {}
    }
    Ok(order_count_type)
}

/// Aspect ratio, overscan, colours, chroma location: the same fields open the VUI of H.264 and H.265.
pub(in crate::codec) fn skip_picture_description(reader: &mut BitReader<'_>) -> Result<(), Error> {
    const EXTENDED_ASPECT_RATIO: u32 = 255;
    if reader.flag()? && reader.bits(8)? == EXTENDED_ASPECT_RATIO {
        reader.skip(32)?;
    }
    if reader.flag()? {
        reader.flag()?; // overscan_appropriate_flag
    }
    if reader.flag()? {
        reader.skip(4)?; // video_format, video_full_range_flag
        if reader.flag()? {
            reader.skip(24)?;
        }
    }
    if reader.flag()? {
        reader.unsigned()?;
        reader.unsigned()?;
    }
    Ok(())
}

/// Steps over `hrd_parameters()` (§E.1.2) behind its flag; whether it was there.
fn skip_buffering(reader: &mut BitReader<'_>) -> Result<bool, Error> {
    if !reader.flag()? {
        return Ok(false);
    }
    let count = reader.unsigned_up_to(31)?;
    reader.skip(8)?;
    for _ in 0..=count {
        reader.unsigned()?;
        reader.unsigned()?;
        reader.flag()?;
    }
    reader.skip(20)?;
    Ok(true)
}
