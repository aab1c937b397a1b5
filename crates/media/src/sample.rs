use bytes::Bytes;

/// One access unit of one track: a video frame, or an audio frame.
///
/// The bytes are shared, never copied: cloning a sample is cheap.
///
/// | codec | `data` holds |
/// |---|---|
/// | AVC, HEVC | length-prefixed NAL units, the prefix as long as the configuration record says (usually 4 bytes) |
/// | AV1 | the OBUs of one temporal unit, each with its size, without temporal delimiters |
/// | VP9 | one frame or superframe |
/// | AAC | one raw access unit, without ADTS |
/// | Opus, FLAC, MP3, AC-3, E-AC-3 | one packet or frame as the codec defines it |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Decode time, in ticks of the track's timescale, on whatever timeline the owner says.
    pub dts: i64,
    /// Presentation time minus decode time, in ticks of the track's timescale.
    pub cts: i32,
    /// How long it lasts, in ticks of the track's timescale, where the source says so; otherwise the next sample tells.
    pub duration: Option<u32>,
    /// Whether decoding can start here. Always true for audio.
    pub keyframe: bool,
    /// The coded bytes.
    pub data: Bytes,
}

impl Sample {
    /// Presentation time, in ticks of the track's timescale.
    pub fn pts(&self) -> i64 {
        self.dts.saturating_add(i64::from(self.cts))
    }
}
