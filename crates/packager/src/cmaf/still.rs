//! One key frame as a tiny MP4 of its own.

use bytes::{Bytes, BytesMut};
use media::Kind;

use super::chunk::{Chunk, Timed};

/// The initialisation segment and one key frame of a second, for posters and tiles.
pub(crate) fn still(init: &[u8], key_frame: Bytes, timescale: u32) -> Bytes {
    let sample = Timed {
        dts: 0,
        pts: 0,
        duration: timescale,
        keyframe: true,
        data: key_frame,
    };
    let chunk = Chunk {
        sequence: 1,
        kind: Kind::Video,
        samples: &[sample],
        reference: None,
    };
    let mut out = BytesMut::from(init);
    out.extend_from_slice(&chunk.write());
    out.freeze()
}
