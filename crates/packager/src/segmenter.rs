//! Where segments end.

use std::time::Duration;

/// So many times between key frames are remembered.
const INTERVALS: usize = 8;

/// Decides at each sample of the leading track whether a new segment begins with it. All times are microseconds.
#[derive(Debug)]
pub(crate) struct Segmenter {
    segment: i64,
    /// No segment that ends at a key frame is shorter.
    least: i64,
    /// A segment is never longer. Not known before the targets are.
    most: i64,
    first: bool,
    expected: Option<i64>,
    intervals: [i64; INTERVALS],
    seen: usize,
    last_key: Option<i64>,
}

/// A sample as it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arriving {
    /// How long the segment is without it.
    pub(crate) elapsed: i64,
    /// The same for the track whose segment is longest: the first of audio may have begun earlier.
    pub(crate) longest: i64,
    /// How long it is thought to last.
    pub(crate) frame: i64,
    pub(crate) keyframe: bool,
    /// It is a picture that is held, and so will the next ones be: each is a key frame.
    pub(crate) held: bool,
}

impl Segmenter {
    pub(crate) fn new(segment: Duration, part: Duration) -> Self {
        Self {
            segment: micros(segment),
            least: micros(part),
            most: i64::MAX,
            first: true,
            expected: None,
            intervals: [0; INTERVALS],
            seen: 0,
            last_key: None,
        }
    }

    /// Tells how long a segment may be, and when the next key frame is to be expected.
    pub(crate) fn settle(&mut self, most: Duration, expected: Option<Duration>) {
        self.most = micros(most);
        self.expected = expected.map(micros);
    }

    /// Takes note of a key frame that an encoder made.
    pub(crate) fn key_frame(&mut self, at: i64) {
        if let Some(last) = self.last_key.replace(at) {
            self.intervals[self.seen % INTERVALS] = at - last;
            self.seen += 1;
        }
    }

    /// Another encoder has begun.
    pub(crate) fn restart(&mut self) {
        (self.seen, self.last_key, self.expected) = (0, None, None);
    }

    /// Whether, as far as is known, a key frame comes for every segment to begin with.
    pub(crate) fn is_regular(&self) -> bool {
        self.expected().is_some_and(|interval| interval <= self.most)
    }

    /// When the next key frame is expected.
    pub(crate) fn next_key_frame(&self) -> Option<i64> {
        Some(self.last_key? + self.expected()?)
    }

    fn expected(&self) -> Option<i64> {
        self.interval().or(self.expected)
    }

    /// The longest time between key frames lately.
    pub(crate) fn interval(&self) -> Option<i64> {
        self.intervals[..self.seen.min(INTERVALS)].iter().max().copied()
    }

    /// Whether a new segment begins with this sample.
    pub(crate) fn begins(&mut self, sample: Arriving) -> bool {
        let begins = self.is_due(sample) || sample.longest.saturating_add(sample.frame) > self.most;
        self.first &= !begins;
        begins
    }

    fn is_due(&self, sample: Arriving) -> bool {
        // Timestamps are rounded on their way: half a frame too early is in time.
        let elapsed = sample.elapsed.saturating_add(sample.frame / 2);
        if !sample.keyframe || elapsed < self.least {
            return false;
        }
        // The first segment is made short, so that players which need a whole one can begin. The others end early only if
        // the next key frame might come too late.
        let too_late = |next: i64| sample.longest.saturating_add(next) > self.most;
        let next = if sample.held {
            Some(sample.frame)
        } else {
            self.expected()
        };
        self.first || elapsed >= self.segment || next.is_some_and(too_late)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: i64 = 40_000;

    /// The lengths of the segments of a 25 fps stream, in frames, with key frames where `is_key` says.
    fn lengths(target: u64, expected_ms: Option<u64>, is_key: impl Fn(i64) -> bool) -> Vec<i64> {
        let mut segmenter = Segmenter::new(Duration::from_secs(2), Duration::from_millis(320));
        let expected = expected_ms.map(Duration::from_millis);
        segmenter.settle(Duration::from_millis(1_000 * target + 380), expected);
        let (mut start, mut lengths) = (0, Vec::new());
        for frame in 0..1_500 {
            if is_key(frame) {
                segmenter.key_frame(frame * FRAME);
            }
            let arriving = Arriving {
                elapsed: (frame - start) * FRAME,
                longest: (frame - start) * FRAME,
                frame: FRAME,
                keyframe: is_key(frame),
                held: false,
            };
            if frame > 0 && segmenter.begins(arriving) {
                lengths.push(frame - start);
                start = frame;
            }
        }
        lengths
    }

    #[test]
    fn segments_end_at_the_first_key_frame_after_the_target() {
        assert_eq!(lengths(2, None, |frame| frame % 25 == 0)[..4], [25, 50, 50, 50]);
        assert_eq!(lengths(3, None, |frame| frame % 40 == 0)[..4], [40, 80, 80, 80]);
        assert_eq!(lengths(4, None, |frame| frame % 100 == 0)[..4], [100, 100, 100, 100]);
    }

    #[test]
    fn the_first_segment_ends_at_its_first_later_key_frame() {
        assert_eq!(lengths(2, None, |frame| frame % 12 == 0)[0], 12);
        assert_eq!(lengths(2, None, |_| true)[0], 8, "but is not shorter than a part");
    }

    #[test]
    fn without_a_key_frame_a_segment_ends_before_it_is_too_long() {
        assert_eq!(lengths(4, None, |frame| frame == 0)[..3], [109, 109, 109]);
        assert_eq!(lengths(2, None, |frame| frame % 250 == 0)[..3], [59, 59, 59]);
    }

    #[test]
    fn a_segment_ends_early_rather_than_without_a_key_frame() {
        // A scene changes 1.2 s into a segment; the encoder's next key frame comes 2 s after it.
        let keys = |frame: i64| frame < 180 && frame % 50 == 0 || frame >= 180 && (frame - 180) % 50 == 0;
        let lengths = lengths(2, Some(2_000), keys);
        assert_eq!(lengths[..6], [50, 50, 50, 30, 50, 50]);
    }

    #[test]
    fn held_pictures_make_segments_of_the_usual_length() {
        let mut segmenter = Segmenter::new(Duration::from_secs(2), Duration::from_millis(320));
        segmenter.settle(Duration::from_millis(2_380), Some(Duration::from_secs(2)));
        segmenter.first = false;
        let begins = |elapsed| {
            segmenter.begins(Arriving {
                elapsed,
                longest: elapsed,
                frame: 160_000,
                keyframe: true,
                held: true,
            })
        };
        let at: Vec<bool> = [320_000, 640_000, 1_280_000, 1_920_000].map(begins).to_vec();
        assert_eq!(at, [false, false, false, true]);
    }

    #[test]
    fn an_encoder_that_took_over_is_learned_anew() {
        let mut segmenter = Segmenter::new(Duration::from_secs(2), Duration::from_millis(320));
        segmenter.key_frame(0);
        segmenter.key_frame(8_000_000);
        assert_eq!(segmenter.interval(), Some(8_000_000));
        segmenter.restart();
        segmenter.key_frame(9_000_000);
        assert_eq!(segmenter.interval(), None);
        segmenter.key_frame(10_000_000);
        assert_eq!(segmenter.interval(), Some(1_000_000));
    }
}
