//! What is known of a broadcast's ladder: which qualities it shall have, which are planned, and how each of them does.

use std::sync::Arc;

use media::{FrameRate, TrackId};

/// Which qualities a broadcast shall have beside its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ladder {
    /// None: the source alone.
    #[default]
    Off,
    /// Those of a preset by this name.
    Preset(Arc<str>),
    /// These very ones, the best first.
    Rungs(Arc<[Rung]>),
    /// Those that whoever is asked answers with; those of the preset where no answer comes.
    Asked {
        /// The preset that stands in.
        otherwise: Arc<str>,
    },
}

/// One quality that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What it is called: `720p`. Unique in its ladder.
    pub name: Arc<str>,
    /// Pixels of the shorter side of its picture.
    pub size: u32,
    /// Frames per second at most.
    pub frame_rate_max: u32,
    /// Bits per second of its picture, on average.
    pub bitrate: u32,
    /// How it is encoded.
    pub codec: Codec,
}

/// What a rung's picture is encoded as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264: plays everywhere.
    #[default]
    Avc,
    /// H.265.
    Hevc,
    /// AOMedia Video 1.
    Av1,
}

/// How the rungs of a broadcast do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LadderReport {
    /// Each rung that was asked for, the best first.
    pub rungs: Vec<RungReport>,
    /// What the owner should know of the whole, in a sentence.
    pub notice: Option<String>,
}

/// How one rung does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungReport {
    /// The track that it is published as.
    pub track: TrackId,
    /// What it is called.
    pub name: Arc<str>,
    /// Width of its picture, in pixels.
    pub width: u32,
    /// Height of its picture, in pixels.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: Option<FrameRate>,
    /// Bits per second of its picture, on average.
    pub bitrate: u32,
    /// The encoder by its name: `libx264`.
    pub encoder: String,
    /// What it was thought to cost, in thousandths of a processor.
    pub cost: u32,
    /// Where it is in its life.
    pub state: RungState,
}

/// Where a rung is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RungState {
    /// Its encoder runs, and nothing came of it yet.
    Starting,
    /// It is made.
    Running,
    /// It is not made; the text says why.
    Dropped(String),
}
