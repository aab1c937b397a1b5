use bytes::Bytes;
use media::{AudioCodec, AudioParameters, ChannelLayout};

use super::header::Shape;
use super::packet::{Body, Head};
use super::{Error, Packets, TagHeader, Unused, channels, fourcc_name, fourcc_number, packet_type, tail};
use crate::fields::Fields;

/// An audio message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audio {
    /// The decoder's configuration: `AudioSpecificConfig`, `OpusHead`, or the `STREAMINFO` of FLAC.
    Config {
        /// The codec.
        codec: AudioCodec,
        /// The configuration.
        record: Bytes,
    },
    /// One frame.
    Frame {
        /// The codec.
        codec: AudioCodec,
        /// The coded bytes.
        data: Bytes,
    },
    /// Which loudspeakers the channels are for, where the codec does not say so itself.
    Channels {
        /// The codec.
        codec: AudioCodec,
        /// The loudspeakers.
        layout: ChannelLayout,
    },
    /// The encoder says that the sequence is over.
    End {
        /// The codec.
        codec: AudioCodec,
    },
    /// Nothing that is used.
    Unused(Unused),
}

const CUT: Error = Error::Truncated("audio");

const FORMAT_MP3: u8 = 2;
const FORMAT_ENHANCED: u8 = 9;
const FORMAT_AAC: u8 = 10;
const FORMAT_MP3_8_KHZ: u8 = 14;

// 44.1 kHz, 16 bits, stereo: what the specification asks for with AAC, whatever is true.
const CLASSIC_BITS: u8 = 0x0f;

impl Audio {
    /// Reads a tag's body. An empty one is how an encoder says that nothing is heard: it has no packets.
    pub fn read(tag: &Bytes) -> Packets<Self> {
        let mut fields = Fields::new(tag);
        let Some(first) = fields.u8() else {
            return Packets::none();
        };
        if first >> 4 == FORMAT_ENHANCED {
            return Packets::enhanced(tag, fields, 0, first & 0x0f);
        }
        Packets::classic(classic(tag, first >> 4, fields))
    }

    /// The bytes before a configuration; `None` where the codec has none.
    pub fn config_header(codec: AudioCodec) -> Option<TagHeader> {
        match codec {
            AudioCodec::Aac => Some(TagHeader::new(&[&[(FORMAT_AAC << 4) | CLASSIC_BITS, 0]])),
            AudioCodec::Opus => Some(enhanced_header(codec, packet_type::SEQUENCE_START)),
            AudioCodec::Flac => Some(enhanced_header(codec, packet_type::SEQUENCE_START)),
            AudioCodec::Mp3 | AudioCodec::Ac3 | AudioCodec::Eac3 => None,
        }
    }

    /// The bytes before a frame.
    pub fn frame_header(codec: AudioCodec) -> TagHeader {
        match codec {
            AudioCodec::Aac => TagHeader::new(&[&[(FORMAT_AAC << 4) | CLASSIC_BITS, 1]]),
            AudioCodec::Mp3 => TagHeader::new(&[&[(FORMAT_MP3 << 4) | CLASSIC_BITS]]),
            _ => enhanced_header(codec, packet_type::CODED_FRAMES),
        }
    }

    /// The configuration as a message carries it: `OpusHead` and `STREAMINFO` instead of the boxes of MP4.
    pub fn record(parameters: &AudioParameters) -> Bytes {
        let config = &parameters.config;
        match parameters.codec {
            AudioCodec::Opus => opus_head(config).unwrap_or_default(),
            // What encoders send and ffmpeg expects: nothing but STREAMINFO.
            AudioCodec::Flac => tail(config, config.len().saturating_sub(DFLA_HEADER_LEN)),
            _ => config.clone(),
        }
    }

    /// The codec as `onMetaData` names it: FLV's number, or the FourCC as one.
    pub fn codec_id(codec: AudioCodec) -> f64 {
        match codec {
            AudioCodec::Aac => f64::from(FORMAT_AAC),
            AudioCodec::Mp3 => f64::from(FORMAT_MP3),
            _ => fourcc_number(Self::fourcc(codec)),
        }
    }

