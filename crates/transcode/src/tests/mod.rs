//! The whole crate with the real ffmpeg.

mod clip;
mod rungs;
mod sound;
mod troubles;
mod world;
