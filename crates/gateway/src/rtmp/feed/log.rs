use std::collections::VecDeque;
use std::sync::Arc;

use super::Batch;

/// The newest batches of one broadcast: from the newest key frame on, and a little before it for those who are late.
#[derive(Debug, Default)]
pub(in super::super) struct Log {
    batches: VecDeque<Arc<Batch>>,
    /// The position of the oldest batch that is kept.
    first: u64,
    /// Where a player can begin: the newest batch that starts with a key frame.
    join: Option<u64>,
    bytes: usize,
    ended: bool,
}

/// A player's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Cursor {
    /// It waits for a key frame at this position or later.
    Joining(u64),
    /// It has everything before this position.
    At(u64),
}

/// What a cursor finds.
#[derive(Debug)]
pub(in super::super) enum Next {
    /// The batch that comes next is one to begin with: its head is to be sent before it.
    Begin(Arc<Batch>),
    /// The batch that follows.
    Batch(Arc<Batch>),
    /// The cursor fell out of the log; it waits for a key frame now.
    Skipped,
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    End,
}

impl Log {
    /// A player that is so much behind skips to the next key frame.
    const BYTES_MAX: usize = 32 << 20;
    const TIME_MS_MAX: u32 = 30_000;
    /// What is kept before the newest key frame.
    const LATE_MS: u32 = 2_000;

    pub(super) fn extend(&mut self, batches: impl Iterator<Item = Batch>) {
        for batch in batches {
            if batch.starts {
                self.join = Some(self.end_position());
            }
            self.bytes += batch.len();
            self.batches.push_back(Arc::new(batch));
        }
        self.trim();
    }

    /// The broadcast is over.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// What a player with this cursor sends next; moves the cursor.
    pub(in super::super) fn next(&self, cursor: &mut Cursor) -> Next {
        match *cursor {
            Cursor::Joining(from) => self.begin(from, cursor),
            Cursor::At(position) if position < self.first => {
                *cursor = Cursor::Joining(position);
                Next::Skipped
            }
            Cursor::At(position) => match self.batch(position) {
                Some(batch) => {
                    *cursor = Cursor::At(position + 1);
                    Next::Batch(Arc::clone(batch))
                }
                None => self.nothing(),
            },
        }
    }

    fn begin(&self, from: u64, cursor: &mut Cursor) -> Next {
        let join = self.join.filter(|join| *join >= from);
        match join.and_then(|join| self.batch(join).zip(Some(join))) {
            Some((batch, join)) => {
                *cursor = Cursor::At(join);
                Next::Begin(Arc::clone(batch))
            }
            None => self.nothing(),
        }
    }

    fn batch(&self, position: u64) -> Option<&Arc<Batch>> {
        let index = position.checked_sub(self.first)?;
        self.batches.get(usize::try_from(index).ok()?)
    }

    fn nothing(&self) -> Next {
        if self.ended { Next::End } else { Next::Nothing }
    }

    fn end_position(&self) -> u64 {
        self.first + self.batches.len() as u64
    }

    fn trim(&mut self) {
        let Some(newest) = self.batches.back().map(|batch| batch.time_ms) else {
            return;
        };
        while let Some(front) = self.batches.front() {
            let age = newest.wrapping_sub(front.time_ms);
            let needed = self.join.is_none_or(|join| self.first >= join) || age <= Self::LATE_MS;
            if needed && self.bytes <= Self::BYTES_MAX && age <= Self::TIME_MS_MAX {
                return;
            }
            self.drop_front();
        }
    }

    fn drop_front(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.bytes -= batch.len();
            if self.join == Some(self.first) {
                self.join = None;
            }
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Kind;
    use rtmp::flv::Video;

    use super::super::head::{Head, message};
    use super::*;

    fn batch(time_ms: u32, starts: bool, len: usize) -> Batch {
        let mut batch = Batch::new(time_ms, Arc::new(Head::default()));
        let header = Video::frame_header(media::VideoCodec::Avc, starts, 0);
        batch.push(
            Kind::Video,
            message(Kind::Video, time_ms, &header, &Bytes::from(vec![0; len])),
        );
        batch.starts = starts;
        batch
    }

    fn log(frames: std::ops::Range<u32>, len: usize) -> Log {
        let mut log = Log::default();
        log.extend(frames.map(|frame| batch(frame * 33, frame % 30 == 0, len)));
        log
    }

    #[test]
    fn a_newcomer_begins_at_the_newest_key_frame_and_goes_on_to_the_end() {
        let log = log(0..100, 10);
        let mut cursor = Cursor::Joining(0);
        let Next::Begin(first) = log.next(&mut cursor) else {
            panic!("a beginning")
        };
        assert_eq!(first.time_ms, 90 * 33);
        let all = std::iter::from_fn(|| matches!(log.next(&mut cursor), Next::Batch(_)).then_some(()));
        assert_eq!(all.count(), 10);
        assert!(matches!(log.next(&mut cursor), Next::Nothing));
    }

    #[test]
    fn who_is_two_seconds_behind_loses_nothing() {
        let log = log(0..100, 10);
        let mut cursor = Cursor::At(100 - 60);
        assert!(matches!(log.next(&mut cursor), Next::Batch(_)));
    }

    #[test]
    fn who_falls_out_waits_for_a_key_frame_that_it_has_not_seen() {
        let mut log = log(0..100, 10);
        let mut cursor = Cursor::At(5);
        assert!(matches!(log.next(&mut cursor), Next::Skipped));
        assert!(
            matches!(log.next(&mut cursor), Next::Begin(_)),
            "the newest key frame is later"
        );
        let mut late = Cursor::Joining(95);
        assert!(matches!(log.next(&mut late), Next::Nothing));
        log.extend([batch(4_000, true, 10)].into_iter());
        assert!(matches!(log.next(&mut late), Next::Begin(_)));
    }

    #[test]
    fn without_key_frames_it_is_bounded_in_bytes_and_time() {
        let mut log = log(0..1, 10);
        log.extend((1..5_000).map(|frame| batch(frame * 33, false, 10)));
        assert!(log.batches.len() < 1_000 && log.join.is_none());
        log.extend((0..100).map(|frame| batch(165_000 + frame, false, 1 << 20)));
        assert!(log.bytes <= Log::BYTES_MAX);
    }

    #[test]
    fn the_end_comes_after_everything_else() {
        let mut log = log(0..2, 10);
        log.end();
        let mut cursor = Cursor::Joining(0);
        assert!(matches!(log.next(&mut cursor), Next::Begin(_)));
        assert!(matches!(log.next(&mut cursor), Next::Batch(_)));
        assert!(matches!(log.next(&mut cursor), Next::Batch(_)));
        assert!(matches!(log.next(&mut cursor), Next::End));
    }
}