    /// Whether messages of this codec have the enhanced form.
    pub fn is_enhanced(codec: AudioCodec) -> bool {
        !matches!(codec, AudioCodec::Aac | AudioCodec::Mp3)
    }

    /// The codec's FourCC in Enhanced RTMP.
    pub fn fourcc(codec: AudioCodec) -> &'static str {
        match codec {
            AudioCodec::Aac => "mp4a",
            AudioCodec::Opus => "Opus",
            AudioCodec::Mp3 => ".mp3",
            AudioCodec::Flac => "fLaC",
            AudioCodec::Ac3 => "ac-3",
            AudioCodec::Eac3 => "ec-3",
        }
    }
}

fn classic(tag: &Bytes, format: u8, fields: Fields<'_>) -> Result<Audio, Error> {
    match format {
        FORMAT_AAC => aac(tag, fields),
        FORMAT_MP3 | FORMAT_MP3_8_KHZ => Ok(Audio::Frame {
            codec: AudioCodec::Mp3,
            data: tail(tag, fields.rest().len()),
        }),
        other => Ok(Audio::Unused(Unused::Codec(classic_name(other).to_owned()))),
    }
}

fn aac(tag: &Bytes, mut fields: Fields<'_>) -> Result<Audio, Error> {
    let codec = AudioCodec::Aac;
    let packet = fields.u8().ok_or(CUT)?;
    let data = tail(tag, fields.rest().len());
    Ok(match packet {
        0 => Audio::Config { codec, record: data },
        1 => Audio::Frame { codec, data },
        other => Audio::Unused(Unused::PacketType(other)),
    })
}

fn classic_name(format: u8) -> &'static str {
    match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        4..=6 => "Nellymoser",
        7 => "G.711 A-law",
        8 => "G.711 mu-law",
        11 => "Speex",
        _ => "unknown FLV audio format",
    }
}

impl Body for Audio {
    const MULTITRACK: u8 = packet_type::AUDIO_MULTITRACK;
    const CUT: Error = CUT;

    fn without_parts(_: Head) -> Option<Self> {
        None
    }

    fn of_unknown_form(form: u8) -> Self {
        Self::Unused(Unused::Multitrack(form))
    }

    fn read_part(head: Head, fourcc: [u8; 4], part: Bytes) -> Result<Self, Error> {
        let Some(codec) = codec(fourcc) else {
            return Ok(Self::Unused(Unused::Codec(fourcc_name(fourcc))));
        };
        Ok(match head.packet {
            packet_type::SEQUENCE_START => Self::Config {
                codec,
                record: record(codec, part),
            },
            packet_type::CODED_FRAMES => Self::Frame { codec, data: part },
            packet_type::SEQUENCE_END => Self::End { codec },
            packet_type::MULTICHANNEL_CONFIG => match channels::read(&part).ok_or(CUT)? {
                Some(layout) => Self::Channels { codec, layout },
                None => Self::Unused(Unused::Metadata),
            },
            other => Self::Unused(Unused::PacketType(other)),
        })
    }

    fn plain_header(&self) -> Option<TagHeader> {
        let (packet, codec) = self.kind()?;
        let classic = match self {
            Self::Config { codec, .. } => Self::config_header(*codec),
            Self::Frame { codec, .. } => Some(Self::frame_header(*codec)),
            _ => None,
        };
        Some(classic.unwrap_or_else(|| enhanced_header(codec, packet)))
    }

    fn shape(&self) -> Option<Shape> {
        let (packet, codec) = self.kind()?;
        Some(Shape {
            first: FORMAT_ENHANCED << 4,
            multitrack: Self::MULTITRACK,
            packet,
            fourcc: Self::fourcc(codec),
            cts: None,
        })
    }

    fn payload(&self) -> Bytes {
        match self {
            Self::Config { record, .. } => record.clone(),
            Self::Frame { data, .. } => data.clone(),
            Self::Channels { layout, .. } => Bytes::from(channels::write(layout)),
            Self::End { .. } | Self::Unused(_) => Bytes::new(),
        }
    }
}

