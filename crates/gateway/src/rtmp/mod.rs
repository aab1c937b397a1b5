//! RTMP and RTMPS: one task for each connection.
//!
//! A publisher's task reads into a buffer that it shares with its thread, feeds a session and pushes samples to the hub.
//! A player's task holds a position in the [`feed`] of its broadcast, where each message is cut into chunks once for all
//! players: it is woken once for each video frame and writes all that is new in one call.

mod admission;
mod connection;
mod feed;
mod ingest;
mod introduction;
mod options;
mod play;
mod publish;
mod server;
mod socket;
mod stats;
mod tick;

pub use ingest::Ingest;
pub use options::Options;
pub use server::RtmpServer;
pub use stats::{Gauge, Stats};
