//! What audio and video messages hold: FLV tag bodies, classic and Enhanced.
//!
//! Reading slices the message's bytes, it does not copy them. Writing makes the few bytes that stand before a sample.

mod audio;
mod metadata;
mod video;

pub use audio::Audio;
pub use metadata::Metadata;
pub use video::Video;

use bytes::Bytes;

/// Why a tag's body cannot be read. A tag is skipped for it, a connection lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It ends before its fields do.
    #[error("an {0} tag is cut off")]
    Truncated(&'static str),
}

/// What a tag's body holds that is known and not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unused {
    /// A codec that no player of today decodes, or that nobody knows.
    #[error("codec is not supported: {0}")]
    Codec(String),
    /// Several tracks in one message.
    #[error("multitrack is not supported: only the first track is used")]
    Multitrack,
    /// A message modified by an extension, such as nanosecond times.
    #[error("packet modifiers are not supported")]
    Modifier,
    /// Colour information or a channel layout, which the bitstream holds, too.
    #[error("metadata inside the track is not used")]
    Metadata,
    /// A sign for seeking servers.
    #[error("seek commands are not used")]
    Command,
    /// A packet type of the future.
    #[error("packet type is not known: {0}")]
    PacketType(u8),
}

impl Unused {
    /// One word for counting and for telling once.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Codec(_) => "codec",
            Self::Multitrack => "multitrack",
            Self::Modifier => "modifier",
            Self::Metadata => "metadata",
            Self::Command => "command",
            Self::PacketType(_) => "packet_type",
        }
    }
}

/// The few bytes that stand before the codec's own in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagHeader {
    bytes: [u8; Self::LEN_MAX],
    len: usize,
}

impl TagHeader {
    const LEN_MAX: usize = 8;

    fn new(parts: [&[u8]; 3]) -> Self {
        let mut bytes = [0; Self::LEN_MAX];
        let all = parts.into_iter().flatten();
        let len = bytes.iter_mut().zip(all).map(|(place, byte)| *place = *byte).count();
        Self { bytes, len }
    }
}

impl std::ops::Deref for TagHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Packet types of Enhanced RTMP.
mod packet {
    pub(super) const SEQUENCE_START: u8 = 0;
    pub(super) const CODED_FRAMES: u8 = 1;
    pub(super) const SEQUENCE_END: u8 = 2;
    pub(super) const CODED_FRAMES_X: u8 = 3;
    pub(super) const VIDEO_METADATA: u8 = 4;
    pub(super) const MULTICHANNEL_CONFIG: u8 = 4;
    pub(super) const AUDIO_MULTITRACK: u8 = 5;
    pub(super) const VIDEO_MULTITRACK: u8 = 6;
    pub(super) const MODIFIER: u8 = 7;
}

/// A FourCC as the number that `onMetaData` has for it.
fn fourcc_number(fourcc: &str) -> f64 {
    let bytes = fourcc.as_bytes().first_chunk::<4>();
    bytes.map_or(0.0, |bytes| f64::from(u32::from_be_bytes(*bytes)))
}

fn fourcc_name(fourcc: [u8; 4]) -> String {
    fourcc
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|char| char.is_ascii_graphic())
        .collect()
}

/// The last `len` bytes of `tag`, shared.
fn tail(tag: &Bytes, len: usize) -> Bytes {
    tag.slice(tag.len().saturating_sub(len)..)
}
