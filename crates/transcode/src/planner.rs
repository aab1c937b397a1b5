//! Whoever is asked which ladder a broadcast shall have.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hub::{Broadcast, Health, Rung};
use media::{FrameRate, VideoCodec, VideoParameters};

/// What is known of a source when its ladder is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its codec.
    pub codec: VideoCodec,
    /// The codec as RFC 6381 names it.
    pub codec_string: String,
    /// Width of the displayed picture, in pixels.
    pub width: u32,
    /// Height of the displayed picture, in pixels.
    pub height: u32,
    /// Frames per second, where known.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second of the whole source, where it was measured yet.
    pub bitrate: Option<u64>,
}

impl Measured {
    pub(crate) fn of(source: &VideoParameters, health: Option<&Health>) -> Self {
        Self {
            codec: source.codec,
            codec_string: source.codec_string.clone(),
            width: source.width,
            height: source.height,
            frame_rate: source.frame_rate,
            bitrate: health.map(|health| health.bitrate),
        }
    }
}

/// The rungs that are answered, or why there is no answer.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Rung>, String>> + Send + 'a>>;

/// Answers which rungs a broadcast shall have.
pub trait Planner: Send + Sync + 'static {
    /// Asked when the source is known, and again when it changes. It has two seconds.
    fn plan<'a>(&'a self, broadcast: &'a Arc<Broadcast>, measured: &'a Measured) -> Answer<'a>;
}

/// Answers nobody: the preset stands in.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlanner;

impl Planner for NoPlanner {
    fn plan<'a>(&'a self, _: &'a Arc<Broadcast>, _: &'a Measured) -> Answer<'a> {
        Box::pin(async { Err("nobody is asked on this server".to_owned()) })
    }
}
