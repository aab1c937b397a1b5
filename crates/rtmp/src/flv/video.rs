use bytes::Bytes;
use media::{ColorInfo, VideoCodec, VideoParameters};

use super::header::Shape;
use super::packet::{Body, Head};
use super::{Error, Packets, TagHeader, Unused, color, fourcc_name, fourcc_number, packet_type, tail};
use crate::fields::{Fields, be24};

/// A video message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Video {
    /// The decoder's configuration record: `avcC`, `hvcC`, `av1C` or `vpcC` without a box header.
    Config {
        /// The codec.
        codec: VideoCodec,
        /// The record.
        record: Bytes,
    },
    /// One frame.
    Frame {
        /// The codec.
        codec: VideoCodec,
        /// Whether the encoder calls it a key frame.
        keyframe: bool,
        /// Presentation time minus decode time, in milliseconds.
        cts_ms: i32,
        /// The coded bytes.
        data: Bytes,
    },
    /// How the colours of what follows are meant, in place of all that was said before; `None` is what the bitstream says.
    Color {
        /// The codec.
        codec: VideoCodec,
        /// The colours.
        color: Option<ColorInfo>,
    },
    /// The encoder says that the sequence is over.
    End {
        /// The codec.
        codec: VideoCodec,
    },
    /// Nothing that is used.
    Unused(Unused),
}

const FRAME_KEY: u8 = 1;
const FRAME_INTER: u8 = 2;
const FRAME_GENERATED_KEY: u8 = 4;
const FRAME_COMMAND: u8 = 5;

const ENHANCED: u8 = 0x80;

impl Video {
    /// Reads a tag's body.
    pub fn read(tag: &Bytes) -> Packets<Self> {
        let mut fields = Fields::new(tag);
        let Some(first) = fields.u8() else {
            return Packets::classic(Err(CUT));
        };
        if first & ENHANCED == 0 {
            return Packets::classic(classic(tag, first, fields));
        }
        Packets::enhanced(tag, fields, (first >> 4) & 0x07, first & 0x0f)
    }

    /// The bytes before a configuration record.
    pub fn config_header(codec: VideoCodec) -> TagHeader {
        match codec {
            VideoCodec::Avc => TagHeader::new(&[&[(FRAME_KEY << 4) | CLASSIC_AVC, 0, 0, 0, 0]]),
            _ => enhanced_header(codec, FRAME_KEY, packet_type::SEQUENCE_START, &[]),
        }
    }

    /// The bytes before a frame.
    pub fn frame_header(codec: VideoCodec, keyframe: bool, cts_ms: i32) -> TagHeader {
        let frame = frame_type(keyframe);
        // The low 24 bits of a two's complement number are the number in 24 bits.
        let cts = be24(cts_ms as u32);
        match codec {
            VideoCodec::Avc => TagHeader::new(&[&[(frame << 4) | CLASSIC_AVC, 1], &cts]),
            VideoCodec::Hevc if cts_ms != 0 => enhanced_header(codec, frame, packet_type::CODED_FRAMES, &cts),
            VideoCodec::Hevc => enhanced_header(codec, frame, packet_type::CODED_FRAMES_X, &[]),
            VideoCodec::Av1 | VideoCodec::Vp9 => enhanced_header(codec, frame, packet_type::CODED_FRAMES, &[]),
        }
    }

    /// A whole message that ends a sequence.
    pub fn end_header(codec: VideoCodec) -> TagHeader {
        match codec {
            VideoCodec::Avc => TagHeader::new(&[&[(FRAME_KEY << 4) | CLASSIC_AVC, 2, 0, 0, 0]]),
            _ => enhanced_header(codec, FRAME_KEY, packet_type::SEQUENCE_END, &[]),
        }
    }

    /// The configuration record as a message carries it: `vpcC` goes without its version and flags.
    pub fn record(parameters: &VideoParameters) -> Bytes {
        const VERSION_AND_FLAGS: [u8; 4] = [1, 0, 0, 0];
        let config = &parameters.config;
        match parameters.codec {
            VideoCodec::Vp9 => match config.strip_prefix(&VERSION_AND_FLAGS) {
                Some(record) => config.slice_ref(record),
                None => config.clone(),
            },
            _ => config.clone(),
        }
    }

