//! CMAF: initialisation segments and chunks (ISO/IEC 14496-12, 23000-19), written into one buffer each.
//!
//! There are no edit lists, because players disagree about them in fragments. Decode times are the source's own, and a
//! frame's composition offset is what it is late by; the offsets are signed, so that a duration which was estimated too
//! long is made good by the following frame.

mod boxes;
mod chunk;
mod init;
mod still;

pub(crate) use chunk::{Chunk, Reference, Timed};
pub(crate) use init::init;
pub(crate) use still::still;

/// Every file holds one track.
const TRACK_ID: u32 = 1;
