//! AC-3 and E-AC-3: the sync frame of ETSI TS 102 366 §4.3 and §E.1.2, and the boxes of annex F.

use bytes::Bytes;

use super::{
    bits::{BitReader, BitWriter},
    limits,
};
use crate::{AudioCodec, AudioParameters, Error};

const SYNC_WORD: u32 = 0x0b77;
const WHAT: &str = "AC-3 frame";

/// The parameters of a track whose first access unit is `first_frame`, of either codec.
pub fn parameters(first_frame: &Bytes) -> Result<AudioParameters, Error> {
    // The bit stream id stands at the same place in both (§E.1.3.1.6).
    match first_frame.get(5).ok_or(Error::Truncated { what: WHAT })? >> 3 {
        0..=10 => ac3(first_frame),
        11..=16 => eac3(first_frame),
        _ => Err(Error::Invalid { what: WHAT }),
    }
}

fn ac3(frame: &[u8]) -> Result<AudioParameters, Error> {
    const HALF_RATE: u32 = 9;
    let mut reader = synchronised(frame)?;
    reader.skip(16)?; // crc1
    let rate_code = reader.bits(2)?;
    let frame_size_code = reader.bits(6)?;
    let stream_id = reader.bits(5)?;
    let mode = reader.bits(3)?;
    let layout = reader.bits(3)?;
    skip_mix_levels(&mut reader, layout)?;
    let low_frequency = reader.bits(1)?;
    let mut writer = BitWriter::default();
    for (value, bits) in [
        (rate_code, 2),
        (stream_id, 5),
        (mode, 3),
        (layout, 3),
        (low_frequency, 1),
    ] {
        writer.put(value, bits);
    }
    writer.put(frame_size_code >> 1, 5);
    writer.put(0, 5);
    let halvings = stream_id.saturating_sub(HALF_RATE.saturating_sub(1));
    Ok(AudioParameters {
        codec: AudioCodec::Ac3,
        config: writer.finish().into(),
        sample_rate: limits::sample_rate(sample_rate(rate_code)?.wrapping_shr(halvings))?,
        channels: limits::channels(channels(layout, low_frequency))?,
        frame_samples: 1_536,
        codec_string: "ac-3".to_owned(),
    })
}

/// §4.4.2.4 to 4.4.2.6: which mix levels are there depends on the speakers.
fn skip_mix_levels(reader: &mut BitReader<'_>, layout: u32) -> Result<(), Error> {
    let has_centre = layout & 1 != 0 && layout != 1;
    let has_surround = layout & 4 != 0;
    let is_stereo = layout == 2;
    for _ in [has_centre, has_surround, is_stereo]
        .into_iter()
        .filter(|present| *present)
    {
        reader.skip(2)?;
    }
    Ok(())
}

fn eac3(unit: &[u8]) -> Result<AudioParameters, Error> {
    let independent = Substream::read(unit)?;
    let dependent = unit
        .get(independent.frame_length..)
        .and_then(|rest| Substream::read(rest).ok());
    let dependent = dependent.filter(|substream| substream.kind == Substream::DEPENDENT);
    let locations = dependent.as_ref().map(|substream| substream.locations);
    let extra = locations.map_or(0, extra_channels);
    Ok(AudioParameters {
        codec: AudioCodec::Eac3,
        config: eac3_config(&independent, locations),
        sample_rate: limits::sample_rate(independent.sample_rate)?,
        channels: limits::channels(channels(independent.layout, independent.low_frequency).saturating_add(extra))?,
        frame_samples: independent.blocks.saturating_mul(256),
        codec_string: "ec-3".to_owned(),
    })
}

/// §F.6: one independent substream, and at most one that depends on it.
fn eac3_config(independent: &Substream, locations: Option<u32>) -> Bytes {
    let mut writer = BitWriter::default();
    writer.put(independent.kilobits(), 13);
    writer.put(0, 3); // number of independent substreams, minus 1
    writer.put(independent.rate_code, 2);
    writer.put(independent.stream_id, 5);
    writer.put(0, 5); // reserved, asvc, bsmod
    writer.put(independent.layout, 3);
    writer.put(independent.low_frequency, 1);
    writer.put(0, 3);
    match locations {
        Some(locations) => {
            writer.put(1, 4);
            writer.put(locations, 9);
        }
        None => writer.put(0, 5),
    }
    writer.finish().into()
}

/// A sync frame of E-AC-3, as far as a server cares.
struct Substream {
    kind: u32,
    frame_length: usize,
    rate_code: u32,
    sample_rate: u32,
    blocks: u32,
    layout: u32,
    low_frequency: u32,
    stream_id: u32,
    /// Which speakers a dependent substream adds, as `dec3` names them.
    locations: u32,
}

impl Substream {
    const DEPENDENT: u32 = 1;

    fn read(frame: &[u8]) -> Result<Self, Error> {
        const REDUCED_RATE: u32 = 3;
        let mut reader = synchronised(frame)?;
        let kind = reader.bits(2)?;
        reader.skip(3)?; // substreamid
        let frame_length = reader.bits(11)?.saturating_add(1).saturating_mul(2) as usize;
        let rate_code = reader.bits(2)?;
        let (sample_rate, blocks) = match rate_code {
            REDUCED_RATE => (sample_rate(reader.bits(2)?)? >> 1, 6),
            _ => (sample_rate(rate_code)?, blocks(reader.bits(2)?)),
        };
        let layout = reader.bits(3)?;
        let low_frequency = reader.bits(1)?;
        let stream_id = reader.bits(5)?;
        let mut substream = Self {
            kind,
            frame_length,
            rate_code,
            sample_rate,
            blocks,
            layout,
            low_frequency,
            stream_id,
            locations: 0,
        };
        if kind == Self::DEPENDENT {
            substream.read_locations(&mut reader)?;
        }
        Ok(substream)
    }

