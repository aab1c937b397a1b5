//! Further qualities of a broadcast, made by ffmpeg.
//!
//! A child per broadcast: frames of the main picture go into it as they come, and each rung of the ladder comes out of a pipe of its own.
//! A rung's frame stands at the very time of the source's frame that it was made from.

mod admission;
mod arguments;
mod audio;
mod bitstream;
mod child;
mod cost;
mod encoder;
mod forecast;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod isolation;
mod job;
pub mod ladder;
mod matroska;
mod meter;
mod nut;
mod own_options;
mod planner;
mod policy;
mod priority;
mod published;
mod rung;
mod running;
#[cfg(test)]
mod tests;
mod times;
mod transcoder;
mod usage;
mod video;
mod works;

pub use encoder::{ENCODERS, Encoder, Family, Found, Probe, has_opus, probe};
pub use forecast::{Forecast, Foreseen};
pub use own_options::{OwnOptions, Refused};
pub use planner::{Answer, Measured, NoPlanner, Planner};
pub use transcoder::{Load, Options, Transcoder, cpu_budget_of};
