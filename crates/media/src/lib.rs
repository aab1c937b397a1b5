//! What every protocol carries: codec-level samples, the tracks they belong to, and the parameters of those tracks.
//!
//! Nothing here names a socket, file, task, clock or random source, and nothing knows FLV, MPEG-TS or RTP:
//! a protocol is one adapter into these types and one out of them.

mod channels;
pub mod codec;
mod color;
mod error;
mod sample;
mod track;

pub use channels::{ChannelLayout, ChannelOrder};
pub use color::{ColorInfo, Gamut, LightLevel, MasteringDisplay};
pub use error::Error;
pub use sample::Sample;
pub use track::{
    AudioCodec, AudioParameters, FrameRate, Kind, Parameters, Planned, TrackId, VideoCodec, VideoParameters,
};
