//! The samples of one broadcast in the order they came, as far back as a follower may need them.

use std::collections::VecDeque;
use std::sync::Arc;

use media::{Parameters, Sample, TrackId};

use crate::Planned;

/// What a follower is told, in the order it happened; audio and video are interleaved as they arrived.
#[derive(Clone, Debug)]
pub enum Item {
    /// A discontinuity: another source begins. The time goes on.
    Cut,
    /// Which tracks to expect, as soon as somebody says so.
    Announced {
        /// A video track.
        video: bool,
        /// An audio track.
        audio: bool,
    },
    /// Comes before a track's first sample, and again whenever they change.
    Parameters {
        /// The track.
        track: TrackId,
        /// As they are from now on.
        parameters: Parameters,
    },
    /// Which tracks will be made from the source's: they are shown before their first sample. Replaces the plan before it.
    Planned(Arc<[Planned]>),
    /// Nothing comes of this track until its next parameters; it is no main track.
    Lost(TrackId),
    /// One frame, on the broadcast's timeline: decode time 0 is the broadcast's start.
    Sample {
        /// The track.
        track: TrackId,
        /// The frame.
        sample: Sample,
    },
    /// The follower fell out of what is kept and lost samples; what follows begins with a key frame.
    Lagged,
}

/// Which tracks a follower reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    /// The main ones alone.
    Main,
    /// All there are.
    All,
}

impl Tracks {
    fn hold(self, item: &Item) -> bool {
        match (self, item) {
            (Self::All, _) => true,
            (Self::Main, Item::Parameters { track, .. } | Item::Sample { track, .. }) => track.is_main(),
            (Self::Main, Item::Planned(_) | Item::Lost(_)) => false,
            (Self::Main, _) => true,
        }
    }
}

/// How much a log may keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: usize,
    pub(crate) micros_max: i64,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    micros: i64,
}

/// Entries have consecutive positions; old ones leave from the front.
#[derive(Debug)]
pub(crate) struct Log {
    bounds: Bounds,
    entries: VecDeque<Entry>,
    first: u64,
    bytes: usize,
    /// Where a newcomer can start decoding: the newest key frame of video, or the newest sample of audio alone.
    join: Option<u64>,
    has_video: bool,
    /// Every follower has read what is before this.
    read_by_all: u64,
}

impl Log {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            join: None,
            has_video: false,
            read_by_all: 0,
        }
    }

    /// The position after the newest entry.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The oldest position that is still kept.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Where a newcomer can start decoding, while that is still kept.
    pub(crate) fn join(&self) -> Option<u64> {
        self.join
    }

    /// Appends an entry; `micros` is its time on the timeline.
    pub(crate) fn push(&mut self, item: Item, micros: i64) {
        if let Item::Sample { track, sample } = &item {
            self.bytes += sample.data.len();
            self.has_video |= *track == TrackId::VIDEO;
            let leads = *track == TrackId::VIDEO && sample.keyframe || !self.has_video && *track == TrackId::AUDIO;
            if leads {
                self.join = Some(self.end());
            }
        }
        self.entries.push_back(Entry { item, micros });
        self.trim(micros);
    }

    /// Copies everything from `position` on that is of these tracks; the bytes are shared.
    pub(crate) fn read(&self, position: u64, tracks: Tracks, out: &mut Vec<Item>) {
        let skip = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let items = self.entries.iter().skip(skip).map(|entry| &entry.item);
        out.extend(items.filter(|item| tracks.hold(item)).cloned());
    }

    /// Lets go of what every follower has read and no newcomer needs.
    pub(crate) fn release(&mut self, read_by_all: u64) {
        self.read_by_all = read_by_all;
        if let Some(newest) = self.entries.back() {
            self.trim(newest.micros);
        }
    }

    fn trim(&mut self, now: i64) {
        while let Some(front) = self.entries.front() {
            let over = self.bytes > self.bounds.bytes_max || now - front.micros > self.bounds.micros_max;
            let joinable = self.join.is_none_or(|join| self.first >= join);
            if !over && (joinable || self.first >= self.read_by_all) {
                return;
            }
            self.drop_front();
        }
    }

    fn drop_front(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        if let Item::Sample { sample, .. } = &entry.item {
            self.bytes -= sample.data.len();
        }
        if self.join == Some(self.first) {
            self.join = None;
        }
        self.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes_max: 1_000,
        micros_max: 10_000_000,
    };

    fn video(keyframe: bool, len: usize) -> Item {
        let sample = Sample {
            dts: 0,
            cts: 0,
            duration: None,
            keyframe,
            data: Bytes::from(vec![0; len]),
        };
        Item::Sample {
            track: TrackId::VIDEO,
            sample,
        }
    }

    #[test]
    fn a_newcomer_starts_at_the_newest_key_frame() {
        let mut log = Log::new(BOUNDS);
        for (at, keyframe) in [(0, true), (1, false), (2, true), (3, false)] {
            log.push(video(keyframe, 1), at);
        }
        assert_eq!(log.join(), Some(2));
    }

    #[test]
    fn what_no_newcomer_needs_leaves_when_every_follower_has_read_it() {
        let mut log = Log::new(BOUNDS);
        for frame in 0..90 {
            log.push(video(frame % 30 == 0, 1), frame * 33_333);
        }
        assert_eq!((log.join(), log.first()), (Some(60), 0));
        log.release(45);
        assert_eq!(log.first(), 45);
        log.release(90);
        assert_eq!(log.first(), 60, "the newest group stays");
    }

    #[test]
    fn without_a_key_frame_it_is_bounded_in_bytes_and_seconds() {
        let mut log = Log::new(BOUNDS);
        log.push(video(true, 10), 0);
        for frame in 1..2_000 {
            log.push(video(false, 10), frame * 33_333);
        }
        assert!(log.bytes <= 1_000);
        assert_eq!(log.join(), None);
        let mut out = Vec::new();
        log.read(log.first(), Tracks::All, &mut out);
        assert_eq!(out.len(), log.entries.len());
    }
}
