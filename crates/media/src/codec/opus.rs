//! Opus: the `OpusHead` of RFC 7845 §5.1, the `dOps` body that MP4 has for it, and packets.

use bytes::{BufMut, Bytes};

use super::{bytes::ByteReader, limits};
use crate::{AudioCodec, AudioParameters, Error};

/// Opus is always decoded at this rate, whatever the encoder was fed with.
const SAMPLE_RATE: u32 = 48_000;
/// CELT, full band, frames of 20 ms (RFC 6716 §3.1).
const SILENCE_TOC: u8 = 31 << 3;
const STEREO: u8 = 4;

/// The parameters of a track whose header is `opus_head`, with or without its magic `OpusHead`.
pub fn parameters(opus_head: Bytes) -> Result<AudioParameters, Error> {
    let mut reader = ByteReader::new(&opus_head, "OpusHead");
    reader.skip_prefix(b"OpusHead");
    let version = reader.byte()?;
    if version & 0xf0 != 0 {
        return Err(Error::Invalid {
            what: "OpusHead version",
        });
    }
    let channels = reader.byte()?;
    let config = specific_box(&mut reader, channels)?;
    Ok(AudioParameters {
        codec: AudioCodec::Opus,
        config,
        sample_rate: SAMPLE_RATE,
        channels: limits::channels(u16::from(channels))?,
        frame_samples: 0,
        codec_string: "opus".to_owned(),
    })
}

/// How long `packet` lasts, in samples at 48 kHz; from its first byte (RFC 6716 §3.1 and §3.2).
pub fn packet_samples(packet: &[u8]) -> Option<u32> {
    const SAMPLES_MAX: u32 = 5_760;
    let toc = *packet.first()?;
    let frames = match toc & 3 {
        0 => 1,
        3 => u32::from(packet.get(1)? & 0x3f),
        _ => 2,
    };
    let samples = frame_samples(toc >> 3).checked_mul(frames)?;
    (1..=SAMPLES_MAX).contains(&samples).then_some(samples)
}

/// A packet of 20 ms of silence.
pub fn silence(parameters: &AudioParameters) -> Option<Bytes> {
    let (streams, coupled) = streams(&parameters.config)?;
    let mut packet = Vec::new();
    for stream in 0..streams {
        packet.push(SILENCE_TOC | if stream < coupled { STEREO } else { 0 });
        if stream.saturating_add(1) < streams {
            packet.push(2); // All but the last stream's packet carry their length (RFC 6716 appendix B).
        }
        packet.extend([0xff, 0xfe]);
    }
    Some(packet.into())
}

/// The body of `dOps`: the same fields as in `OpusHead`, big-endian.
fn specific_box(reader: &mut ByteReader<'_>, channels: u8) -> Result<Bytes, Error> {
    let mut out = vec![0, channels];
    out.put_u16(reader.u16_le()?); // pre-skip
    out.put_u32(reader.u32_le()?); // input sample rate
    out.put_u16(reader.u16_le()?); // output gain
    let family = reader.byte()?;
    out.push(family);
    match family {
        0 if channels <= 2 => {}
        0 => {
            return Err(Error::Invalid {
                what: "Opus channel mapping",
            });
        }
        _ => out.extend(channel_mapping(reader, channels)?),
    }
    Ok(out.into())
}

/// Stream count, coupled count, and one byte for each channel.
fn channel_mapping<'a>(reader: &mut ByteReader<'a>, channels: u8) -> Result<&'a [u8], Error> {
    let mapping = reader.take(usize::from(channels).saturating_add(2))?;
    match mapping {
        [streams, coupled, ..] if *streams > 0 && coupled <= streams => Ok(mapping),
        _ => Err(Error::Invalid {
            what: "Opus channel mapping",
        }),
    }
}

/// How many streams a packet has, and how many of them are stereo.
fn streams(config: &[u8]) -> Option<(u8, u8)> {
    match (config.get(10)?, config.get(11), config.get(12)) {
        (0, _, _) => Some((1, u8::from(*config.get(1)? == 2))),
        (_, Some(streams), Some(coupled)) => Some((*streams, *coupled)),
        _ => None,
    }
}

/// RFC 6716 table 2.
fn frame_samples(configuration: u8) -> u32 {
    const MS_10: u32 = 480;
    const CELT: [u32; 4] = [120, 240, 480, 960];
    const SILK: [u32; 4] = [480, 960, 1_920, 2_880];
    let size = usize::from(configuration & 3);
    match configuration {
        0..=11 => SILK.get(size).copied().unwrap_or(MS_10),
        12..=15 => {
            if configuration & 1 == 0 {
                MS_10
            } else {
                MS_10.saturating_mul(2)
            }
        }
        _ => CELT.get(size).copied().unwrap_or(MS_10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    /// Headers of ffmpeg 9.0 with libopus in FLV, and the `dOps` that its MP4 has.
    const STEREO_HEAD: (&str, &str) = ("4f707573486561640102380180bb0000000000", "000201380000bb80000000");
    const SURROUND_HEAD: (&str, &str) = (
        "4f707573486561640106380180bb00000000010402000401020305",
        "000601380000bb800000010402000401020305",
    );

    #[test]
    fn headers_of_real_encoders_become_mp4_boxes() {
        for ((head, config), channels) in [(STEREO_HEAD, 2), (SURROUND_HEAD, 6)] {
            let whole = parameters(hex(head)).unwrap();
            assert_eq!(
                (whole.config.clone(), whole.channels, whole.sample_rate),
                (hex(config), channels, 48_000)
            );
            assert_eq!(parameters(hex(head).slice(8..)), Ok(whole), "without the magic");
        }
    }

    #[test]
    fn a_header_cut_anywhere_is_refused() {
        let whole = hex(SURROUND_HEAD.0);
        for length in 0..whole.len() {
            assert!(parameters(whole.slice(..length)).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn packets_say_how_long_they_last() {
        for (packet, samples) in [
            (&[0xfc_u8, 0x7e][..], Some(960)),
            (&[0xe0], Some(120)),
            (&[0xf9, 0], Some(1_920)),
            (&[0x18], Some(2_880)),
            (&[0x60], Some(480)),
            (&[0x6b, 3], Some(2_880)),
            (&[0xfb, 0x83], Some(2_880)),
            (&[0xfb, 0], None),
            (&[0x1b, 48], None),
            (&[0xfb], None),
            (&[], None),
        ] {
            assert_eq!(packet_samples(packet), samples, "{packet:02x?}");
        }
    }

    #[test]
    fn silence_has_a_packet_for_every_stream() {
        let stereo = parameters(hex(STEREO_HEAD.0)).unwrap();
        assert_eq!(silence(&stereo), Some(hex("fcfffe")));
        // As libopus writes the silent streams of a 5.1 track with sound in the centre only.
        let surround = parameters(hex(SURROUND_HEAD.0)).unwrap();
        assert_eq!(silence(&surround), Some(hex("fc02fffefc02fffef802fffef8fffe")));
    }
}
