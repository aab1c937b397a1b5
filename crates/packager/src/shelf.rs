//! Whole segments: which of them playlists list, and how long the others stay.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::window::Segment;

/// Segments may come and go a little unevenly, without one leaving too early.
const SLACK_MICROS: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Shelf {
    window: u64,
    kept: VecDeque<Kept>,
    first_listed: usize,
    /// What was put here in all, in microseconds.
    total: u64,
    /// The longest playlist so far.
    longest: u64,
    list: Option<Arc<[Arc<Segment>]>>,
}

#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    micros: u64,
    /// `total` when it had just been put here.
    end: u64,
}

impl Shelf {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window: u64::try_from(window.as_micros()).unwrap_or(u64::MAX),
            kept: VecDeque::new(),
            first_listed: 0,
            total: 0,
            longest: 0,
            list: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The discontinuity sequence number of the newest segment.
    pub(crate) fn discontinuity(&self) -> Option<u64> {
        self.kept.back().map(|kept| kept.segment.discontinuity)
    }

    /// Takes a segment of `micros` microseconds.
    pub(crate) fn put(&mut self, segment: Segment, micros: u64) {
        self.total += micros;
        self.kept.push_back(Kept {
            segment: Arc::new(segment),
            micros,
            end: self.total,
        });
        self.unlist(micros);
        self.discard();
        self.list = None;
    }

    /// All segments, and where the listed ones begin.
    pub(crate) fn list(&mut self) -> (Arc<[Arc<Segment>]>, usize) {
        let make = || self.kept.iter().map(|kept| Arc::clone(&kept.segment)).collect();
        let list = self.list.get_or_insert_with(make);
        (Arc::clone(list), self.first_listed)
    }

    /// Whole segments and the one that grows, which is taken to be as long as the `newest`, are listed within the window.
    fn unlist(&mut self, newest: u64) {
        let room = self.window.saturating_sub(newest);
        while self.first_listed + 1 < self.kept.len() && self.listed_micros() > room {
            self.first_listed += 1;
        }
        self.longest = self.longest.max(self.listed_micros());
    }

    fn listed_micros(&self) -> u64 {
        self.kept
            .get(self.first_listed)
            .map_or(0, |first| self.total - first.end + first.micros)
    }

    /// A segment stays for its own duration and that of the longest playlist, from when it was listed first (RFC 8216
    /// §6.2.2).
    fn discard(&mut self) {
        while self.first_listed > 0
            && let Some(oldest) = self.kept.front()
            && self.total - oldest.end >= self.longest + oldest.micros + SLACK_MICROS
        {
            self.kept.pop_front();
            self.first_listed -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// The lengths of what is kept and listed after each segment, in milliseconds.
    fn shelve(lengths: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
        let mut shelf = Shelf::new(Duration::from_secs(60));
        let mut seen = Vec::new();
        for (number, length) in lengths.enumerate() {
            shelf.put(testing::segment(number as u64), length * 1_000);
            let micros: Vec<u64> = shelf.kept.iter().map(|kept| kept.micros).collect();
            let listed = &micros[shelf.first_listed..];
            seen.push((micros.iter().sum::<u64>() / 1_000, listed.iter().sum::<u64>() / 1_000));
        }
        seen
    }

    #[test]
    fn what_is_listed_and_what_grows_fill_the_window() {
        let seen = shelve(std::iter::repeat_n(2_000, 100));
        assert_eq!(seen[20], (42_000, 42_000));
        assert_eq!(seen[99], (62_000, 58_000));
    }

    #[test]
    fn long_segments_stay_as_long_as_they_must() {
        let seen = shelve(std::iter::repeat_n(8_333, 40));
        assert_eq!(seen[39], (66_664, 49_998));
    }

    #[test]
    fn a_segment_longer_than_the_window_is_still_listed() {
        assert_eq!(shelve([70_000].into_iter()), [(70_000, 70_000)]);
    }
}
