use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;

/// How often sources are read that nobody follows within a second.
const PERIOD: Duration = Duration::from_millis(20);

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The next tick after `now`. All publishers share the ticks, so that the thread wakes once for all of them.
pub(super) fn next(now: Instant) -> Instant {
    let passed = now.saturating_duration_since(*EPOCH).as_nanos();
    let ticks = passed / PERIOD.as_nanos() + 1;
    *EPOCH + PERIOD.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_waits_for_the_same_tick() {
        let start = Instant::now();
        let first = next(start);
        assert!(first > start && first - start <= PERIOD);
        assert_eq!(next(first - Duration::from_nanos(1)), first);
        assert_eq!(next(first), first + PERIOD);
    }
}
