use std::sync::Arc;

use bytes::Bytes;

use crate::ColorInfo;

/// Whether a track is seen or heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One track of a broadcast.
///
/// | index | what it is |
/// |---|---|
/// | 0 | the main track of its kind: what every source sends |
/// | 1 to 7 | further tracks that the source sends itself |
/// | from [`TrackId::DERIVED`] on | made from the main track by a transcoder |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId {
    /// Whether it is seen or heard.
    pub kind: Kind,
    /// Which of its kind.
    pub index: u8,
}

impl TrackId {
    /// The main picture.
    pub const VIDEO: Self = Self::main(Kind::Video);
    /// The main sound.
    pub const AUDIO: Self = Self::main(Kind::Audio);
    /// Tracks of one kind that a source may send.
    pub const SENT_MAX: u8 = 8;
    /// The first index of tracks that are made from others.
    pub const DERIVED: u8 = 16;

    /// The main track of a kind.
    pub const fn main(kind: Kind) -> Self {
        Self { kind, index: 0 }
    }

    /// Tracks of one kind that may be made from another.
    pub const MADE_MAX: u8 = 8;
    /// Tracks that a broadcast can have: see [`slot`](Self::slot).
    pub const SLOTS: usize = 2 * (Self::SENT_MAX + Self::MADE_MAX) as usize;

    /// Its place in a table of [`SLOTS`](Self::SLOTS) tracks; `None` if no broadcast can have it.
    pub fn slot(self) -> Option<usize> {
        let of_kind = match self.index {
            sent if sent < Self::SENT_MAX => sent,
            made if (Self::DERIVED..Self::DERIVED + Self::MADE_MAX).contains(&made) => {
                made - Self::DERIVED + Self::SENT_MAX
            }
            _ => return None,
        };
        Some(2 * usize::from(of_kind) + usize::from(self.kind == Kind::Audio))
    }

    /// Whether it is the main track of its kind.
    pub const fn is_main(self) -> bool {
        self.index == 0
    }

    /// Whether it is made from another.
    pub const fn is_derived(self) -> bool {
        self.index >= Self::DERIVED
    }
}

/// A track that will come: what manifests say of it before its first sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The track.
    pub track: TrackId,
    /// What it is called: `720p`.
    pub name: Arc<str>,
    /// As RFC 6381 names the codec.
    pub codec_string: Arc<str>,
    /// Width of the displayed picture, in pixels; 0 for sound.
    pub width: u32,
    /// Height of the displayed picture, in pixels; 0 for sound.
    pub height: u32,
    /// Frames per second of a picture.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second that it needs at most.
    pub peak: u32,
    /// Bits per second on average.
    pub average: u32,
}

/// Video codecs that Headwater carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// H.264, ISO/IEC 14496-10.
    Avc,
    /// H.265, ISO/IEC 23008-2.
    Hevc,
    /// AOMedia Video 1.
    Av1,
    /// VP9.
    Vp9,
}

/// Audio codecs that Headwater carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// MPEG-4 AAC, ISO/IEC 14496-3.
    Aac,
    /// Opus, RFC 6716.
    Opus,
    /// MPEG-1/2 layer III.
    Mp3,
    /// FLAC, RFC 9639.
    Flac,
    /// Dolby Digital, ETSI TS 102 366.
    Ac3,
    /// Dolby Digital Plus, ETSI TS 102 366 annex E.
    Eac3,
}

/// Frames per second as a fraction, so that 30000/1001 stays exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRate {
    /// Frames in `seconds` seconds; never zero.
    pub frames: u32,
    /// Seconds that `frames` frames last; never zero.
    pub seconds: u32,
}

impl FrameRate {
    /// A rate of `frames` per `seconds`; `None` if either is zero.
    pub fn new(frames: u32, seconds: u32) -> Option<Self> {
        (frames != 0 && seconds != 0).then_some(Self { frames, seconds })
    }

    /// Frames per second.
    pub fn per_second(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }
}

/// What a decoder must know before the first video sample, and what manifests say of the track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParameters {
    /// The codec.
    pub codec: VideoCodec,
    /// The codec's configuration record as ISO/IEC 14496-15 and the codecs' own ISOBMFF bindings define it,
    /// without a box header: `avcC`, `hvcC`, `av1C` or `vpcC` (from its version byte on).
    pub config: Bytes,
    /// Width of the displayed picture, in pixels.
    pub width: u32,
    /// Height of the displayed picture, in pixels.
    pub height: u32,
    /// The frame rate that the bitstream states, if it states one.
    pub frame_rate: Option<FrameRate>,
    /// Whether frames may be presented in another order than they are decoded (B-frames).
    pub reorders: bool,
    /// What the container says of the colours; the bitstream may say the same, or less.
    pub color: Option<ColorInfo>,
    /// The codec as RFC 6381 names it in `CODECS`, from the bitstream: `avc1.64001F`.
    pub codec_string: String,
}

/// What a decoder must know before the first audio sample, and what manifests say of the track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParameters {
    /// The codec.
    pub codec: AudioCodec,
    /// The codec's configuration without a box header: `AudioSpecificConfig` for AAC, the `dOps` body for Opus,
    /// the `dfLa` body for FLAC, the `dac3` or `dec3` body for AC-3 and E-AC-3, nothing for MP3.
    pub config: Bytes,
    /// Samples per second of one channel at the decoder's output; also the track's timescale.
    pub sample_rate: u32,
    /// Channels at the decoder's output.
    pub channels: u16,
    /// Samples per channel of one frame at `sample_rate`; zero where frames differ in length (Opus, FLAC).
    pub frame_samples: u32,
    /// The codec as RFC 6381 names it in `CODECS`: `mp4a.40.2`.
    pub codec_string: String,
}

/// The parameters of a track of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Of a video track.
    Video(VideoParameters),
    /// Of an audio track.
    Audio(AudioParameters),
}

impl Parameters {
    /// Ticks per second of a video track's timeline.
    pub const VIDEO_TIMESCALE: u32 = 90_000;

    /// Whether the track is seen or heard.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Video(_) => Kind::Video,
            Self::Audio(_) => Kind::Audio,
        }
    }

    /// Ticks per second of the track's timeline: 90 kHz for video, the sample rate for audio.
    pub fn timescale(&self) -> u32 {
        match self {
            Self::Video(_) => Self::VIDEO_TIMESCALE,
            Self::Audio(audio) => audio.sample_rate,
        }
    }

    /// The codec as RFC 6381 names it.
    pub fn codec_string(&self) -> &str {
        match self {
            Self::Video(video) => &video.codec_string,
            Self::Audio(audio) => &audio.codec_string,
        }
    }

    /// The codec's configuration record.
    pub fn config(&self) -> &Bytes {
        match self {
            Self::Video(video) => &video.config,
            Self::Audio(audio) => &audio.config,
        }
    }
}
