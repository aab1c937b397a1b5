//! What audio and video messages hold: FLV tag bodies, classic and Enhanced (versions 1 and 2).
//!
//! A message has one [`Packet`], or one for each track in it. Reading slices the message's bytes, it does not copy them.
//! Writing makes the few bytes that stand before a sample.

mod audio;
mod channels;
mod color;
mod header;
mod metadata;
mod modifier;
mod multitrack;
mod packet;
mod several;
#[cfg(test)]
mod tests;
mod video;

pub use audio::Audio;
pub use header::TagHeader;
pub use metadata::{Metadata, TrackHint};
pub use modifier::MODIFIERS_MAX;
pub use multitrack::{Form, TRACKS_MAX};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use packet::Body;
pub use packet::{Packet, Packets};
pub use several::write_several;
pub use video::Video;

use bytes::Bytes;

/// Why a tag's body cannot be read. A tag is skipped for it, a connection lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It ends before its fields do.
    #[error("an {0} tag is cut off")]
    Truncated(&'static str),
    /// Several tracks inside of one of several tracks.
    #[error("a multitrack packet holds another")]
    Nested,
    /// More tracks than anybody has.
    #[error("more than {TRACKS_MAX} tracks in one message")]
    TooManyTracks,
    /// More modifiers than there are kinds of them.
    #[error("more than {MODIFIERS_MAX} modifiers before one packet")]
    TooManyModifiers,
    /// Metadata that is not AMF, or too much of it.
    #[error("metadata inside a video track cannot be read")]
    Metadata,
}

/// What a tag's body holds that is known and not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unused {
    /// A codec that no player of today decodes, or that nobody knows.
    #[error("codec is not supported: {0}")]
    Codec(String),
    /// Several tracks in a form of the future.
    #[error("form of multitrack is not known: {0}")]
    Multitrack(u8),
    /// Metadata of a kind that is not used.
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
            Self::Multitrack(_) => "multitrack",
            Self::Metadata => "metadata",
            Self::Command => "command",
            Self::PacketType(_) => "packet_type",
        }
    }
}

/// Packet types of Enhanced RTMP.
mod packet_type {
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
