//! The initialisation segment: what a decoder must know, and no samples.

use bytes::Bytes;
use media::{AudioCodec, AudioParameters, Parameters, VideoCodec, VideoParameters};

use super::TRACK_ID;
use super::boxes::{boxed, full_box, put_u16, put_u32, put_zeros};

/// The unity matrix of `mvhd` and `tkhd`.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// `und` in three times five bits.
const LANGUAGE_UNDETERMINED: u16 = 0x55c4;

/// Writes the initialisation segment of a track.
pub(crate) fn init(parameters: &Parameters) -> Bytes {
    let mut out = Vec::with_capacity(1_024);
    boxed(&mut out, *b"ftyp", |out| {
        out.extend(b"iso6");
        put_u32(out, 0);
        for brand in [b"iso6", b"cmfc", b"mp41", b"dash", b"hlsf"] {
            out.extend(brand);
        }
        if parameters.codec_string().starts_with("av01") {
            out.extend(b"av01");
        }
    });
    boxed(&mut out, *b"moov", |out| {
        movie_header(out);
        boxed(out, *b"trak", |out| track(out, parameters));
        boxed(out, *b"mvex", |out| {
            full_box(out, *b"trex", 0, 0, |out| {
                put_u32(out, TRACK_ID);
                put_u32(out, 1); // sample description
                put_zeros(out, 12); // no default duration, size and flags: each chunk gives its own
            });
        });
    });
    out.into()
}

fn movie_header(out: &mut Vec<u8>) {
    full_box(out, *b"mvhd", 0, 0, |out| {
        put_zeros(out, 8);
        put_u32(out, 1_000);
        put_u32(out, 0); // the duration is not known
        put_u32(out, 0x1_0000);
        put_u16(out, 0x0100);
        put_zeros(out, 10);
        MATRIX.into_iter().for_each(|value| put_u32(out, value));
        put_zeros(out, 24);
        put_u32(out, TRACK_ID + 1);
    });
}

fn track(out: &mut Vec<u8>, parameters: &Parameters) {
    const ENABLED_AND_IN_MOVIE: u32 = 3;
    full_box(out, *b"tkhd", 0, ENABLED_AND_IN_MOVIE, |out| {
        put_zeros(out, 8);
        put_u32(out, TRACK_ID);
        put_zeros(out, 4 + 4 + 8 + 4); // reserved, duration, reserved, layer and group
        let (volume, width, height) = match parameters {
            Parameters::Video(video) => (0, video.width, video.height),
            Parameters::Audio(_) => (0x0100, 0, 0),
        };
        put_u16(out, volume);
        put_u16(out, 0);
        MATRIX.into_iter().for_each(|value| put_u32(out, value));
        put_u32(out, width << 16);
        put_u32(out, height << 16);
    });
    boxed(out, *b"mdia", |out| {
        full_box(out, *b"mdhd", 0, 0, |out| {
            put_zeros(out, 8);
            put_u32(out, parameters.timescale());
            put_u32(out, 0);
            put_u16(out, LANGUAGE_UNDETERMINED);
            put_u16(out, 0);
        });
        full_box(out, *b"hdlr", 0, 0, |out| {
            let (handler, name) = match parameters {
                Parameters::Video(_) => (b"vide", &b"video\0"[..]),
                Parameters::Audio(_) => (b"soun", &b"audio\0"[..]),
            };
            put_u32(out, 0);
            out.extend(handler);
            put_zeros(out, 12);
            out.extend(name);
        });
        boxed(out, *b"minf", |out| media_information(out, parameters));
    });
}

fn media_information(out: &mut Vec<u8>, parameters: &Parameters) {
    match parameters {
        Parameters::Video(_) => full_box(out, *b"vmhd", 0, 1, |out| put_zeros(out, 8)),
        Parameters::Audio(_) => full_box(out, *b"smhd", 0, 0, |out| put_zeros(out, 4)),
    }
    boxed(out, *b"dinf", |out| {
        full_box(out, *b"dref", 0, 0, |out| {
            put_u32(out, 1);
            full_box(out, *b"url ", 0, 1, |_| {});
        });
    });
    boxed(out, *b"stbl", |out| {
        full_box(out, *b"stsd", 0, 0, |out| {
            put_u32(out, 1);
            match parameters {
                Parameters::Video(video) => video_entry(out, video),
                Parameters::Audio(audio) => audio_entry(out, audio),
            }
        });
        full_box(out, *b"stts", 0, 0, |out| put_zeros(out, 4));
        full_box(out, *b"stsc", 0, 0, |out| put_zeros(out, 4));
        full_box(out, *b"stsz", 0, 0, |out| put_zeros(out, 8));
        full_box(out, *b"stco", 0, 0, |out| put_zeros(out, 4));
    });
}

fn video_entry(out: &mut Vec<u8>, video: &VideoParameters) {
    let (entry, config) = match video.codec {
        VideoCodec::Avc => (b"avc1", b"avcC"),
        VideoCodec::Hevc => (b"hvc1", b"hvcC"),
        VideoCodec::Av1 => (b"av01", b"av1C"),
        VideoCodec::Vp9 => (b"vp09", b"vpcC"),
    };
    boxed(out, *entry, |out| {
        put_zeros(out, 6);
        put_u16(out, 1);
        put_zeros(out, 16);
        put_u16(out, u16::try_from(video.width).unwrap_or(u16::MAX));
        put_u16(out, u16::try_from(video.height).unwrap_or(u16::MAX));
        put_u32(out, 72 << 16); // pixels an inch
        put_u32(out, 72 << 16);
        put_u32(out, 0);
        put_u16(out, 1); // frames a sample
        put_zeros(out, 32);
        put_u16(out, 24); // depth
        put_u16(out, u16::MAX);
        boxed(out, *config, |out| out.extend_from_slice(&video.config));
    });
}

