/// A publisher's clock without its wrap: RTMP counts milliseconds in 32 bits, for all tracks of a connection.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<u32>,
    ms: i64,
}

impl Clock {
    /// A message's time, in milliseconds since before the first. Messages may come a little out of order.
    pub(super) fn unwrap(&mut self, timestamp: u32) -> i64 {
        let step = match self.last.replace(timestamp) {
            Some(last) => i64::from(timestamp.wrapping_sub(last).cast_signed()),
            None => i64::from(timestamp),
        };
        self.ms = self.ms.saturating_add(step);
        self.ms
    }
}

/// The time of a packet in its message, in microseconds as the hub counts them.
pub(super) fn micros(ms: i64, offset_ns: u32) -> u64 {
    let micros = ms.saturating_mul(1_000).saturating_add(i64::from(offset_ns / 1_000));
    // Below zero it is as far before the wrap, which is how the hub takes it.
    micros.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrap_after_seven_weeks_is_a_step_like_any_other() {
        let mut clock = Clock::default();
        assert_eq!(clock.unwrap(u32::MAX - 9), 4_294_967_286);
        assert_eq!(clock.unwrap(10), 4_294_967_306);
        assert_eq!(clock.unwrap(u32::MAX), 4_294_967_295, "a message that was overtaken");
    }

    #[test]
    fn nanoseconds_are_added_to_the_time_of_the_message() {
        assert_eq!(micros(33, 333_333), 33_333);
        assert_eq!(micros(-1, 0), u64::MAX - 999);
    }
}
