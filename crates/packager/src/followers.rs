//! Tracks beside the main ones: other qualities of the picture, other sounds.
//!
//! The main track that leads decides where segments begin. The others have segments of the same numbers that begin with the
//! same frame's time. One that comes too late, or not at all, leaves a gap in its own playlist and harms no other.

use std::collections::VecDeque;
use std::sync::Arc;

use media::{Kind, Parameters, Sample, TrackId};

use crate::time::rescale;
use crate::track::{Begins, Due, Track};
use crate::window::{Rendition, Version};
use crate::{Numbering, Settings, Targets};

/// A segment that has not come so long after its end is a gap.
const LATE_MICROS: i64 = 2_000_000;
/// Beginnings of segments that a newcomer may still need.
const BEGUN_MAX: usize = 8;
/// Frames that wait for the leader.
const HELD_MAX: usize = 1_024;

/// All tracks that follow the leader.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    followers: Vec<Follower>,
    /// The leader's newest segments.
    begun: VecDeque<Due>,
    /// Decode time of the leader's newest frame, in microseconds.
    leader: Option<i64>,
    targets: Option<Targets>,
}

#[derive(Debug)]
struct Follower {
    track: Track,
    /// Frames whose time the leader has not come to: only then is it known which segment they belong to.
    held: VecDeque<Sample>,
    /// Segments that the leader has begun after `current`.
    dues: VecDeque<Due>,
    /// The segment whose time it is.
    current: Option<Due>,
    /// Whether the track is in that segment, from its beginning on.
    making: bool,
    /// Whether the segment before that was made too.
    made: bool,
    /// Nothing is expected of it.
    lost: bool,
}

impl Followers {
    /// Takes a track's parameters.
    pub(crate) fn configure(&mut self, id: TrackId, parameters: Parameters, settings: &Settings, discontinuity: u64) {
        let follower = self.find_or_add(id, &parameters, settings, discontinuity);
        follower.lost = false;
        if !follower.track.is_configured(&parameters) {
            follower.track.configure(parameters, discontinuity);
            // What comes now cannot be decoded with what the segment began with.
            follower.making = false;
        }
    }

    /// Nothing will come of a track: gaps follow. `like` stands in where nothing ever came.
    pub(crate) fn lose(&mut self, id: TrackId, like: &Parameters, settings: &Settings, discontinuity: u64) {
        self.find_or_add(id, like, settings, discontinuity).lost = true;
    }

    /// Takes a frame.
    pub(crate) fn sample(&mut self, id: TrackId, sample: Sample, clock: i64) {
        let (leader, settled) = (self.leader, self.targets.is_some());
        let Some(follower) = self.followers.iter_mut().find(|follower| follower.track.id() == id) else {
            return;
        };
        if follower.held.len() < HELD_MAX {
            follower.held.push_back(sample);
        }
        if settled {
            follower.release(leader, clock);
        }
    }

    /// The leader has begun a segment.
    pub(crate) fn begun(&mut self, due: Due) {
        if self.begun.len() == BEGUN_MAX {
            self.begun.pop_front();
        }
        self.begun.push_back(due);
        for follower in &mut self.followers {
            follower.dues.push_back(due);
            // One of which nothing ever came begins with what is now.
            if follower.current.is_none() && follower.dues.len() > BEGUN_MAX {
                follower.dues.pop_front();
            }
        }
    }

    /// The leader's newest frame is at this decode time.
    pub(crate) fn advance(&mut self, leader: i64, clock: i64) {
        self.leader = Some(leader);
        if self.targets.is_none() {
            return;
        }
        for follower in &mut self.followers {
            follower.release(Some(leader), clock);
            follower.give_up(leader, clock);
        }
    }

    /// Takes the targets, once they are chosen.
    pub(crate) fn settle(&mut self, targets: Targets) {
        self.targets = Some(targets);
        for follower in &mut self.followers {
            follower.track.settle(&targets);
        }
    }

    /// Nothing more will come.
    pub(crate) fn finish(&mut self, clock: i64) {
        for follower in &mut self.followers {
            follower.release(Some(i64::MAX), clock);
            follower.track.finish();
        }
    }

