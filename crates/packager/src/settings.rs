//! What a broadcast's packaging is told at its start.

use std::time::Duration;

use crate::Targets;

/// How one broadcast is packaged. Nothing of it changes while the broadcast lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Target length of a part.
    pub part: Duration,
    /// Target length of a segment.
    pub segment: Duration,
    /// What live playlists list at most.
    pub window: Duration,
    /// Microseconds since 1970 of media time 0.
    pub started_micros: i64,
    /// The numbers to begin with.
    pub numbering: Numbering,
    /// What the last broadcast of the same stream showed.
    pub learned: Option<Learned>,
    /// Set when the server was restarted in mid-broadcast: the targets of then stay, and the first segment begins with a
    /// discontinuity.
    pub resumed: Option<Targets>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            part: Duration::from_millis(333),
            segment: Duration::from_secs(2),
            window: Duration::from_secs(60),
            started_micros: 0,
            numbering: Numbering::default(),
            learned: None,
            resumed: None,
        }
    }
}

/// The next number of each sequence. A packager counts up from those it is given; who keeps them on disk hands them out
/// in blocks, so that after a crash no number comes twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    /// Media sequence number of the next segment.
    pub segment: u64,
    /// Number of the next part.
    pub part: u64,
    /// Discontinuity sequence number.
    pub discontinuity: u64,
}

impl Numbering {
    /// The larger number of each sequence.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            segment: self.segment.max(other.segment),
            part: self.part.max(other.part),
            discontinuity: self.discontinuity.max(other.discontinuity),
        }
    }
}

/// What one broadcast showed of its encoder, to size the segments of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The longest time between two key frames, in milliseconds.
    pub key_interval_ms: u32,
    /// What the encoder itself said it could be, in milliseconds. If it says something else next time, its settings were
    /// changed, and what was seen no longer counts.
    pub stated_ms: Option<u32>,
}