fn audio_entry(out: &mut Vec<u8>, audio: &AudioParameters) {
    let entry = match audio.codec {
        AudioCodec::Aac | AudioCodec::Mp3 => b"mp4a",
        AudioCodec::Opus => b"Opus",
        AudioCodec::Flac => b"fLaC",
        AudioCodec::Ac3 => b"ac-3",
        AudioCodec::Eac3 => b"ec-3",
    };
    boxed(out, *entry, |out| {
        put_zeros(out, 6);
        put_u16(out, 1);
        put_zeros(out, 8);
        put_u16(out, audio.channels);
        put_u16(out, 16); // bits a sample, as a template has it
        put_u32(out, 0);
        // 16 bits of integer: a higher rate is left to the codec's own configuration.
        let rate = u16::try_from(audio.sample_rate).unwrap_or(0);
        put_u32(out, u32::from(rate) << 16);
        audio_config(out, audio);
    });
}

fn audio_config(out: &mut Vec<u8>, audio: &AudioParameters) {
    const MPEG_4_AUDIO: u8 = 0x40;
    const MPEG_1_AUDIO: u8 = 0x6b;
    let config = &audio.config[..];
    match audio.codec {
        AudioCodec::Aac => elementary_stream(out, MPEG_4_AUDIO, config),
        AudioCodec::Mp3 => elementary_stream(out, MPEG_1_AUDIO, &[]),
        AudioCodec::Opus => boxed(out, *b"dOps", |out| out.extend_from_slice(config)),
        AudioCodec::Flac => boxed(out, *b"dfLa", |out| out.extend_from_slice(config)),
        AudioCodec::Ac3 => boxed(out, *b"dac3", |out| out.extend_from_slice(config)),
        AudioCodec::Eac3 => boxed(out, *b"dec3", |out| out.extend_from_slice(config)),
    }
}

/// An `esds` box: the descriptors of ISO/IEC 14496-1.
fn elementary_stream(out: &mut Vec<u8>, object_type: u8, specific: &[u8]) {
    const AUDIO_STREAM: u8 = 0x15;
    full_box(out, *b"esds", 0, 0, |out| {
        descriptor(out, 3, |out| {
            put_u16(out, 0);
            out.push(0);
            descriptor(out, 4, |out| {
                out.extend([object_type, AUDIO_STREAM]);
                put_zeros(out, 3 + 4 + 4); // buffer size and bit rates are not known
                if !specific.is_empty() {
                    descriptor(out, 5, |out| out.extend_from_slice(specific));
                }
            });
            descriptor(out, 6, |out| out.push(2));
        });
    });
}

/// A descriptor with its length in four bytes of seven bits, as every MP4 writer does.
fn descriptor(out: &mut Vec<u8>, tag: u8, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let at = out.len();
    put_zeros(out, 4);
    content(out);
    let length = out.len() - at - 4;
    for (place, byte) in out[at..at + 4].iter_mut().enumerate() {
        let more = if place < 3 { 0x80 } else { 0 };
        *byte = (length >> (7 * (3 - place))) as u8 & 0x7f | more;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mp4_atom::{Codec, Decode, Ftyp, Moov};

    use super::*;
    use crate::testing;

    fn decoded(parameters: &Parameters) -> Moov {
        let bytes = init(parameters);
        let mut reader = Cursor::new(&bytes[..]);
        Ftyp::decode(&mut reader).expect("ftyp");
        let moov = Moov::decode(&mut reader).expect("moov");
        assert_eq!(reader.position(), bytes.len() as u64);
        moov
    }

    #[test]
    fn another_parser_reads_the_video_track() {
        let moov = decoded(&testing::video(None));
        let track = &moov.trak[0];
        assert_eq!(track.mdia.mdhd.timescale, 90_000);
        assert_eq!(track.tkhd.width.integer(), 1_280);
        assert!(track.edts.is_none(), "no edit list");
        assert!(moov.mvex.is_some());
        let Codec::Avc1(avc1) = &track.mdia.minf.stbl.stsd.codecs[0] else {
            panic!("{:?}", track.mdia.minf.stbl.stsd.codecs);
        };
        assert_eq!((avc1.visual.width, avc1.visual.height), (1_280, 720));
        assert_eq!(avc1.avcc.avc_profile_indication, 0x64);
    }

    #[test]
    fn another_parser_reads_the_audio_track() {
        let moov = decoded(&testing::audio(44_100));
        let track = &moov.trak[0];
        assert_eq!(track.mdia.mdhd.timescale, 44_100);
        let Codec::Mp4a(mp4a) = &track.mdia.minf.stbl.stsd.codecs[0] else {
            panic!("{:?}", track.mdia.minf.stbl.stsd.codecs);
        };
        assert_eq!(mp4a.audio.channel_count, 2);
        assert_eq!(mp4a.esds.es_desc.dec_config.object_type_indication, 0x40);
    }

    #[test]
    fn every_codec_has_its_own_sample_entry() {
        for (parameters, entry, config) in testing::every_codec() {
            let bytes = init(&parameters);
            for kind in [entry, config] {
                let found = bytes.windows(4).filter(|window| *window == kind).count();
                assert!(found >= 1, "{} of {parameters:?}", String::from_utf8_lossy(kind));
            }
        }
    }
}
