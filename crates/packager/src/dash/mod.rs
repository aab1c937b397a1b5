//! DASH manifests (ISO/IEC 23009-1) of the very segments that HLS playlists list.
//!
//! A [`Timeline`] is told of every window and divides the broadcast into Periods. While key frames are regular, a Period
//! names its segments by number and duration, so that players ask for a segment while it grows, and nobody needs a new
//! manifest for each (DASH-IF low-latency live, version 5). Where they are not, a Period lists whole segments one by one
//! and claims no low latency. Discontinuities begin a Period too.

mod adaptation;
mod mpd;
mod period;
mod regularity;
mod timeline;
mod xml;

pub use timeline::Timeline;
