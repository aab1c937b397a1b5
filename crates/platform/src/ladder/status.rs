//! How the rungs of a running broadcast do, as its owner reads it.

use hub::{LadderReport, RungReport};
use media::FrameRate;
use serde::Serialize;
use utoipa::ToSchema;

/// How the rungs of a broadcast do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = LadderStatus)]
pub struct Status {
    /// Each rung that was asked for, the best first.
    pub rungs: Vec<RungStatus>,
    /// What whoever runs the stream should know of the whole.
    pub notice: Option<String>,
}

/// How one rung does.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RungStatus {
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
    /// What it was thought to cost, in thousandths of a processor.
    pub cost: u32,
    /// Where it is in its life.
    pub state: RungState,
    /// Why it is not made.
    pub reason: Option<String>,
}

/// Where a rung is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RungState {
    /// Its encoder runs, and nothing came of it yet.
    Starting,
    /// It is made.
    Running,
    /// It is not made.
    Dropped,
}

impl From<&LadderReport> for Status {
    fn from(report: &LadderReport) -> Self {
        Self {
            rungs: report.rungs.iter().map(RungStatus::from).collect(),
            notice: report.notice.clone(),
        }
    }
}

impl From<&RungReport> for RungStatus {
    fn from(rung: &RungReport) -> Self {
        let (state, reason) = match &rung.state {
            hub::RungState::Starting => (RungState::Starting, None),
            hub::RungState::Running => (RungState::Running, None),
            hub::RungState::Dropped(reason) => (RungState::Dropped, Some(reason.clone())),
        };
        Self {
            name: rung.name.to_string(),
            width: rung.width,
            height: rung.height,
            frame_rate: rung.frame_rate.map(per_second),
            bitrate: rung.bitrate,
            encoder: rung.encoder.clone(),
            cost: rung.cost,
            state,
            reason,
        }
    }
}

/// Frames per second to the thousandth: 29.97.
pub(super) fn per_second(rate: FrameRate) -> f64 {
    (rate.per_second() * 1_000.0).round() / 1_000.0
}
