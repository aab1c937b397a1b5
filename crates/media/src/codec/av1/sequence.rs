//! The sequence header OBU, AV1 §5.5.

use crate::codec::{bits::BitReader, limits};
use crate::{Error, FrameRate};

/// What a server must know of a sequence header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SequenceHeader {
    pub(super) profile: u8,
    pub(super) level: u8,
    pub(super) high_tier: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frame_rate: Option<FrameRate>,
    pub(super) high_bit_depth: bool,
    pub(super) twelve_bit: bool,
    pub(super) monochrome: bool,
    pub(super) subsampling_x: bool,
    pub(super) subsampling_y: bool,
    pub(super) chroma_sample_position: u8,
    reduced: bool,
}

impl SequenceHeader {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Error> {
        let mut reader = BitReader::new(payload, "AV1 sequence header");
        let mut header = Self {
            profile: reader.small(3)?,
            ..Self::default()
        };
        if header.profile > 2 {
            return Err(Error::Invalid { what: "AV1 profile" });
        }
        reader.flag()?; // still_picture
        header.reduced = reader.flag()?;
        header.read_operating_points(&mut reader)?;
        header.read_size(&mut reader)?;
        header.skip_tools(&mut reader)?;
        header.read_colours(&mut reader)?;
        Ok(header)
    }

    pub(super) fn bit_depth(&self) -> u8 {
        match (self.high_bit_depth, self.twelve_bit) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        }
    }

    /// Timing, then levels; the first operating point stands for the stream.
    fn read_operating_points(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        if self.reduced {
            self.level = reader.small(5)?;
            return Ok(());
        }
        let delay_bits = self.read_timing(reader)?;
        let has_display_delay = reader.flag()?;
        for point in 0..=reader.bits(5)? {
            reader.skip(12)?; // operating_point_idc
            let level = reader.small(5)?;
            let high_tier = level > 7 && reader.flag()?;
            if point == 0 {
                (self.level, self.high_tier) = (level, high_tier);
            }
            if let Some(bits) = delay_bits
                && reader.flag()?
            {
                reader.skip(bits.saturating_mul(2).saturating_add(1))?;
            }
            if has_display_delay && reader.flag()? {
                reader.skip(4)?;
            }
        }
        Ok(())
    }

    /// The timing info, and how many bits a buffer delay has if there is a decoder model.
    fn read_timing(&mut self, reader: &mut BitReader<'_>) -> Result<Option<usize>, Error> {
        if !reader.flag()? {
            return Ok(None);
        }
        let units_in_tick = u64::from(reader.bits(32)?);
        let time_scale = u64::from(reader.bits(32)?);
        if reader.flag()? {
            let ticks_per_picture = u64::from(reader.unsigned()?).saturating_add(1);
            self.frame_rate = limits::frame_rate(time_scale, units_in_tick.saturating_mul(ticks_per_picture));
        }
        if !reader.flag()? {
            return Ok(None);
        }
        let delay_bits = reader.bits(5)?.saturating_add(1);
        reader.skip(42)?;
        Ok(Some(delay_bits as usize))
    }

    fn read_size(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        let width_bits = reader.bits(4)?.saturating_add(1);
        let height_bits = reader.bits(4)?.saturating_add(1);
        self.width = reader.bits(width_bits)?.saturating_add(1);
        self.height = reader.bits(height_bits)?.saturating_add(1);
        Ok(())
    }

    fn skip_tools(&self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        if !self.reduced && reader.flag()? {
            reader.skip(7)?; // lengths of frame ids
        }
        reader.skip(3)?; // superblock size, filter intra, intra edge filter
        if !self.reduced {
            skip_inter_tools(reader)?;
        }
        reader.skip(3) // superres, cdef, restoration
    }

    /// §5.5.2.
    fn read_colours(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        const SRGB: (u32, u32, u32) = (1, 13, 0);
        self.high_bit_depth = reader.flag()?;
        self.twelve_bit = self.profile == 2 && self.high_bit_depth && reader.flag()?;
        self.monochrome = self.profile != 1 && reader.flag()?;
        let mut colours = (2, 2, 2);
        if reader.flag()? {
            colours = (reader.bits(8)?, reader.bits(8)?, reader.bits(8)?);
        }
        if self.monochrome {
            (self.subsampling_x, self.subsampling_y) = (true, true);
            return Ok(());
        }
        if colours == SRGB {
            return Ok(());
        }
        reader.flag()?; // color_range
        self.read_subsampling(reader)?;
        if self.subsampling_x && self.subsampling_y {
            self.chroma_sample_position = reader.small(2)?;
        }
        Ok(())
    }

    fn read_subsampling(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        (self.subsampling_x, self.subsampling_y) = match (self.profile, self.twelve_bit) {
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, false) => (true, false),
            (_, true) => {
                let x = reader.flag()?;
                (x, x && reader.flag()?)
            }
        };
        Ok(())
    }
}

fn skip_inter_tools(reader: &mut BitReader<'_>) -> Result<(), Error> {
    reader.skip(4)?; // interintra, masked, warped, dual filter
    let has_order_hint = reader.flag()?;
    if has_order_hint {
        reader.skip(2)?; // joint compound, reference frame motion vectors
    }
    let screen_content = reader.flag()? || reader.flag()?;
    if screen_content && !reader.flag()? {
        reader.flag()?; // seq_force_integer_mv
    }
    if has_order_hint {
        reader.skip(3)?;
    }
    Ok(())
}
