//! The whole crate with the real ffmpeg.

mod changes;
mod clip;
mod rungs;
mod sound;
mod troubles;
mod world;
