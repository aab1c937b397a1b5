use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where the hub reads the wall clock. Spans of time always come from the monotonic clock, which tests can pause.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A wall clock that runs with tokio's, for tests under paused time.
    Virtual {
        /// The wall clock at `at`, in microseconds since 1970.
        micros: i64,
        /// When it showed `micros`.
        at: Instant,
    },
}

impl Clock {
    /// A virtual clock that shows `micros` microseconds since 1970 now.
    pub fn starting_at(micros: i64) -> Self {
        Self::Virtual {
            micros,
            at: Instant::now(),
        }
    }

    /// Microseconds since 1970 now.
    pub fn unix_micros(self) -> i64 {
        match self {
            Self::System => unix_micros(SystemTime::now()),
            Self::Virtual { micros, at } => micros + micros_of(at.elapsed()),
        }
    }
}

/// A span in whole microseconds.
pub(crate) fn micros_of(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds since 1970 of a wall-clock time; times before 1970 count as 1970.
pub(crate) fn unix_micros(time: SystemTime) -> i64 {
    micros_of(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The wall-clock time that is `micros` microseconds after 1970.
pub(crate) fn system_time(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
