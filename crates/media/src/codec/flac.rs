//! FLAC: the `STREAMINFO` block of RFC 9639 §8.2, the `dfLa` body that MP4 has for it, and frames.

use bytes::Bytes;

use super::{
    bits::{BitReader, BitWriter},
    bytes::ByteReader,
    limits,
};
use crate::{AudioCodec, AudioParameters, Error};

const STREAM_INFO_LENGTH: usize = 34;
/// The metadata block header of a `STREAMINFO` that is the last block.
const LAST_STREAM_INFO: [u8; 4] = [0x80, 0, 0, STREAM_INFO_LENGTH as u8];
/// Where `STREAMINFO` stands in a `dfLa` body: behind version, flags and block header.
const CONFIG_HEADER_LENGTH: usize = 8;

/// The parameters of a track whose first metadata block is `streaminfo`: 34 bytes, with or without the block's header
/// and the magic `fLaC` before them.
pub fn parameters(streaminfo: Bytes) -> Result<AudioParameters, Error> {
    let mut reader = ByteReader::new(&streaminfo, "STREAMINFO");
    reader.skip_prefix(b"fLaC");
    if matches!(reader.rest(), [0x00 | 0x80, 0, 0, 34, ..]) {
        reader.take(LAST_STREAM_INFO.len())?;
    }
    let block = reader.take(STREAM_INFO_LENGTH)?;
    let info = StreamInfo::read(block)?;
    Ok(AudioParameters {
        codec: AudioCodec::Flac,
        config: [&[0; 4][..], &LAST_STREAM_INFO, block].concat().into(),
        sample_rate: limits::sample_rate(info.sample_rate)?,
        channels: limits::channels(info.channels)?,
        frame_samples: 0,
        codec_string: "fLaC".to_owned(),
    })
}

/// How many samples per channel `frame` holds, from its header (RFC 9639 §9.1.1).
pub fn frame_samples(frame: &[u8]) -> Option<u32> {
    let mut reader = BitReader::new(frame, "FLAC frame");
    if reader.bits(15).ok()? != 0x7ffc {
        return None;
    }
    reader.flag().ok()?;
    let code = reader.bits(4).ok()?;
    match code {
        1 => Some(192),
        2..=5 => Some(144_u32.wrapping_shl(code)),
        6 | 7 => explicit_block_size(frame, code),
        8..=15 => Some(1_u32.wrapping_shl(code)),
        _ => None,
    }
}

/// A frame of silence, as long as the stream's longest: every subframe is the constant 0.
pub fn silence(parameters: &AudioParameters) -> Option<Bytes> {
    let info = StreamInfo::read(parameters.config.get(CONFIG_HEADER_LENGTH..)?).ok()?;
    let mut writer = BitWriter::default();
    writer.put(0x7ffc, 15);
    writer.put(0, 1); // fixed block size
    writer.put(7, 4); // the block size follows in 16 bits
    writer.put(0, 4); // sample rate of STREAMINFO
    writer.put(u32::from(info.channels).saturating_sub(1), 4);
    writer.put(0, 4); // sample size of STREAMINFO
    writer.put(0, 8); // frame number
    writer.put(info.block_size_max.saturating_sub(1), 16);
    writer.put(u32::from(checksum_8(writer.bytes())), 8);
    for _ in 0..info.channels {
        writer.put(0, 8);
        writer.put(0, info.sample_bits);
    }
    writer.align();
    writer.put(u32::from(checksum_16(writer.bytes())), 16);
    Some(writer.finish().into())
}

/// The block size behind the frame number, which is as long as its first byte says.
fn explicit_block_size(frame: &[u8], code: u32) -> Option<u32> {
    let number = match frame.get(4)?.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let mut size = frame.iter().skip(number.checked_add(4)?).map(|byte| u32::from(*byte));
    let high = size.next()?;
    let size = if code == 6 { high } else { (high << 8) | size.next()? };
    size.checked_add(1)
}

struct StreamInfo {
    block_size_max: u32,
    sample_rate: u32,
    channels: u16,
    sample_bits: u32,
}

impl StreamInfo {
    fn read(block: &[u8]) -> Result<Self, Error> {
        let mut reader = BitReader::new(block, "STREAMINFO");
        reader.skip(16)?; // minimum block size
        let block_size_max = reader.bits(16)?;
        reader.skip(48)?; // frame sizes
        let info = Self {
            block_size_max,
            sample_rate: reader.bits(20)?,
            channels: u16::from(reader.small(3)?).saturating_add(1),
            sample_bits: reader.bits(5)?.saturating_add(1),
        };
        if info.block_size_max < 16 || info.sample_bits < 4 {
            return Err(Error::Invalid { what: "STREAMINFO" });
        }
        Ok(info)
    }
}

/// RFC 9639 §9.1.8: x^8 + x^2 + x + 1.
fn checksum_8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(
            sum ^ byte,
            |sum, _| if sum & 0x80 == 0 { sum << 1 } else { (sum << 1) ^ 0x07 },
        )
    })
}

/// RFC 9639 §9.3: x^16 + x^15 + x^2 + 1.
fn checksum_16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        let sum = sum ^ (u16::from(*byte) << 8);
        (0..8).fold(sum, |sum, _| {
            if sum & 0x8000 == 0 {
                sum << 1
            } else {
                (sum << 1) ^ 0x8005
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    /// Of ffmpeg 9.0 in FLV, stereo, 16 bits, 48 kHz.
    fn stream_info() -> Bytes {
        hex(
            "04000400000000001098 0bb802f0 00000000 00000000000000000000000000000000"
                .replace(' ', "")
                .as_str(),
        )
    }

    #[test]
    fn the_first_block_becomes_an_mp4_box() {
        let parameters = parameters(stream_info()).unwrap();
        assert_eq!((parameters.sample_rate, parameters.channels), (48_000, 2));
        assert_eq!(
            parameters.config,
            [&hex("0000000080000022")[..], &stream_info()].concat()
        );
        assert_eq!(parameters.codec_string, "fLaC");
    }

    #[test]
    fn the_block_may_come_with_its_header_and_magic() {
        let bare = parameters(stream_info()).unwrap();
        let with_header = [&hex("00000022")[..], &stream_info()].concat();
        assert_eq!(parameters(with_header.clone().into()), Ok(bare.clone()));
        assert_eq!(parameters([b"fLaC", &with_header[..]].concat().into()), Ok(bare));
    }

    #[test]
    fn frames_say_how_long_they_last() {
        for (frame, samples) in [
            ("fff8aa88005b", Some(1_024)),
            ("fff81a88005b", Some(192)),
            ("fff83a88005b", Some(1_152)),
            ("fff86a880031", Some(50)),
            ("fff87a88000fff", Some(4_096)),
            ("fff87a88c2800fff", Some(4_096)),
            ("fff87a880f", None),
            ("fff80a88005b", None),
            ("fffbaa88005b", None),
        ] {
            assert_eq!(frame_samples(&hex(frame)), samples, "{frame}");
        }
    }

    #[test]
    fn silence_is_a_whole_frame_with_right_checksums() {
        let parameters = parameters(stream_info()).unwrap();
        let frame = silence(&parameters).unwrap();
        assert_eq!(frame_samples(&frame), Some(1_024));
        assert_eq!(checksum_8(&frame[..8]), 0, "the header's checksum cancels out");
        assert_eq!(checksum_16(&frame), 0, "the frame's checksum cancels out");
    }
}
