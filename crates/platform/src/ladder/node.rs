//! How this node encodes, as whoever does it says.

use hub::BroadcastId;
use serde::Serialize;
use utoipa::ToSchema;

use super::Codec;

/// How a node encodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// What it encodes with.
    pub budget: Budget,
    /// Every encoder that a ladder may use.
    pub encoders: Vec<Encoder>,
    /// What it encodes now.
    pub jobs: Vec<Job>,
}

/// The processors that all encoding shares, in thousandths of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TranscodingBudget)]
pub struct Budget {
    /// All there is.
    pub total: u32,
    /// What is taken.
    pub used: u32,
}

/// An encoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TranscodingEncoder)]
pub struct Encoder {
    /// Its name: `libx264`.
    pub name: String,
    /// What it runs on: `software`, `nvenc`, `vaapi`, `qsv`.
    pub family: String,
    /// What it makes.
    pub codec: Codec,
    /// Whether it works here; none where it was not tried.
    pub works: Option<bool>,
    /// Why it does not.
    pub reason: Option<String>,
}

/// The encoding of one broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub broadcast: BroadcastId,
    /// What it takes of the budget, in thousandths of a processor.
    pub cost: u32,
    /// What it really took in the last seconds, in thousandths of a processor. None before that is known.
    pub measured: Option<u32>,
}
