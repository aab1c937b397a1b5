//! Which qualities are made of a source: from what it is and what is asked for, to the pictures to encode.

mod level;
mod preset;
mod shape;

pub use preset::{Preset, Speed, find, presets};
pub use shape::{RUNGS_MAX, Shape, Source, Wanted, shapes};
