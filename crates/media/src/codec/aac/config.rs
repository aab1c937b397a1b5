//! `AudioSpecificConfig` taken apart.

use crate::Error;
use crate::codec::bits::BitReader;

const SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const SBR: u32 = 5;
const PS: u32 = 29;
const SYNC_SBR: u32 = 0x2b7;
const SYNC_PS: u32 = 0x548;

/// What a raw data block is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Single { tag: u8 },
    Pair { tag: u8 },
    LowFrequency { tag: u8 },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) object_type: u32,
    pub(super) core_rate: u32,
    pub(super) output_rate: u32,
    pub(super) core_frame_samples: u32,
    pub(super) elements: Vec<Element>,
    pub(super) sbr: bool,
    pub(super) ps: bool,
}

impl Config {
    pub(super) fn read(asc: &[u8]) -> Result<Self, Error> {
        let mut reader = BitReader::new(asc, "AudioSpecificConfig");
        let mut object_type = read_object_type(&mut reader)?;
        let core_rate = read_sample_rate(&mut reader)?;
        let channel_configuration = reader.bits(4)?;
        let (sbr, ps) = (object_type == SBR || object_type == PS, object_type == PS);
        let mut output_rate = core_rate;
        if sbr {
            output_rate = read_sample_rate(&mut reader)?;
            object_type = read_object_type(&mut reader)?;
        }
        let (core_frame_samples, elements) = read_general(&mut reader, object_type, channel_configuration)?;
        let mut config = Self {
            object_type,
            core_rate,
            output_rate,
            core_frame_samples,
            elements,
            sbr,
            ps,
        };
        if !sbr {
            // The extension is optional: a cut-off one is none.
            let _ = config.read_sync_extension(&mut reader);
        }
        Ok(config)
    }

    /// §1.6.6.2: the backward compatible signalling of SBR and PS.
    fn read_sync_extension(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        if reader.remaining() < 16 || reader.bits(11)? != SYNC_SBR {
            return Ok(());
        }
        if read_object_type(reader)? != SBR || !reader.flag()? {
            return Ok(());
        }
        self.output_rate = read_sample_rate(reader)?;
        self.sbr = true;
        if reader.remaining() >= 12 && reader.bits(11)? == SYNC_PS {
            self.ps = reader.flag()?;
        }
        Ok(())
    }

    /// The object type that `CODECS` names: 29 with PS, 5 with SBR, the core's otherwise.
    pub(super) fn signalled_object_type(&self) -> u32 {
        match (self.ps, self.sbr) {
            (true, _) => PS,
            (false, true) => SBR,
            (false, false) => self.object_type,
        }
    }

    pub(super) fn output_channels(&self) -> u16 {
        let coded = self.elements.iter().fold(0_u16, |channels, element| {
            channels.saturating_add(if matches!(element, Element::Pair { .. }) { 2 } else { 1 })
        });
        if self.ps && coded == 1 { 2 } else { coded }
    }
}

fn read_object_type(reader: &mut BitReader<'_>) -> Result<u32, Error> {
    const ESCAPE: u32 = 31;
    match reader.bits(5)? {
        ESCAPE => Ok(reader.bits(6)?.saturating_add(32)),
        object_type => Ok(object_type),
    }
}

fn read_sample_rate(reader: &mut BitReader<'_>) -> Result<u32, Error> {
    const EXPLICIT: u32 = 15;
    match reader.bits(4)? {
        EXPLICIT => reader.bits(24),
        index => SAMPLE_RATES.get(index as usize).copied().ok_or(Error::Invalid {
            what: "AAC sample rate",
        }),
    }
}

/// `GASpecificConfig` (§4.4.1): the frame's length and the elements of a raw data block.
fn read_general(
    reader: &mut BitReader<'_>,
    object_type: u32,
    channel_configuration: u32,
) -> Result<(u32, Vec<Element>), Error> {
    // Main, LC, SSR, LTP. Low delay and USAC have a syntax of their own, and no browser plays them from a live stream.
    if !matches!(object_type, 1..=4) {
        return Err(Error::Invalid {
            what: "AAC object type",
        });
    }
    let frame_samples = if reader.flag()? { 960 } else { 1_024 };
    if reader.flag()? {
        reader.skip(14)?; // coreCoderDelay
    }
    let has_extension = reader.flag()?;
    let elements = match channel_configuration {
        0 => read_program_config(reader)?,
        _ => elements_of(channel_configuration)?,
    };
    if has_extension {
        reader.flag()?; // extensionFlag3
    }
    Ok((frame_samples, elements))
}

/// Table 1.19.
fn elements_of(channel_configuration: u32) -> Result<Vec<Element>, Error> {
    let layout = match channel_configuration {
        1 => "s",
        2 => "p",
        3 => "sp",
        4 => "sps",
        5 => "spp",
        6 => "sppl",
        7 | 12 => "spppl",
        11 => "sppsl",
        14 => "spplp",
        _ => {
            return Err(Error::Invalid {
                what: "AAC channel configuration",
            });
        }
    };
    let (mut singles, mut pairs) = (0_u8, 0_u8);
    Ok(layout
        .chars()
        .map(|kind| match kind {
            's' => Element::Single {
                tag: next(&mut singles),
            },
            'p' => Element::Pair { tag: next(&mut pairs) },
            _ => Element::LowFrequency { tag: 0 },
        })
        .collect())
}

fn next(tag: &mut u8) -> u8 {
    let current = *tag;
    *tag = tag.saturating_add(1);
    current
}

/// §4.4.1.1.
fn read_program_config(reader: &mut BitReader<'_>) -> Result<Vec<Element>, Error> {
    reader.skip(10)?; // element_instance_tag, object_type, sampling_frequency_index
    let channel_elements = reader
        .bits(4)?
        .saturating_add(reader.bits(4)?)
        .saturating_add(reader.bits(4)?);
    let low_frequency = reader.bits(2)?;
    let data_elements = reader.bits(3)? as usize;
    let coupling_elements = reader.bits(4)? as usize;
    for bits in [4, 4, 3] {
        // Mono mixdown, stereo mixdown, matrix mixdown.
        if reader.flag()? {
            reader.skip(bits)?;
        }
    }
    let mut elements = Vec::new();
    for _ in 0..channel_elements {
        let is_pair = reader.flag()?;
        let tag = reader.small(4)?;
        elements.push(if is_pair {
            Element::Pair { tag }
        } else {
            Element::Single { tag }
        });
    }
    for _ in 0..low_frequency {
        elements.push(Element::LowFrequency { tag: reader.small(4)? });
    }
    reader.skip(
        data_elements
            .saturating_mul(4)
            .saturating_add(coupling_elements.saturating_mul(5)),
    )?;
    reader.align();
    let comment_bytes = reader.bits(8)? as usize;
    reader.skip(comment_bytes.saturating_mul(8))?;
    Ok(elements)
}
