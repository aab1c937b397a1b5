//! Whether segments have been equally long lately.

/// Lengths that differ by no more than this part of them are equal: timestamps are rounded on their way.
const TOLERANCE: i64 = 50;
/// So many equal segments make a stream regular at first; twice as many after each disappointment, up to 32.
const EQUAL_AT_FIRST: i64 = 2;
const DISAPPOINTMENTS_MAX: u32 = 4;

/// Counts equal segments.
#[derive(Debug, Default)]
pub(super) struct Regularity {
    /// The newest lengths that are equal: how many, and their sum.
    count: i64,
    sum: i64,
    disappointments: u32,
}

impl Regularity {
    /// Takes the length of the next segment.
    pub(super) fn push(&mut self, length: i64) {
        if !self.fits(length) {
            (self.count, self.sum) = (0, 0);
        }
        self.count += 1;
        self.sum += length;
    }

    /// Another source has begun.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// A stream that was taken for regular is not.
    pub(super) fn disappoint(&mut self) {
        self.disappointments = (self.disappointments + 1).min(DISAPPOINTMENTS_MAX);
    }

    /// A stream that was taken for regular has been so for long.
    pub(super) fn forgive(&mut self) {
        self.disappointments = 0;
    }

    /// Whether it never disappointed.
    pub(super) fn is_trusted(&self) -> bool {
        self.disappointments == 0
    }

    /// The length to expect of the next segment, if those before it promise any.
    pub(super) fn settled(&self) -> Option<i64> {
        (self.count >= EQUAL_AT_FIRST << self.disappointments).then(|| self.mean())
    }

    /// Whether a length is near those of the newest segments.
    fn fits(&self, length: i64) -> bool {
        self.count > 0 && (length - self.mean()).abs() <= self.mean() / TOLERANCE
    }

    /// The mean of the newest lengths that are equal, rounded.
    fn mean(&self) -> i64 {
        (self.sum + self.count / 2) / self.count.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_equal_segments_are_a_rule() {
        let mut regularity = Regularity::default();
        regularity.push(90_000);
        regularity.push(180_000);
        assert_eq!(regularity.settled(), None);
        regularity.push(180_090);
        assert_eq!(regularity.settled(), Some(180_045));
    }

    #[test]
    fn after_each_disappointment_it_takes_twice_as_many() {
        let mut regularity = Regularity::default();
        for needed in [2, 4, 8, 16, 32, 32] {
            regularity.push(1);
            for _ in 1..needed {
                assert_eq!(regularity.settled().filter(|length| *length == 180_000), None);
                regularity.push(180_000);
            }
            assert_eq!(regularity.settled(), None);
            regularity.push(180_000);
            assert_eq!(regularity.settled(), Some(180_000), "{needed}");
            regularity.disappoint();
        }
    }
}
