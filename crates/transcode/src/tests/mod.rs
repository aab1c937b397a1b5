//! The whole crate with the real ffmpeg.

mod clip;
mod rungs;
mod troubles;
mod world;