    /// The codec as `onMetaData` names it: FLV's number, or the FourCC as one.
    pub fn codec_id(codec: VideoCodec) -> f64 {
        match codec {
            VideoCodec::Avc => f64::from(CLASSIC_AVC),
            _ => fourcc_number(Self::fourcc(codec)),
        }
    }

    /// The codec's FourCC in Enhanced RTMP.
    pub fn fourcc(codec: VideoCodec) -> &'static str {
        match codec {
            VideoCodec::Avc => "avc1",
            VideoCodec::Hevc => "hvc1",
            VideoCodec::Av1 => "av01",
            VideoCodec::Vp9 => "vp09",
        }
    }
}

const CUT: Error = Error::Truncated("video");

const CLASSIC_AVC: u8 = 7;
/// Never standardised, and yet what encoders and servers in China agreed on before Enhanced RTMP.
const CLASSIC_HEVC: u8 = 12;

fn classic(tag: &Bytes, first: u8, mut fields: Fields<'_>) -> Result<Video, Error> {
    let (frame, codec) = (first >> 4, first & 0x0f);
    if frame == FRAME_COMMAND {
        return Ok(Video::Unused(Unused::Command));
    }
    let codec = match codec {
        CLASSIC_AVC => VideoCodec::Avc,
        CLASSIC_HEVC => VideoCodec::Hevc,
        other => return Ok(Video::Unused(Unused::Codec(classic_name(other)))),
    };
    let packet = fields.u8().ok_or(CUT)?;
    let cts_ms = fields.be_i24().ok_or(CUT)?;
    let data = tail(tag, fields.rest().len());
    Ok(match packet {
        0 => Video::Config { codec, record: data },
        1 => Video::Frame {
            codec,
            keyframe: is_key(frame),
            cts_ms,
            data,
        },
        2 => Video::End { codec },
        other => Video::Unused(Unused::PacketType(other)),
    })
}

fn classic_name(codec: u8) -> String {
    match codec {
        2 => "Sorenson H.263".to_owned(),
        3 | 6 => "Screen Video".to_owned(),
        4 | 5 => "On2 VP6".to_owned(),
        other => format!("FLV video codec {other}"),
    }
}

impl Body for Video {
    const MULTITRACK: u8 = packet_type::VIDEO_MULTITRACK;
    const CUT: Error = CUT;

    fn without_parts(head: Head) -> Option<Self> {
        let is_command = head.frame == FRAME_COMMAND && head.packet != packet_type::VIDEO_METADATA;
        is_command.then_some(Self::Unused(Unused::Command))
    }

    fn of_unknown_form(form: u8) -> Self {
        Self::Unused(Unused::Multitrack(form))
    }

    fn read_part(head: Head, fourcc: [u8; 4], part: Bytes) -> Result<Self, Error> {
        let Some(codec) = codec(fourcc) else {
            return Ok(Self::Unused(Unused::Codec(fourcc_name(fourcc))));
        };
        Ok(match head.packet {
            packet_type::SEQUENCE_START => Self::Config { codec, record: part },
            packet_type::CODED_FRAMES | packet_type::CODED_FRAMES_X => frame(head, codec, &part)?,
            packet_type::SEQUENCE_END => Self::End { codec },
            packet_type::VIDEO_METADATA => match color::read(&part)? {
                Some(color) => Self::Color { codec, color },
                None => Self::Unused(Unused::Metadata),
            },
            other => Self::Unused(Unused::PacketType(other)),
        })
    }

    fn plain_header(&self) -> Option<TagHeader> {
        match self {
            Self::Config { codec, .. } => Some(Self::config_header(*codec)),
            Self::Frame {
                codec,
                keyframe,
                cts_ms,
                ..
            } => Some(Self::frame_header(*codec, *keyframe, *cts_ms)),
            Self::Color { codec, .. } => Some(enhanced_header(*codec, 0, packet_type::VIDEO_METADATA, &[])),
            Self::End { codec } => Some(Self::end_header(*codec)),
            Self::Unused(_) => None,
        }
    }

