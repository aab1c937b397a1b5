//! What would become of a ladder, as whoever makes it foresees it.

use hub::BroadcastId;
use serde::Serialize;
use utoipa::ToSchema;

use super::node::Budget;
use super::source::Source;

/// What is asked: which rungs would there be?
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The ladder that is asked for. It is never [`hub::Ladder::Asked`]: whoever is to be asked has answered.
    pub ladder: hub::Ladder,
    /// What it would be made of.
    pub source: Source,
    /// The stream's broadcast that runs now: what it takes of the budget would be free for this.
    pub running: Option<BroadcastId>,
}

/// What viewers would get beside the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = LadderPreview)]
pub struct Preview {
    /// The rungs, the best first.
    pub rungs: Vec<PlannedRung>,
    /// What decoding the source would cost, in thousandths of a processor.
    pub decode_cost: u32,
    /// What the node encodes with.
    pub budget: Budget,
    /// What whoever runs the stream should know of the whole.
    pub notice: Option<String>,
}

/// One rung as it would be.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlannedRung {
    /// What it is called.
    pub name: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second, where known.
    pub frame_rate: Option<f64>,
    /// Bits per second, on average.
    pub bitrate: u32,
    /// The encoder by its name: `libx264`.
    pub encoder: String,
    /// What it would cost, in thousandths of a processor.
    pub cost: u32,
    /// Why the node could not carry it now; none where it could.
    pub reason: Option<String>,
}

impl Preview {
    /// Where nobody makes ladders.
    pub(super) fn of_nobody() -> Self {
        Self {
            notice: Some("this server makes no further qualities: viewers get the source alone".into()),
            ..Self::default()
        }
    }

    /// Puts something before what is said already.
    pub(crate) fn say(&mut self, first: String) {
        self.notice = Some(match self.notice.take() {
            Some(rest) => format!("{first}; {rest}"),
            None => first,
        });
    }
}
