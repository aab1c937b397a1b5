//! Samples in; CMAF parts and segments, HLS playlists and DASH manifests out.
//!
//! A [`Packager`] is one broadcast's: it is fed with what its sources send, and gives out a [`Window`], an immutable
//! snapshot of all that can be had. Playlists are texts made from a window ([`hls`]); whether a request for one can be
//! answered yet is a judgement on a window ([`request`]). Nothing here names a socket, file, task, clock or random source:
//! bytes and time are arguments.

mod bandwidth;
mod cadence;
mod cmaf;
pub mod dash;
mod followers;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod hls;
mod key_interval;
mod packager;
mod qualities;
pub mod request;
mod segmenter;
mod settings;
mod shelf;
mod targets;
#[cfg(any(test, feature = "fuzz"))]
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod track;
pub mod window;

pub use bandwidth::Bandwidth;
pub use packager::{Input, Packager};
pub use settings::{Learned, Numbering, Settings};
pub use targets::Targets;
pub use time::{DateTime, Span};
pub use window::Window;