impl Audio {
    /// The packet type and the codec of what can be written.
    fn kind(&self) -> Option<(u8, AudioCodec)> {
        match self {
            Self::Config { codec, .. } => Some((packet_type::SEQUENCE_START, *codec)),
            Self::Frame { codec, .. } => Some((packet_type::CODED_FRAMES, *codec)),
            Self::Channels { codec, .. } => Some((packet_type::MULTICHANNEL_CONFIG, *codec)),
            Self::End { codec } => Some((packet_type::SEQUENCE_END, *codec)),
            Self::Unused(_) => None,
        }
    }
}

fn codec(fourcc: [u8; 4]) -> Option<AudioCodec> {
    match &fourcc {
        b"mp4a" => Some(AudioCodec::Aac),
        b"Opus" => Some(AudioCodec::Opus),
        b".mp3" => Some(AudioCodec::Mp3),
        b"fLaC" => Some(AudioCodec::Flac),
        b"ac-3" => Some(AudioCodec::Ac3),
        b"ec-3" => Some(AudioCodec::Eac3),
        _ => None,
    }
}

/// FLAC's configuration may come with the signature and block header of a file before it; it is used without.
fn record(codec: AudioCodec, data: Bytes) -> Bytes {
    const STREAMINFO_LEN: usize = 34;
    const BLOCK_HEADER_LEN: usize = 4;
    if codec != AudioCodec::Flac || data.len() <= STREAMINFO_LEN {
        return data;
    }
    let block = data.strip_prefix(b"fLaC").map_or(data.len(), <[u8]>::len);
    let without_header = if block >= STREAMINFO_LEN.saturating_add(BLOCK_HEADER_LEN) {
        block.saturating_sub(BLOCK_HEADER_LEN)
    } else {
        block
    };
    let body = tail(&data, without_header);
    body.slice(..STREAMINFO_LEN.min(body.len()))
}

/// Version and flags of the box that holds FLAC's metadata blocks in MP4, and the header of its first block.
const DFLA_HEADER_LEN: usize = 8;

/// `OpusHead` (RFC 7845 §5.1), whose numbers have the other byte order, from the body of a `dOps` box.
fn opus_head(dops: &[u8]) -> Option<Bytes> {
    const HEAD_VERSION: u8 = 1;
    let mut fields = Fields::new(dops);
    fields.u8()?;
    let channels = fields.u8()?;
    let pre_skip = fields.be16()?;
    let rate = fields.be32()?;
    let gain = fields.be16()?;
    let mut head = b"OpusHead".to_vec();
    head.extend_from_slice(&[HEAD_VERSION, channels]);
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&rate.to_le_bytes());
    head.extend_from_slice(&gain.to_le_bytes());
    head.extend_from_slice(fields.rest());
    Some(Bytes::from(head))
}

