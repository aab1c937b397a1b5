//! The qualities that viewers get beside the source: as a stream asks for them, as they do, and as they would be. They are made elsewhere;
//! whoever makes them is asked through [`Seams`].

mod node;
mod preview;
mod setting;
mod source;
mod status;
pub mod webhook;

use std::fmt;
use std::sync::OnceLock;

use crate::platform::Shared;

pub use node::{Budget, Encoder, Job, Node};
pub use preview::{PlannedRung, Preview, Question};
pub use setting::{BITRATES, Codec, FRAME_RATES, Ladder, PRESET_NAME_MAX, RUNG_NAME_MAX, RUNGS_MAX, Rung, SIZES};
pub use source::{Source, SourceCodec};
pub(crate) use source::{of_stream, shown};
pub use status::{RungState, RungStatus, Status};
pub use webhook::Webhook;

/// The preset of servers that name no other.
pub const PRESET_DEFAULT: &str = "default";
/// The presets that every server has.
pub const PRESETS: [&str; 4] = [PRESET_DEFAULT, "low-latency", "mobile", "high"];

/// Whoever makes ladders, as far as the platform asks. Where nobody does, every answer is an empty one.
#[derive(Default)]
pub struct Seams {
    preview: OnceLock<Box<PreviewBy>>,
    node: OnceLock<Box<NodeBy>>,
}

type PreviewBy = dyn Fn(&Question) -> Preview + Send + Sync;
type NodeBy = dyn Fn() -> Node + Send + Sync;

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seams")
    }
}

impl Shared {
    /// Tells the platform who knows what becomes of a ladder. It must answer at once.
    pub fn preview_ladder_by(&self, preview: impl Fn(&Question) -> Preview + Send + Sync + 'static) {
        let _ = self.transcoding.preview.set(Box::new(preview));
    }

    /// What viewers would get; nothing where nobody makes ladders.
    pub fn preview_ladder(&self, question: &Question) -> Preview {
        let preview = self.transcoding.preview.get();
        preview.map_or_else(Preview::of_nobody, |preview| preview(question))
    }

    /// Tells the platform who knows how this node encodes. It must answer at once.
    pub fn ask_of_transcoding(&self, tell: impl Fn() -> Node + Send + Sync + 'static) {
        let _ = self.transcoding.node.set(Box::new(tell));
    }

    /// How this node encodes; `None` where it does not.
    pub fn transcoding(&self) -> Option<Node> {
        self.transcoding.node.get().map(|tell| tell())
    }
}
