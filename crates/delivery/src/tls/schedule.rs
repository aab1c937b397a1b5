//! When the authority is asked.

use std::time::{Duration, SystemTime};

use super::Error;

/// After the authority could not be reached for the first time.
const AWAY_PAUSE: Duration = Duration::from_secs(15);
/// After it refused for the first time. Public authorities allow few failures an hour.
const REFUSED_PAUSE: Duration = Duration::from_secs(600);
/// Pauses double up to this.
const PAUSE_MAX: Duration = Duration::from_secs(12 * 3_600);

/// When to ask next, by what came of it before.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    failures: u32,
    pause: Duration,
}

impl Schedule {
    /// How long to wait at `now`, with a certificate of this life or none. `jitter` is 0 to 1: servers that fail together
    /// need not come back together.
    pub(super) fn wait(&self, now: SystemTime, life: Option<(SystemTime, SystemTime)>, jitter: f64) -> Duration {
        if self.is_pausing() {
            return self.pause.mul_f64(1.0 + jitter / 4.0);
        }
        let Some((from, until)) = life else {
            return Duration::ZERO;
        };
        // A third of its life is left: time enough for an authority to be away.
        let third = until.duration_since(from).unwrap_or_default() / 3;
        let due = until.checked_sub(third).unwrap_or(until);
        due.duration_since(now).unwrap_or_default()
    }

    /// Whether it is a failure that is waited after, and no date that is waited for.
    pub(super) fn is_pausing(&self) -> bool {
        self.failures > 0
    }

    /// A certificate of this life was got. One that is due already, by a clock that is wrong, counts as none.
    pub(super) fn succeeded(&mut self, now: SystemTime, life: Option<(SystemTime, SystemTime)>) {
        self.failures = 0;
        if self.wait(now, life, 0.0).is_zero() {
            self.failed(&Error::Authority("the certificate is due already".into()));
        }
    }

    /// None was got.
    pub(super) fn failed(&mut self, error: &Error) {
        let first = match error {
            Error::Refused(_) | Error::Unproved { .. } => REFUSED_PAUSE,
            _ => AWAY_PAUSE,
        };
        self.pause = first.saturating_mul(1 << self.failures.min(20)).min(PAUSE_MAX);
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let (schedule, from) = (Schedule::default(), SystemTime::UNIX_EPOCH);
        let day = Duration::from_secs(86_400);
        let life = Some((from, from + day * 90));
        assert_eq!(schedule.wait(from, None, 0.0), Duration::ZERO, "there is none");
        assert_eq!(schedule.wait(from, life, 0.0), day * 60);
        assert_eq!(schedule.wait(from + day * 59, life, 0.0), day);
        assert_eq!(schedule.wait(from + day * 200, life, 0.0), Duration::ZERO);
    }

    #[test]
    fn pauses_double_and_end_with_success() {
        let mut schedule = Schedule::default();
        let mut pauses = |error: &Error| {
            schedule.failed(error);
            schedule.wait(SystemTime::UNIX_EPOCH, None, 0.0).as_secs()
        };
        let away = Error::Authority("no route".into());
        assert_eq!([(); 3].map(|()| pauses(&away)), [15, 30, 60]);
        let refused = Error::Refused("too many".into());
        assert_eq!(pauses(&refused), 600 * 8);
        assert_eq!([(); 20].map(|()| pauses(&refused)).last(), Some(&PAUSE_MAX.as_secs()));
        let from = SystemTime::UNIX_EPOCH;
        schedule.succeeded(from, Some((from, from + Duration::from_secs(90))));
        assert!(!schedule.is_pausing());
        schedule.succeeded(
            from + Duration::from_secs(80),
            Some((from, from + Duration::from_secs(90))),
        );
        assert!(schedule.is_pausing(), "the authority is not asked again and again");
    }
}