    fn shape(&self) -> Option<Shape> {
        let (frame, packet, codec, cts_ms) = match *self {
            Self::Config { codec, .. } => (FRAME_KEY, packet_type::SEQUENCE_START, codec, 0),
            Self::Frame {
                codec,
                keyframe,
                cts_ms,
                ..
            } => (frame_type(keyframe), coded_frames(codec, cts_ms), codec, cts_ms),
            Self::Color { codec, .. } => (0, packet_type::VIDEO_METADATA, codec, 0),
            Self::End { codec } => (FRAME_KEY, packet_type::SEQUENCE_END, codec, 0),
            Self::Unused(_) => return None,
        };
        Some(Shape {
            first: ENHANCED | (frame << 4),
            multitrack: Self::MULTITRACK,
            packet,
            fourcc: Self::fourcc(codec),
            // The low 24 bits of a two's complement number are the number in 24 bits.
            cts: has_cts(packet, codec).then(|| be24(cts_ms as u32)),
        })
    }

    fn payload(&self) -> Bytes {
        match self {
            Self::Config { record, .. } => record.clone(),
            Self::Frame { data, .. } => data.clone(),
            Self::Color { color, .. } => Bytes::from(color::write(color.as_ref())),
            Self::End { .. } | Self::Unused(_) => Bytes::new(),
        }
    }
}

fn codec(fourcc: [u8; 4]) -> Option<VideoCodec> {
    match &fourcc {
        b"avc1" => Some(VideoCodec::Avc),
        b"hvc1" => Some(VideoCodec::Hevc),
        b"av01" => Some(VideoCodec::Av1),
        b"vp09" => Some(VideoCodec::Vp9),
        _ => None,
    }
}

fn frame(head: Head, codec: VideoCodec, part: &Bytes) -> Result<Video, Error> {
    let mut fields = Fields::new(part);
    let cts_ms = if has_cts(head.packet, codec) {
        fields.be_i24().ok_or(CUT)?
    } else {
        0
    };
    Ok(Video::Frame {
        codec,
        keyframe: is_key(head.frame),
        cts_ms,
        data: tail(part, fields.rest().len()),
    })
}

/// Only AVC and HEVC have a composition time in the enhanced form, and not where it is zero for sure.
fn has_cts(packet: u8, codec: VideoCodec) -> bool {
    packet == packet_type::CODED_FRAMES && matches!(codec, VideoCodec::Avc | VideoCodec::Hevc)
}

fn coded_frames(codec: VideoCodec, cts_ms: i32) -> u8 {
    match codec {
        VideoCodec::Avc | VideoCodec::Hevc if cts_ms == 0 => packet_type::CODED_FRAMES_X,
        _ => packet_type::CODED_FRAMES,
    }
}

fn frame_type(keyframe: bool) -> u8 {
    if keyframe { FRAME_KEY } else { FRAME_INTER }
}

fn is_key(frame: u8) -> bool {
    matches!(frame, FRAME_KEY | FRAME_GENERATED_KEY)
}

