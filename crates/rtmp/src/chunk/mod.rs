//! The chunk stream (§5.3): messages cut into pieces, so that several can be on their way at once.

mod header;
mod reader;
mod writer;

pub use reader::Reader;
pub use writer::{Chunked, Envelope, append};

/// What both sides use until they say otherwise.
pub const DEFAULT_SIZE: usize = 128;

/// The header's 24-bit time field when the time stands behind the header.
const EXTENDED: u32 = 0xff_ffff;