fn enhanced_header(codec: AudioCodec, packet: u8) -> TagHeader {
    TagHeader::new(&[&[(FORMAT_ENHANCED << 4) | packet], Audio::fourcc(codec).as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Bytes {
        Bytes::from_static(b"data")
    }

    fn read(tag: &Bytes) -> Result<Audio, Error> {
        let mut packets = Audio::read(tag);
        let packet = packets.next().expect("a message has a packet")?;
        assert_eq!((packet.track, packet.offset_ns), (0, 0));
        assert!(packets.next().is_none(), "and no other");
        Ok(packet.body)
    }

    #[test]
    fn every_message_has_its_form_on_the_wire() {
        use AudioCodec::{Aac, Ac3, Eac3, Flac, Mp3, Opus};
        let config = |codec| Audio::Config { codec, record: data() };
        let frame = |codec| Audio::Frame { codec, data: data() };
        let table: [(&str, Audio, Option<TagHeader>, &[u8]); 9] = [
            ("AAC config", config(Aac), Audio::config_header(Aac), b"\xaf\0"),
            ("AAC frame", frame(Aac), Some(Audio::frame_header(Aac)), b"\xaf\x01"),
            ("MP3 frame", frame(Mp3), Some(Audio::frame_header(Mp3)), b"\x2f"),
            ("Opus config", config(Opus), Audio::config_header(Opus), b"\x90Opus"),
            ("Opus frame", frame(Opus), Some(Audio::frame_header(Opus)), b"\x91Opus"),
            ("FLAC config", config(Flac), Audio::config_header(Flac), b"\x90fLaC"),
            ("FLAC frame", frame(Flac), Some(Audio::frame_header(Flac)), b"\x91fLaC"),
            ("AC-3 frame", frame(Ac3), Some(Audio::frame_header(Ac3)), b"\x91ac-3"),
            (
                "E-AC-3 frame",
                frame(Eac3),
                Some(Audio::frame_header(Eac3)),
                b"\x91ec-3",
            ),
        ];
        for (name, audio, header, bytes) in table {
            assert_eq!(header.as_deref(), Some(bytes), "{name} written");
            let tag = Bytes::from([bytes, b"data"].concat());
            assert_eq!(read(&tag), Ok(audio), "{name} read");
            for end in 1..bytes.len() {
                assert_eq!(read(&tag.slice(..end)), Err(CUT), "{name} cut at {end}");
            }
        }
    }

    #[test]
    fn a_flac_configuration_that_begins_like_a_file_is_not_cut_again() {
        let streaminfo = [&b"fLaC"[..], &[0x5a; 30]].concat();
        let tag = Bytes::from([&b"\x90fLaC"[..], &streaminfo].concat());
        let record = Bytes::from(streaminfo);
        assert_eq!(
            read(&tag),
            Ok(Audio::Config {
                codec: AudioCodec::Flac,
                record
            })
        );
    }

    #[test]
    fn flac_configurations_lose_what_belongs_to_files() {
        let info = [5; 34];
        for (name, before) in [
            ("bare", &b""[..]),
            ("with signature and block header", b"fLaC\x80\0\0\x22"),
            ("with block header", b"\x80\0\0\x22"),
            ("with signature", b"fLaC"),
        ] {
            let tag = Bytes::from([b"\x90fLaC", before, &info].concat());
            let config = Audio::Config {
                codec: AudioCodec::Flac,
                record: Bytes::copy_from_slice(&info),
            };
            assert_eq!(read(&tag), Ok(config), "{name}");
        }
    }

    #[test]
    fn configurations_are_carried_as_their_codecs_define_them() {
        let record = |codec, config: &'static [u8]| {
            Audio::record(&AudioParameters {
                codec,
                config: Bytes::from_static(config),
                sample_rate: 48_000,
                channels: 2,
                frame_samples: 0,
                codec_string: String::new(),
            })
        };
        assert_eq!(record(AudioCodec::Aac, b"\x11\x90"), &b"\x11\x90"[..]);
        assert_eq!(
            record(AudioCodec::Opus, b"\0\x02\x01\x38\0\0\xbb\x80\0\0\0"),
            &b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"[..]
        );
        assert_eq!(record(AudioCodec::Flac, b"\0\0\0\0\x80\0\0\x22info"), &b"info"[..]);
    }

    #[test]
    fn what_is_not_used_says_what_it_is() {
        let table: [(&str, &[u8], Unused); 4] = [
            ("Speex", b"\xb2xx", Unused::Codec("Speex".into())),
            ("unknown FourCC", b"\x91abcd", Unused::Codec("abcd".into())),
            ("a form of multitrack to come", b"\x95\x30", Unused::Multitrack(3)),
            ("an order of channels to come", b"\x94Opus\x03\x02", Unused::Metadata),
        ];
        for (name, bytes, unused) in table {
            assert_eq!(read(&Bytes::from_static(bytes)), Ok(Audio::Unused(unused)), "{name}");
        }
    }

    #[test]
    fn an_empty_message_says_that_nothing_is_heard() {
        assert_eq!(Audio::read(&Bytes::new()).count(), 0);
    }
}