    /// The custom channel map (§E.1.3.1.8), behind dialogue normalisation and compression.
    fn read_locations(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        for _ in 0..if self.layout == 0 { 2 } else { 1 } {
            reader.skip(5)?;
            if reader.flag()? {
                reader.skip(8)?;
            }
        }
        if reader.flag()? {
            self.locations = locations(reader.bits(16)?);
        }
        Ok(())
    }

    fn kilobits(&self) -> u32 {
        let bits = (self.frame_length as u64)
            .saturating_mul(8)
            .saturating_mul(u64::from(self.sample_rate));
        let samples = u64::from(self.blocks).saturating_mul(256).saturating_mul(1_000);
        bits.checked_div(samples).unwrap_or_default().min(0x1fff) as u32
    }
}

/// From the channel map of a frame (its first bit is left, its sixth Lc/Rc) to the nine locations of `dec3` (§F.6.2.13).
fn locations(channel_map: u32) -> u32 {
    // (bit of the channel map counted from its first, bit of chan_loc)
    const TABLE: [(u32, u32); 9] = [
        (5, 0),
        (6, 1),
        (7, 2),
        (8, 3),
        (9, 4),
        (10, 5),
        (11, 6),
        (12, 7),
        (14, 8),
    ];
    TABLE
        .iter()
        .filter(|(from, _)| channel_map & 0x8000_u32.wrapping_shr(*from) != 0)
        .fold(0, |locations, (_, to)| locations | 1_u32.wrapping_shl(*to))
}

/// How many speakers `chan_loc` names: some bits stand for a pair.
fn extra_channels(locations: u32) -> u16 {
    const PAIRS: u32 = 0b0_0111_0011;
    (locations.count_ones() as u16).saturating_add((locations & PAIRS).count_ones() as u16)
}

fn synchronised(frame: &[u8]) -> Result<BitReader<'_>, Error> {
    let mut reader = BitReader::new(frame, WHAT);
    if reader.bits(16)? != SYNC_WORD {
        return Err(Error::Invalid { what: WHAT });
    }
    Ok(reader)
}

fn sample_rate(code: u32) -> Result<u32, Error> {
    match code {
        0 => Ok(48_000),
        1 => Ok(44_100),
        2 => Ok(32_000),
        _ => Err(Error::Invalid {
            what: "AC-3 sample rate",
        }),
    }
}

fn blocks(code: u32) -> u32 {
    match code {
        0 => 1,
        1 => 2,
        2 => 3,
        _ => 6,
    }
}

/// §4.4.2.3.
fn channels(layout: u32, low_frequency: u32) -> u16 {
    const FULL_RANGE: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
    let full_range = FULL_RANGE.get(layout as usize).copied().unwrap_or_default();
    full_range.saturating_add(low_frequency as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    #[test]
    fn frames_of_real_encoders_become_mp4_boxes() {
        // ffmpeg 9.0: stereo at 192 kbit/s, and 5.1 at 448 kbit/s with the boxes that its MP4 has.
        let ac3 = parameters(&hex("0b77fe95144043e106f46370c0c0")).unwrap();
        assert_eq!((ac3.codec, ac3.sample_rate, ac3.channels), (AudioCodec::Ac3, 48_000, 2));
        assert_eq!((ac3.config, ac3.frame_samples), (hex("101140"), 1_536));

        let eac3 = parameters(&hex("0b77037f3f87c00020f820000200400004001fcc7e01")).unwrap();
        assert_eq!(
            (eac3.codec, eac3.sample_rate, eac3.channels),
            (AudioCodec::Eac3, 48_000, 6)
        );
        assert_eq!((eac3.config, eac3.frame_samples), (hex("0e00200f00"), 1_536));
    }

    #[test]
    fn a_dependent_substream_adds_its_speakers() {
        let mut unit = hex("0b770008 3f87c000 20f8 20000200400004".replace(' ', "").as_str()).to_vec();
        unit.resize(18, 0);
        // Dependent, 2/0 without LFE, no compression, the channel map names Lrs/Rrs only.
        let mut writer = BitWriter::default();
        for (value, bits) in [
            (SYNC_WORD, 16),
            (1, 2),
            (0, 3),
            (8, 11),
            (0, 2),
            (3, 2),
            (2, 3),
            (0, 1),
            (16, 5),
        ] {
            writer.put(value, bits);
        }
        for (value, bits) in [(27, 5), (0, 1), (1, 1), (0x0200, 16)] {
            writer.put(value, bits);
        }
        unit.extend(writer.finish());
        let parameters = parameters(&unit.into()).unwrap();
        assert_eq!(parameters.channels, 8);
        assert_eq!(parameters.config[4..], [0b0000_0010, 0b0000_0010]);
    }

    #[test]
    fn what_is_no_sync_frame_is_refused() {
        let whole = hex("0b77037f3f87");
        for length in 0..whole.len() {
            assert!(parameters(&whole.slice(..length)).is_err(), "{length} bytes");
        }
        assert!(parameters(&hex("0b78fe95144043e106f4")).is_err());
        assert!(
            parameters(&hex("0b77fe95d44043e106f4")).is_err(),
            "reserved sample rate"
        );
        assert!(parameters(&hex("0b77fe951490")).is_err(), "an unknown bit stream id");
    }
}
