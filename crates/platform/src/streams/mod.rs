//! Live streams: the lasting points of ingest, of a channel or alone. A broadcast is one run of a stream.

pub mod keys;
mod settings;

pub use settings::{Latency, Settings, Takeover};
