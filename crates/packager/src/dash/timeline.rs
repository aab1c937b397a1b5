//! A broadcast divided into Periods, as its segments begin.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::mpd;
use super::period::{self, Period, Shape};
use super::regularity::Regularity;
use crate::Window;
use crate::window::{Rendition, Segment};

/// A segment of a regular Period may begin so much of its length off; half of it is what the specification bears.
const OFF_PARTS: i64 = 8;
/// The source's clock may run away so far from the server's before a Period puts it right.
const SHIFT_MAX_MILLIS: i64 = 500;
/// After so many segments a regular Period has kept its promise.
const KEPT_PROMISE: u64 = 30;

/// What a broadcast's manifests are written from, beside its window.
///
/// It must see the windows in order, and none may be left out for longer than segments are kept: Periods that players
/// know stay as they are. It costs next to nothing while no segment begins or ends.
#[derive(Debug)]
pub struct Timeline {
    depth: Duration,
    periods: VecDeque<Period>,
    regularity: Regularity,
    newest: Option<Begun>,
    seen: Option<Seen>,
}

/// The newest segment that has begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    number: u64,
    discontinuity: u64,
    time: i64,
}

/// What the manifest depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    begun: Option<u64>,
    wholes: [Option<u64>; 2],
    ended: bool,
}

impl Timeline {
    /// A timeline of a broadcast whose playlists list `depth`.
    pub fn new(depth: Duration) -> Self {
        Self {
            depth,
            periods: VecDeque::new(),
            regularity: Regularity::default(),
            newest: None,
            seen: None,
        }
    }

    /// Takes note of a window; whether the manifest is now another than before.
    pub fn observe(&mut self, window: &Window) -> bool {
        let Some(leader) = leader(window) else { return false };
        let after = self.newest.map(|newest| newest.number);
        let is_new = |segment: &&Arc<Segment>| after.is_none_or(|after| segment.number > after);
        let begun: Vec<_> = leader.segments().rev().take_while(is_new).collect();
        let with_parts = begun.into_iter().rev().filter(|segment| !segment.parts.is_empty());
        let started_millis = window.started_micros.div_euclid(1_000);
        for segment in with_parts {
            self.begin(segment, started_millis);
        }
        self.forget(leader);
        let seen = Seen {
            begun: self.newest.map(|newest| newest.number),
            wholes: [&window.video, &window.audio].map(|track| track.as_ref().map(|track| track.next_whole())),
            ended: window.ended,
        };
        self.seen.replace(seen) != Some(seen)
    }

    /// Writes the manifest of the window that was observed last; `None` as long as it would hold nothing.
    ///
    /// `folder` is what leads from the manifest to the renditions' folders, with its slash: `colors/ID/`. `normal` leaves
    /// out all that is there for low latency.
    pub fn mpd(&self, window: &Window, folder: &str, normal: bool) -> Option<String> {
        let periods: Vec<&Period> = self.periods.iter().collect();
        mpd::write(window, &periods, self.depth, folder, normal)
    }

    fn begin(&mut self, segment: &Segment, started_millis: i64) {
        let time = period::time(segment);
        match self.newest.filter(|newest| newest.discontinuity == segment.discontinuity) {
            Some(newest) => self.regularity.push(time - newest.time),
            None => self.regularity.reset(),
        }
        if let Some(shape) = self.new_shape(segment, started_millis) {
            self.periods.push_back(Period::new(segment, started_millis, shape));
        }
        self.newest = Some(Begun {
            number: segment.number,
            discontinuity: segment.discontinuity,
            time,
        });
    }

    /// The shape of the Period that begins with this segment, if one does.
    fn new_shape(&mut self, segment: &Segment, started_millis: i64) -> Option<Shape> {
        let current = self.periods.back().filter(|current| current.discontinuity == segment.discontinuity);
        let Some(current) = current else {
            return Some(Shape::Listed);
        };
        let run_away = period::shift_millis(segment, started_millis) - current.shift_millis;
        let independent = segment.independent();
        let settled = self.regularity.settled().filter(|_| independent).map(|length| Shape::Regular { length });
        match current.shape {
            Shape::Listed if settled.is_some() => settled,
            Shape::Regular { length } if !independent || current.error(segment).abs() > length / OFF_PARTS => {
                if segment.number - current.first >= KEPT_PROMISE {
                    self.regularity.forgive();
                }
                // Lengths that are a little off add up; then it is enough to count anew.
                if settled.is_none() {
                    self.regularity.disappoint();
                }
                Some(settled.unwrap_or(Shape::Listed))
            }
            shape if run_away.abs() > SHIFT_MAX_MILLIS => Some(shape),
            _ => None,
        }
    }

    /// Drops the Periods of which nothing is listed any more.
    fn forget(&mut self, leader: &Rendition) {
        let first = leader.listed().first().map_or(leader.next_whole(), |segment| segment.number);
        while self.periods.get(1).is_some_and(|second| second.first <= first) {
            self.periods.pop_front();
        }
    }
}

/// The rendition that decides where segments begin.
pub(super) fn leader(window: &Window) -> Option<&Rendition> {
    window.renditions().next().map(Arc::as_ref)
}