fn enhanced_header(codec: VideoCodec, frame: u8, packet: u8, cts: &[u8]) -> TagHeader {
    TagHeader::new(&[
        &[ENHANCED | (frame << 4) | packet],
        Video::fourcc(codec).as_bytes(),
        cts,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Bytes {
        Bytes::from_static(b"data")
    }

    fn read(tag: &Bytes) -> Result<Video, Error> {
        let mut packets = Video::read(tag);
        let packet = packets.next().expect("a message has a packet")?;
        assert_eq!((packet.track, packet.offset_ns), (0, 0));
        assert!(packets.next().is_none(), "and no other");
        Ok(packet.body)
    }

    fn frame(codec: VideoCodec, keyframe: bool, cts_ms: i32) -> Video {
        Video::Frame {
            codec,
            keyframe,
            cts_ms,
            data: data(),
        }
    }

    #[test]
    fn every_message_has_its_form_on_the_wire() {
        use VideoCodec::{Av1, Avc, Hevc, Vp9};
        let config = |codec| Video::Config { codec, record: data() };
        let table: [(&str, Video, TagHeader, &[u8]); 11] = [
            ("AVC config", config(Avc), Video::config_header(Avc), b"\x17\0\0\0\0"),
            (
                "AVC key",
                frame(Avc, true, 66),
                Video::frame_header(Avc, true, 66),
                b"\x17\x01\0\0\x42",
            ),
            (
                "AVC inter",
                frame(Avc, false, -1),
                Video::frame_header(Avc, false, -1),
                b"\x27\x01\xff\xff\xff",
            ),
            ("HEVC config", config(Hevc), Video::config_header(Hevc), b"\x90hvc1"),
            (
                "HEVC key",
                frame(Hevc, true, 66),
                Video::frame_header(Hevc, true, 66),
                b"\x91hvc1\0\0\x42",
            ),
            (
                "HEVC without offset",
                frame(Hevc, false, 0),
                Video::frame_header(Hevc, false, 0),
                b"\xa3hvc1",
            ),
            ("AV1 config", config(Av1), Video::config_header(Av1), b"\x90av01"),
            (
                "AV1 key",
                frame(Av1, true, 0),
                Video::frame_header(Av1, true, 0),
                b"\x91av01",
            ),
            (
                "AV1 inter",
                frame(Av1, false, 0),
                Video::frame_header(Av1, false, 0),
                b"\xa1av01",
            ),
            ("VP9 config", config(Vp9), Video::config_header(Vp9), b"\x90vp09"),
            (
                "VP9 key",
                frame(Vp9, true, 0),
                Video::frame_header(Vp9, true, 0),
                b"\x91vp09",
            ),
        ];
        for (name, video, header, bytes) in table {
            assert_eq!(&header[..], bytes, "{name} written");
            let tag = Bytes::from([bytes, b"data"].concat());
            assert_eq!(read(&tag), Ok(video), "{name} read");
            for end in 0..bytes.len() {
                assert_eq!(read(&tag.slice(..end)), Err(CUT), "{name} cut at {end}");
            }
        }
    }

    #[test]
    fn forms_that_we_do_not_write_are_read() {
        let tag = |bytes: &[u8]| Bytes::from([bytes, b"data"].concat());
        assert_eq!(
            read(&tag(b"\x1c\x01\0\0\0")),
            Ok(frame(VideoCodec::Hevc, true, 0)),
            "HEVC as codec 12"
        );
        assert_eq!(
            read(&tag(b"\x93avc1")),
            Ok(frame(VideoCodec::Avc, true, 0)),
            "AVC as a FourCC"
        );
        assert_eq!(
            read(&tag(b"\x47\x01\0\0\0")),
            Ok(frame(VideoCodec::Avc, true, 0)),
            "a server's key frame"
        );
        let end = Video::End {
            codec: VideoCodec::Hevc,
        };
        assert_eq!(read(&Bytes::from_static(b"\x92hvc1")), Ok(end));
    }

    #[test]
    fn what_is_not_used_says_what_it_is() {
        let table: [(&str, &[u8], Unused); 8] = [
            ("Sorenson", b"\x12xx", Unused::Codec("Sorenson H.263".into())),
            ("VP8", b"\x91vp08xx", Unused::Codec("vp08".into())),
            ("a form of multitrack to come", b"\x96\x30", Unused::Multitrack(3)),
            (
                "metadata that is not of colours",
                b"\x94hvc1\x02\0\x01a\x05",
                Unused::Metadata,
            ),
            ("a transport stream's descriptor", b"\x95av01", Unused::PacketType(5)),
            ("modified seek", b"\xd7\0\0\0\0", Unused::Command),
            ("seek", b"\x57\0", Unused::Command),
            ("enhanced seek", b"\xd1\0", Unused::Command),
        ];
        for (name, bytes, unused) in table {
            assert_eq!(read(&Bytes::from_static(bytes)), Ok(Video::Unused(unused)), "{name}");
        }
    }

    #[test]
    fn reading_shares_the_message() {
        let tag = Bytes::from(b"\x17\x01\0\0\0data".to_vec());
        let Ok(Video::Frame { data, .. }) = read(&tag) else {
            panic!("a frame")
        };
        assert_eq!(data.as_ptr(), tag[5..].as_ptr());
    }
}
