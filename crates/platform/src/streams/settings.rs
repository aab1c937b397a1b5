use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::ladder::Ladder;
use crate::platform::Options;

/// How far behind the source viewers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    /// As little as players can.
    #[default]
    Low,
    /// Some seconds more, for weak networks.
    Normal,
}

/// What becomes of a second source with a key of the same stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Takeover {
    /// It takes over.
    #[default]
    Replace,
    /// It is refused while the first is healthy.
    Refuse,
}

/// How the broadcasts of a stream are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = StreamSettings, default)]
pub struct Settings {
    /// How far behind the source viewers are.
    pub latency: Latency,
    /// How many seconds a broadcast waits for a source that was cut off; none: as the server's configuration says.
    #[schema(maximum = 1800)]
    pub reconnect_s: Option<u32>,
    /// What becomes of a second source.
    pub takeover: Takeover,
    /// Which qualities viewers get beside the source.
    pub ladder: Ladder,
}

/// The longest that a broadcast may wait for its source, in seconds.
pub const RECONNECT_S_MAX: u32 = 1_800;
/// Where the ladder stands in a request.
const LADDER_AT: &str = "/settings/ladder";
/// Targets for viewers who are not in a hurry.
const NORMAL_PART: Duration = Duration::from_secs(1);
const NORMAL_SEGMENT: Duration = Duration::from_secs(4);

impl Settings {
    /// Refuses what cannot be anywhere.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check(&self) -> Result<()> {
        if self.reconnect_s.is_some_and(|seconds| seconds > RECONNECT_S_MAX) {
            return Err(Error::field("/settings/reconnect_s", "at most 1800 seconds"));
        }
        self.ladder.check(LADDER_AT)
    }

    /// Refuses what this server does not have.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn check_here(&self, options: &Options) -> Result<()> {
        self.ladder.check_here(LADDER_AT, options)
    }

    /// What the hub runs a broadcast with, where `base` is what the configuration says.
    pub fn over(&self, base: &hub::Settings) -> hub::Settings {
        let (part, segment) = match self.latency {
            Latency::Low => (base.part, base.segment),
            Latency::Normal => (base.part.max(NORMAL_PART), base.segment.max(NORMAL_SEGMENT)),
        };
        let reconnect = self
            .reconnect_s
            .map_or(base.reconnect, |seconds| Duration::from_secs(seconds.into()));
        hub::Settings {
            window: base.window,
            part,
            segment,
            reconnect,
            takeover: match self.takeover {
                Takeover::Replace => hub::Takeover::Replace,
                Takeover::Refuse => hub::Takeover::Refuse,
            },
            ladder: self.ladder.over(&base.ladder),
        }
    }
}
