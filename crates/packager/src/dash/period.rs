//! A stretch of the broadcast that one set of rules describes.

use crate::time::rescale;
use crate::window::Segment;

/// A clock that is so little off from one Period to the next is taken to be the same: no gap, no overlap.
const SAME_CLOCK_MILLIS: u64 = 100;

/// A Period of the manifest. Nothing of it changes once players know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The number of the segment that it began with, since numbers never come twice.
    pub(super) id: u64,
    /// The number of its first segment.
    pub(super) first: u64,
    pub(super) discontinuity: u64,
    /// Presentation time of its first sample, on the broadcast's timeline.
    pub(super) time: i64,
    pub(super) timescale: u32,
    /// Milliseconds by which the source's clock was behind the server's when the Period began: so much later than its
    /// media time does it stand in the presentation. A source whose clock runs slow would otherwise be asked for more
    /// than it has made.
    pub(super) shift_millis: i64,
    /// When the encoder made its first sample, in milliseconds since 1970.
    pub(super) wall_millis: i64,
    pub(super) shape: Shape,
}

/// How a Period names its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each lasts so many ticks of the Period's timescale.
    Regular { length: i64 },
    /// One by one.
    Listed,
}

impl Period {
    /// A Period that begins with `segment`; `started_millis` is the wall-clock time of media time 0.
    pub(super) fn new(segment: &Segment, started_millis: i64, shape: Shape, before: Option<&Self>) -> Self {
        let shift = shift_millis(segment, started_millis);
        let same = before.map(|before| before.shift_millis);
        let same = same.filter(|same| shift.abs_diff(*same) <= SAME_CLOCK_MILLIS);
        Self {
            id: segment.number,
            first: segment.number,
            discontinuity: segment.discontinuity,
            time: time(segment),
            timescale: segment.timescale.max(1),
            shift_millis: same.unwrap_or(shift),
            wall_millis: segment.date_time.0,
            shape,
        }
    }

    /// The same Period as if it began with a later segment; a list does so by itself.
    pub(super) fn from(&self, number: u64) -> Self {
        let Shape::Regular { length } = self.shape else {
            return self.clone();
        };
        let skipped = i64::try_from(number.saturating_sub(self.first)).unwrap_or(0);
        Self {
            first: self.first.max(number),
            time: self.time.saturating_add(skipped.saturating_mul(length)),
            ..self.clone()
        }
    }

    /// Where it begins in the presentation, in microseconds.
    pub(super) fn start_micros(&self) -> i64 {
        self.micros(self.time).saturating_add(self.shift_millis * 1_000).max(0)
    }

    /// A time on the broadcast's timeline, in microseconds from that of its first sample.
    pub(super) fn micros_from_start(&self, time: i64, timescale: u32) -> i64 {
        rescale(time, timescale, 1_000_000) - self.micros(self.time)
    }

    /// How far `segment` is from where the Period's rule has it, in ticks.
    pub(super) fn error(&self, segment: &Segment) -> i64 {
        let Shape::Regular { length } = self.shape else {
            return 0;
        };
        let place = i64::try_from(segment.number.saturating_sub(self.first)).unwrap_or(i64::MAX);
        time(segment) - self.time - place.saturating_mul(length)
    }

    fn micros(&self, ticks: i64) -> i64 {
        rescale(ticks, self.timescale, 1_000_000)
    }
}

/// Presentation time of a segment's first sample.
pub(super) fn time(segment: &Segment) -> i64 {
    segment.start.saturating_add(segment.presentation_delay)
}

/// How much later than its media time says a segment was made.
pub(super) fn shift_millis(segment: &Segment, started_millis: i64) -> i64 {
    let media = rescale(time(segment), segment.timescale, 1_000);
    segment.date_time.0.saturating_sub(started_millis).saturating_sub(media)
}
