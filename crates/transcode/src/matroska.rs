//! What goes into a child: Matroska of one track, a cluster for each frame, so that each is read the moment it is there.
//!
//! ffmpeg's reader of it remembers key frames alone; that of fragmented MP4 remembers every frame for as long as it runs.
//! Times are whole microseconds, which lead back to the very tick of 90 kHz or of a sample rate.

use bytes::Bytes;
use media::{AudioCodec, AudioParameters, Parameters, Sample, VideoCodec, VideoParameters};

/// Nothing goes into a child before this time, since cluster times have no sign, and frames may be shown before time 0.
pub const OFFSET_SECONDS: i64 = 10;

const UNKNOWN_LENGTH: u64 = 0x01ff_ffff_ffff_ffff;
const NANOS_PER_TICK: u64 = 1_000;

/// The beginning of a file of one track.
pub fn header(parameters: &Parameters) -> Bytes {
    let mut out = Vec::with_capacity(1_024);
    element(&mut out, 0x1a45_dfa3, |out| {
        element(out, 0x4282, |out| out.extend(b"matroska"));
        unsigned(out, 0x4287, 4);
        unsigned(out, 0x4285, 2);
    });
    id(&mut out, 0x1853_8067);
    out.extend(UNKNOWN_LENGTH.to_be_bytes());
    element(&mut out, 0x1549_a966, |out| {
        unsigned(out, 0x2a_d7b1, NANOS_PER_TICK);
        element(out, 0x4d80, |out| out.extend(b"headwater"));
        element(out, 0x5741, |out| out.extend(b"headwater"));
    });
    element(&mut out, 0x1654_ae6b, |out| {
        element(out, 0xae, |out| track(out, parameters));
    });
    out.into()
}

/// One frame in a cluster of its own.
pub fn frame(timescale: u32, sample: &Sample) -> Bytes {
    let mut out = Vec::with_capacity(sample.data.len() + 64);
    element(&mut out, 0x1f43_b675, |out| {
        unsigned(out, 0xe7, micros(sample.pts(), timescale));
        id(out, 0xa3);
        length(out, sample.data.len() + 4);
        // Track 1, no time of its own.
        out.extend([0x81, 0, 0, if sample.keyframe { 0x80 } else { 0 }]);
        out.extend_from_slice(&sample.data);
    });
    out.into()
}

/// The time of a tick in the child, rounded.
pub fn micros(ticks: i64, timescale: u32) -> u64 {
    let scale = i128::from(timescale.max(1));
    let ticks = i128::from(ticks) + i128::from(OFFSET_SECONDS) * scale;
    u64::try_from((ticks * 1_000_000 + scale / 2).div_euclid(scale)).unwrap_or(0)
}

fn track(out: &mut Vec<u8>, parameters: &Parameters) {
    unsigned(out, 0xd7, 1);
    unsigned(out, 0x73c5, 1);
    unsigned(out, 0x9c, 0);
    let (name, private) = match parameters {
        Parameters::Video(video) => (video_name(video), video.config.clone()),
        Parameters::Audio(audio) => (audio_name(audio), audio_private(audio)),
    };
    element(out, 0x86, |out| out.extend(name.as_bytes()));
    if !private.is_empty() {
        element(out, 0x63a2, |out| out.extend_from_slice(&private));
    }
    match parameters {
        Parameters::Video(video) => {
            unsigned(out, 0x83, 1);
            element(out, 0xe0, |out| {
                unsigned(out, 0xb0, u64::from(video.width));
                unsigned(out, 0xba, u64::from(video.height));
            });
        }
        Parameters::Audio(audio) => {
            unsigned(out, 0x83, 2);
            element(out, 0xe1, |out| {
                element(out, 0xb5, |out| out.extend(f64::from(audio.sample_rate).to_be_bytes()));
                unsigned(out, 0x9f, u64::from(audio.channels));
            });
        }
    }
}