    pub(crate) fn numbering(&self) -> impl Iterator<Item = Numbering> {
        self.followers.iter().map(|follower| follower.track.numbering())
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = Version> {
        self.shown().map(|follower| follower.track.version())
    }

    pub(crate) fn snapshots(&mut self, targets: &Targets) -> Arc<[Arc<Rendition>]> {
        let shown = self.followers.iter_mut().filter(|follower| follower.is_shown());
        shown.map(|follower| follower.track.snapshot(targets)).collect()
    }

    fn shown(&self) -> impl Iterator<Item = &Follower> {
        self.followers.iter().filter(|follower| follower.is_shown())
    }

    fn find_or_add(
        &mut self,
        id: TrackId,
        parameters: &Parameters,
        settings: &Settings,
        discontinuity: u64,
    ) -> &mut Follower {
        let place = self.followers.partition_point(|follower| follower.track.id() < id);
        if self
            .followers
            .get(place)
            .is_none_or(|follower| follower.track.id() != id)
        {
            let mut track = Track::new(id, parameters.clone(), settings, discontinuity);
            if let Some(targets) = &self.targets {
                track.settle(targets);
            }
            self.followers.insert(place, Follower::new(track, &self.begun));
        }
        &mut self.followers[place]
    }
}

impl Follower {
    /// It begins with the segment that the leader is in.
    fn new(track: Track, begun: &VecDeque<Due>) -> Self {
        Self {
            track,
            held: VecDeque::new(),
            dues: begun.back().copied().into_iter().collect(),
            current: None,
            making: false,
            made: false,
            lost: false,
        }
    }

    /// Whether there is anything to list.
    fn is_shown(&self) -> bool {
        self.track.has_part()
    }

    /// Takes the frames whose time the leader has come to.
    fn release(&mut self, leader: Option<i64>, clock: i64) {
        let Some(leader) = leader else { return };
        let timescale = self.track.timescale();
        while let Some(first) = self.held.front()
            && rescale(first.dts, timescale, 1_000_000) <= leader
        {
            let Some(sample) = self.held.pop_front() else { return };
            self.place(sample, clock);
        }
    }

    fn place(&mut self, sample: Sample, clock: i64) {
        let timescale = self.track.timescale();
        let time = |due: &Due| rescale(due.time, due.timescale, timescale);
        while let Some(due) = self.dues.front().copied().filter(|due| time(due) <= sample.pts()) {
            self.dues.pop_front();
            self.step_to(due, clock);
        }
        let Some(current) = self.current else { return };
        if self.making {
            self.track.push(sample, None, clock);
            return;
        }
        let frame = match self.track.id().kind {
            Kind::Video => self.track.frame_ticks() / 2,
            Kind::Audio => self.track.frame_ticks(),
        };
        // Whoever comes from outside needs a key frame, and nobody a segment without its beginning.
        if !(sample.keyframe || self.made)
            || self.track.has_made(current.number)
            || sample.pts() - time(&current) > frame
        {
            return;
        }
        let begins = Begins {
            discontinuity: self
                .track
                .is_before(current.discontinuity)
                .then_some(current.discontinuity),
            number: Some(current.number),
            afresh: !self.made,
        };
        self.making = true;
        self.track.push(sample, Some(begins), clock);
    }

    /// The time of the next segment has come.
    fn step_to(&mut self, due: Due, clock: i64) {
        if let Some(current) = self.current
            && !self.making
            && !self.track.has_made(current.number)
        {
            self.track.miss(current, due.time, clock);
        }
        self.made = self.making;
        self.making = false;
        self.current = Some(due);
    }

    /// What should have come long ago is a gap.
    fn give_up(&mut self, leader: i64, clock: i64) {
        let patience = if self.lost { 0 } else { LATE_MICROS };
        let over = |due: &Due| leader - rescale(due.time, due.timescale, 1_000_000) >= patience;
        while self.current.is_some() || self.lost {
            let Some(due) = self.dues.front().copied().filter(over) else {
                return;
            };
            self.dues.pop_front();
            if self.making {
                self.track.finish();
                // What it still sends of that time is too late.
                self.making = false;
            }
            self.step_to(due, clock);
        }
    }
}
