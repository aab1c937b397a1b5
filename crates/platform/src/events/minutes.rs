use std::collections::HashMap;

use hub::{BroadcastId, Health};

use crate::clock::Time;
use crate::streams::health::Sample;

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;
/// Samples of a minute: one a second, and one more where the ticks shift.
const SAMPLES_MAX: usize = 61;

fn sample(health: &Health, at: Time) -> Sample {
    let millis = |span: std::time::Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
    Sample {
        at: at.0,
        bitrate: health.bitrate,
        frame_rate: (health.frame_rate * 100.0).round() / 100.0,
        keyframe_ms: health.keyframe_interval.map(millis),
        backlog_ms: millis(health.backlog),
        timestamp_jumps: health.timestamp_jumps,
    }
}

/// The minute of each broadcast that is not over.
#[derive(Debug, Default)]
pub(crate) struct Minutes(HashMap<BroadcastId, Minute>);

/// A minute of a broadcast's source.
#[derive(Clone, Debug)]
pub(crate) struct Minute {
    pub(super) broadcast: BroadcastId,
    /// When it began.
    pub(super) start: Time,
    pub(super) samples: Vec<Sample>,
}

impl Minutes {
    /// Adds a second; returns the minute before, if this is the first of another.
    pub(super) fn add(&mut self, broadcast: &BroadcastId, health: &Health, now: Time) -> Option<Minute> {
        let start = Time(now.0 - now.0.rem_euclid(MINUTE));
        let minute = self.0.entry(broadcast.clone()).or_insert_with(|| Minute {
            broadcast: broadcast.clone(),
            start,
            samples: Vec::new(),
        });
        let before = (minute.start != start).then(|| {
            let next = Minute {
                broadcast: broadcast.clone(),
                start,
                samples: Vec::new(),
            };
            std::mem::replace(minute, next)
        });
        if minute.samples.len() < SAMPLES_MAX {
            minute.samples.push(sample(health, now));
        }
        before
    }

    /// The seconds of this minute so far.
    pub(crate) fn of(&self, broadcast: &BroadcastId) -> Vec<Sample> {
        self.0
            .get(broadcast)
            .map_or_else(Vec::new, |minute| minute.samples.clone())
    }

    /// The newest second.
    pub(crate) fn last(&self, broadcast: &BroadcastId) -> Option<Sample> {
        self.0.get(broadcast)?.samples.last().cloned()
    }

    /// Ends a broadcast's minute.
    pub(super) fn end(&mut self, broadcast: &BroadcastId) -> Option<Minute> {
        self.0.remove(broadcast)
    }

    /// Ends all of them.
    pub(super) fn end_all(&mut self) -> Vec<Minute> {
        self.0.drain().map(|(_, minute)| minute).collect()
    }

    /// As far as they have come: a source that left may return within the minute.
    pub(super) fn so_far(&self, broadcast: &BroadcastId) -> Option<Minute> {
        self.0.get(broadcast).cloned()
    }
}