fn video_name(video: &VideoParameters) -> &'static str {
    match video.codec {
        VideoCodec::Avc => "V_MPEG4/ISO/AVC",
        VideoCodec::Hevc => "V_MPEGH/ISO/HEVC",
        VideoCodec::Av1 => "V_AV1",
        VideoCodec::Vp9 => "V_VP9",
    }
}

fn audio_name(audio: &AudioParameters) -> &'static str {
    match audio.codec {
        AudioCodec::Aac => "A_AAC",
        AudioCodec::Opus => "A_OPUS",
        AudioCodec::Mp3 => "A_MPEG/L3",
        AudioCodec::Flac => "A_FLAC",
        AudioCodec::Ac3 => "A_AC3",
        AudioCodec::Eac3 => "A_EAC3",
    }
}

/// What Matroska keeps of a codec apart from its frames.
fn audio_private(audio: &AudioParameters) -> Bytes {
    match audio.codec {
        AudioCodec::Aac => audio.config.clone(),
        AudioCodec::Opus => opus_head(&audio.config, audio.channels),
        // `dfLa` begins with a version and flags where a file begins with its name.
        AudioCodec::Flac => [b"fLaC", audio.config.get(4..).unwrap_or_default()].concat().into(),
        AudioCodec::Mp3 | AudioCodec::Ac3 | AudioCodec::Eac3 => Bytes::new(),
    }
}

/// RFC 7845 §5.1 from `dOps`, whose numbers are big-endian. Nothing is said to be skipped: a packet's samples stand at its
/// own time, as they do for whoever plays the source.
fn opus_head(dops: &[u8], channels: u16) -> Bytes {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels.clamp(1, 255) as u8);
    head.extend([0, 0]);
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0]);
    // The mapping family, and its table where there is one.
    head.extend_from_slice(dops.get(10..).filter(|rest| !rest.is_empty()).unwrap_or(&[0]));
    head.into()
}

fn id(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    out.extend(bytes.iter().skip_while(|byte| **byte == 0));
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend((length as u64 | 1 << 56).to_be_bytes());
}

fn element(out: &mut Vec<u8>, kind: u32, content: impl FnOnce(&mut Vec<u8>)) {
    id(out, kind);
    let at = out.len();
    length(out, 0);
    content(out);
    let mut counted = Vec::with_capacity(8);
    length(&mut counted, out.len() - at - 8);
    out[at..at + 8].copy_from_slice(&counted);
}

fn unsigned(out: &mut Vec<u8>, kind: u32, value: u64) {
    element(out, kind, |out| {
        let bytes = value.to_be_bytes();
        let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
        out.extend(&bytes[zeros..]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tick_of_every_rate_survives_the_way_through_microseconds() {
        for timescale in [90_000, 48_000, 44_100, 8_000] {
            let offset = OFFSET_SECONDS * i64::from(timescale);
            for ticks in (-5_000..5_000).chain([90_000 * 86_400 * 365, 90_000 * 86_400 * 365 + 1]) {
                let micros = i128::from(micros(ticks, timescale));
                let back = (micros * i128::from(timescale) + 500_000).div_euclid(1_000_000);
                assert_eq!(back as i64 - offset, ticks, "{timescale}");
            }
        }
    }

    #[test]
    fn numbers_are_written_as_ebml_wants_them() {
        let mut out = Vec::new();
        unsigned(&mut out, 0xd7, 0x1234);
        assert_eq!(out, [0xd7, 1, 0, 0, 0, 0, 0, 0, 2, 0x12, 0x34]);
        out.clear();
        unsigned(&mut out, 0xd7, 0);
        assert_eq!(out, [0xd7, 1, 0, 0, 0, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn an_opus_head_has_the_channels_and_skips_nothing() {
        let dops = [0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0];
        let head = opus_head(&dops, 2);
        assert_eq!(&head[..], b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00");
    }
}
