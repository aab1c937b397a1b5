//! Sockets of publishers and of sub-second viewers: one adapter into the hub and one out of it for each protocol.
//!
//! The protocols themselves are values in crates of their own; what stands here reads, writes and waits.

pub mod flv;
pub mod rtmp;
