//! Which frames went into a child, so that what comes out is put at their very times.

use std::collections::VecDeque;

use media::Sample;

/// Groups that are remembered: what comes out of a child that is further behind is of no use.
const GROUPS_MAX: usize = 64;
/// Frames of one group that are remembered.
const FRAMES_MAX: usize = 4_096;

/// Where a made frame stands: where the source's frame does that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Decode time, in ticks.
    pub dts: i64,
    /// Presentation time minus decode time, in ticks.
    pub cts: i32,
    /// Whether the source's frame is a key frame.
    pub keyframe: bool,
    /// How long it lasts, where that was said: so is a picture that is held.
    pub duration: Option<u32>,
}

/// The times of the frames that went in.
///
/// What is made has no B-frames: its n-th frame of a group to be decoded is the n-th to be shown. It takes the presentation time of the
/// source's n-th frame to be shown, and the decode time of its n-th to be decoded: so the groups begin and end at the same ticks, however
/// the source orders its frames.
#[derive(Debug, Default)]
pub struct Times {
    groups: VecDeque<Group>,
}

#[derive(Debug, Default)]
struct Group {
    /// In the order of decoding.
    decoded: Vec<i64>,
    /// In the order of presentation.
    shown: Vec<Shown>,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    pts: i64,
    keyframe: bool,
    duration: Option<u32>,
}

impl Times {
    /// Takes note of a frame that goes in, in the order of decoding.
    pub fn push(&mut self, sample: &Sample) {
        let full = self.groups.back().is_none_or(|group| group.decoded.len() >= FRAMES_MAX);
        if sample.keyframe || full {
            self.groups.push_back(Group::default());
            if self.groups.len() > GROUPS_MAX {
                self.groups.pop_front();
            }
        }
        if let Some(group) = self.groups.back_mut() {
            group.push(sample);
        }
    }

    /// Where the frame with this presentation time stands; `None` if none like it went in. Frames before its group are forgotten.
    pub fn place(&self, pts: i64) -> Option<Place> {
        self.groups.iter().find_map(|group| group.place(pts))
    }

    /// Forgets what was shown before the group of `pts`, once every output is past it.
    pub fn forget_before(&mut self, pts: i64) {
        while self.groups.len() > 1 && self.groups.front().is_some_and(|group| group.is_before(pts)) {
            self.groups.pop_front();
        }
    }
}

impl Group {
    fn push(&mut self, sample: &Sample) {
        self.decoded.push(sample.dts);
        let pts = sample.pts();
        let at = self.shown.partition_point(|shown| shown.pts <= pts);
        let shown = Shown {
            pts,
            keyframe: sample.keyframe,
            duration: sample.duration,
        };
        self.shown.insert(at, shown);
    }

    fn place(&self, pts: i64) -> Option<Place> {
        let rank = self.shown.binary_search_by_key(&pts, |shown| shown.pts).ok()?;
        let (dts, shown) = (*self.decoded.get(rank)?, self.shown.get(rank)?);
        Some(Place {
            dts,
            cts: i32::try_from(pts.checked_sub(dts)?).ok()?,
            keyframe: shown.keyframe,
            duration: shown.duration,
        })
    }

    fn is_before(&self, pts: i64) -> bool {
        self.shown.last().is_none_or(|last| last.pts < pts)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn sample(dts: i64, pts: i64, keyframe: bool) -> Sample {
        Sample {
            dts,
            cts: (pts - dts) as i32,
            duration: None,
            keyframe,
            data: Bytes::new(),
        }
    }

    fn place(dts: i64, pts: i64, keyframe: bool) -> Option<Place> {
        Some(Place {
            dts,
            cts: (pts - dts) as i32,
            keyframe,
            duration: None,
        })
    }

    #[test]
    fn a_picture_that_is_held_is_known_as_such_in_every_quality() {
        let mut times = Times::default();
        let held = Sample {
            duration: Some(15_000),
            ..sample(0, 0, true)
        };
        times.push(&held);
        assert_eq!(times.place(0).and_then(|place| place.duration), Some(15_000));
    }

    #[test]
    fn a_frame_stands_where_the_one_stands_that_it_was_made_from() {
        let mut times = Times::default();
        times.push(&sample(0, 0, true));
        times.push(&sample(3_003, 3_003, false));
        assert_eq!(times.place(3_003), place(3_003, 3_003, false));
        assert_eq!(times.place(3_000), None);
        assert_eq!(times.place(6_006), None);
    }

    #[test]
    fn reordered_groups_keep_their_decode_times_and_so_their_boundaries() {
        let mut times = Times::default();
        // I P B B, twice
        for start in [0, 12_000] {
            for (dts, pts, key) in [
                (0, 6_000, true),
                (3_000, 15_000, false),
                (6_000, 9_000, false),
                (9_000, 12_000, false),
            ] {
                times.push(&sample(start + dts, start + pts, key));
            }
        }
        let shown = [6_000, 9_000, 12_000, 15_000, 18_000, 21_000];
        let expected = [0, 3_000, 6_000, 9_000, 12_000, 15_000];
        for (pts, dts) in shown.into_iter().zip(expected) {
            assert_eq!(times.place(pts), place(dts, pts, dts % 12_000 == 0));
        }
    }

    #[test]
    fn what_is_past_is_forgotten_and_the_memory_is_bounded() {
        let mut times = Times::default();
        for n in 0..100_000 {
            times.push(&sample(n * 3_000, n * 3_000, n % 30 == 0));
        }
        assert!(times.groups.len() <= GROUPS_MAX);
        times.forget_before(99_990 * 3_000);
        assert_eq!(times.groups.len(), 1);
        let mut endless = Times::default();
        (0..100_000).for_each(|n| endless.push(&sample(n, n, false)));
        assert!(endless.groups.iter().all(|group| group.decoded.len() <= FRAMES_MAX));
    }
}
