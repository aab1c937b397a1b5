//! NUT, which an encoder's output arrives in: the one container of ffmpeg that keeps times exact and gives a frame out the moment
//! it is encoded. Fragmented MP4 keeps a frame back until the next one tells how long it lasted.
//!
//! A value: bytes in, streams and frames out. Checksums are not looked at, because the bytes come through a pipe.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::arithmetic_side_effects
    )
)]

mod cursor;
mod frame;
mod header;
mod reader;

pub use header::{Class, Stream};
pub use reader::{Event, Reader};

/// What a child may say at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one coded frame.
    pub frame_bytes_max: usize,
    /// Bytes of one header.
    pub header_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 8 << 20,
            header_bytes_max: 64 << 10,
        }
    }
}

/// Why bytes are no NUT stream that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the output does not begin as a NUT file")]
    NotNut,
    #[error("not valid in NUT: {0}")]
    Invalid(&'static str),
    #[error("a frame of {len} bytes is over the limit of {max}")]
    FrameTooLarge { len: u64, max: usize },
    #[error("a header of {len} bytes is over the limit of {max}")]
    HeaderTooLarge { len: u64, max: usize },
}
