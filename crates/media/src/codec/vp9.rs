//! VP9: the `vpcC` record of the VP codec ISOBMFF binding, and the keyframe header that has the picture's size.

use bytes::{BufMut, Bytes};

use super::{bits::BitReader, limits};
use crate::{Error, VideoCodec, VideoParameters};

/// The version and flags that open a `vpcC`.
const VERSION: [u8; 4] = [1, 0, 0, 0];

/// The parameters of a track whose configuration record is `vpcc` and whose first keyframe is `keyframe`.
///
/// The record has no picture size, so both are needed. The record may come without its version and flags, or be
/// empty: then level and colours are made up from the keyframe. A later keyframe of another size or depth means other
/// parameters: compare them with those in use.
pub fn parameters(vpcc: Bytes, keyframe: &[u8]) -> Result<VideoParameters, Error> {
    let header = KeyframeHeader::read(keyframe)?;
    let (width, height) = limits::picture_size(header.width, header.height)?;
    let record = Record::new(&vpcc, &header);
    Ok(VideoParameters {
        codec: VideoCodec::Vp9,
        config: record.write(&header),
        width,
        height,
        frame_rate: None,
        reorders: false,
        color: None,
        codec_string: format!("vp09.{:02}.{:02}.{:02}", header.profile, record.level, header.bit_depth),
    })
}

/// Whether `sample` is a key frame.
pub fn is_keyframe(sample: &[u8]) -> bool {
    KeyframeHeader::read(sample).is_ok()
}

/// What only the record knows.
struct Record {
    level: u8,
    /// Colour primaries, transfer function, matrix.
    colours: [u8; 3],
}

impl Record {
    fn new(vpcc: &[u8], header: &KeyframeHeader) -> Self {
        const UNSPECIFIED: [u8; 3] = [2; 3];
        match vpcc.strip_prefix(&VERSION).unwrap_or(vpcc) {
            [_, level, _, a, b, c, ..] if *level != 0 => Self {
                level: *level,
                colours: [*a, *b, *c],
            },
            [_, _, _, a, b, c, ..] => Self {
                level: header.least_level(),
                colours: [*a, *b, *c],
            },
            _ => Self {
                level: header.least_level(),
                colours: UNSPECIFIED,
            },
        }
    }

    fn write(&self, header: &KeyframeHeader) -> Bytes {
        let mut out = VERSION.to_vec();
        out.extend([header.profile, self.level]);
        out.push((header.bit_depth << 4) | (header.chroma_subsampling << 1) | u8::from(header.full_range));
        out.extend(self.colours);
        out.put_u16(0); // codec initialization data: none
        out.into()
    }
}

/// The uncompressed header of a key frame, VP9 §6.2.
#[derive(Debug, Default, PartialEq, Eq)]
struct KeyframeHeader {
    profile: u8,
    bit_depth: u8,
    /// As `vpcC` counts it: 1 is 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    chroma_subsampling: u8,
    full_range: bool,
    width: u32,
    height: u32,
}

impl KeyframeHeader {
    fn read(frame: &[u8]) -> Result<Self, Error> {
        const FRAME_MARKER: u32 = 2;
        const SYNC_CODE: u32 = 0x0049_8342;
        let mut reader = BitReader::new(frame, "VP9 frame header");
        let marker = reader.bits(2)?;
        let mut header = Self {
            profile: reader.small(1)? | (reader.small(1)? << 1),
            ..Self::default()
        };
        if header.profile == 3 {
            reader.flag()?;
        }
        let shows_existing = reader.flag()?;
        let is_inter = reader.flag()?;
        reader.skip(2)?; // show_frame, error_resilient_mode
        if marker != FRAME_MARKER || shows_existing || is_inter || reader.bits(24)? != SYNC_CODE {
            return Err(Error::Invalid { what: "VP9 keyframe" });
        }
        header.read_colours(&mut reader)?;
        header.width = reader.bits(16)?.saturating_add(1);
        header.height = reader.bits(16)?.saturating_add(1);
        Ok(header)
    }

    /// §6.2.2.
    fn read_colours(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        const SRGB: u32 = 7;
        let any_subsampling = matches!(self.profile, 1 | 3);
        self.bit_depth = match (self.profile >= 2, self.profile >= 2 && reader.flag()?) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        };
        if reader.bits(3)? == SRGB {
            (self.full_range, self.chroma_subsampling) = (true, 3);
            return if any_subsampling { reader.skip(1) } else { Ok(()) };
        }
        self.full_range = reader.flag()?;
        self.chroma_subsampling = 1;
        if any_subsampling {
            self.chroma_subsampling = match (reader.flag()?, reader.flag()?) {
                (true, true) => 1,
                (true, false) => 2,
                (false, _) => 3,
            };
            reader.flag()?;
        }
        Ok(())
    }

    /// The lowest level that allows pictures of this size, 30 of them a second.
    fn least_level(&self) -> u8 {
        const PIXELS_MAX: [(u32, u8); 8] = [
            (36_864, 10),
            (73_728, 11),
            (122_880, 20),
            (245_760, 21),
            (552_960, 30),
            (983_040, 31),
            (2_228_224, 40),
            (8_912_896, 50),
        ];
        let pixels = self.width.saturating_mul(self.height);
        PIXELS_MAX
            .iter()
            .find(|(max, _)| pixels <= *max)
            .map_or(60, |(_, level)| *level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    /// Records and keyframes of ffmpeg 9.0 with libvpx, 640x360, 8 and 10 bits.
    const PROFILE_0: (&str, &str) = ("010000000015820202020000", "824983420027f016760638241c184a1007");
    const PROFILE_2: (&str, &str) = ("010000000215a20202020000", "924983420013f80b3b031c120e0c2c0803");

    #[test]
    fn records_of_real_encoders_are_read() {
        for ((record, keyframe), string) in [(PROFILE_0, "vp09.00.21.08"), (PROFILE_2, "vp09.02.21.10")] {
            let parameters = parameters(hex(record), &hex(keyframe)).unwrap();
            assert_eq!((parameters.width, parameters.height), (640, 360));
            assert_eq!(parameters.codec_string, string);
            assert_eq!(parameters.config, hex(record));
        }
    }

    #[test]
    fn a_record_without_version_or_level_is_completed() {
        let (record, keyframe) = (hex(PROFILE_0.0), hex(PROFILE_0.1));
        assert_eq!(parameters(record.slice(4..), &keyframe).unwrap().config, record);
        assert_eq!(parameters(Bytes::new(), &keyframe).unwrap().config, record);
        let no_level = hex("010000000000820202020000");
        assert_eq!(parameters(no_level, &keyframe).unwrap().config, record);
    }

    #[test]
    fn an_inter_frame_is_no_keyframe() {
        assert!(is_keyframe(&hex(PROFILE_0.1)));
        assert!(!is_keyframe(&hex("860040092f121400400987")));
        assert!(!is_keyframe(&[]));
        assert!(parameters(hex(PROFILE_0.0), &hex("860040092f121400400987")).is_err());
    }
}
